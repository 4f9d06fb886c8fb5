import type { ClientConfig } from "./config.ts";
import type { Admin } from "./kafkajs/admin.ts";

/**
 * Loads kafkajs' admin for what `use` does with it: only callers that need it pay for its start.
 */
export async function withAdmin<T>(
  config: ClientConfig,
  use: (admin: Admin) => Promise<T>,
): Promise<T> {
  const { Admin } = await import("./kafkajs/admin.ts");
  const admin = new Admin(config);
  try {
    return await use(admin);
  } finally {
    await admin.close();
  }
}
