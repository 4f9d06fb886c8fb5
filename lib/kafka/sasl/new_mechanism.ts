import type { SaslConfig } from "../config.ts";
import type { Mechanism } from "./mechanism.ts";

/**
 * A new login at the broker on `host`; what it needs from elsewhere may take `limit` milliseconds.
 * Each way is loaded only if it is used. Throws Failure.
 */
export async function newMechanism(
  sasl: SaslConfig,
  host: string,
  limit: number,
): Promise<Mechanism> {
  switch (sasl.mechanism) {
    case "PLAIN":
      return new (await import("./plain.ts")).Plain(sasl);
    case "OAUTHBEARER":
      return new (await import("./bearer.ts")).Bearer(sasl, host, limit);
    case "GSSAPI":
      return new (await import("./gssapi.ts")).Gssapi(sasl, host, limit);
    default:
      return new (await import("./scram.ts")).Scram(sasl);
  }
}
