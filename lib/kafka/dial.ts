import type { Address } from "./config.ts";

/**
 * Connects to a host by any of its addresses. Deno before 2.5 tries the first one only, and if
 * `localhost` is ::1 first that is not where a broker on 127.0.0.1 listens.
 */
export async function dial({ host, port }: Address): Promise<Deno.TcpConn> {
  try {
    return await Deno.connect({ hostname: host, port });
  } catch (error) {
    if (!(error instanceof Deno.errors.ConnectionRefused)) throw error;
    const { lookup } = await import("node:dns/promises");
    for (const { address } of await lookup(host, { all: true })) {
      try {
        return await Deno.connect({ hostname: address, port });
      } catch {
        // The first address's error is the one to report.
      }
    }
    throw error;
  }
}
