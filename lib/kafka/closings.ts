import { Failure } from "../failure.ts";
import type { ClientConfig } from "./config.ts";
import type { Link } from "./requests.ts";

/** The first bytes of a TLS record of type alert: the answer of a TLS port to bytes that are not TLS. */
const ALERT = 0x1503;

/** What a connection had seen when its broker closed it. */
export interface Seen {
  /** How many responses. */
  answers: number;
  /** The first two bytes after these, 0 if there were not as many. */
  start: number;
  /** The oldest request without a response. */
  asked: string | undefined;
  /** The same connection once more. */
  again: () => Promise<Link & { close(): void }>;
}

/** Why a broker closes a connection that is not set up as its port has it; null if it is. */
export async function whyClosed(
  name: string,
  { tls, sasl }: ClientConfig,
  { answers, start, asked, again }: Seen,
): Promise<Failure | null> {
  if (!tls && answers === 0 && start === ALERT) {
    return new Failure("broker", `${name} requires TLS — set security.protocol (-X, --config)`);
  }
  if (sasl || answers !== 1 || asked === "SaslHandshake") return null;
  // A port that asks for a login closes like this; so does a broker that stops. The port knows.
  const { whoAsksForLogin } = await import("./sasl/authenticate.ts");
  const link = again();
  const asks = await link.then(whoAsksForLogin).catch(() => null);
  link.then((connection) => connection.close(), () => {});
  return asks;
}
