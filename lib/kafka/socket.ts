import type { Address, ClientConfig, TlsConfig } from "./config.ts";
import { dial } from "./dial.ts";

/** An open connection, with TLS or without. */
export interface Socket {
  conn: Deno.Conn;
  /** What an error of it means beyond its text; null if the text says it all. */
  explain(error: unknown): Error | null;
}

/** How long connecting may take, milliseconds: a host that is gone is silent. */
const CONNECT_TIMEOUT = 10_000;

/**
 * Connects, the TLS handshake included: within ten seconds, or the config's timeout if that is
 * less. Throws Failure if a certificate is not trusted, else what the runtime throws.
 */
export async function openSocket(
  address: Address,
  { tls, ...config }: ClientConfig,
  limit = CONNECT_TIMEOUT,
): Promise<Socket> {
  const timeout = Math.min(config.timeout, limit);
  const ending = new AbortController();
  const opening = tls ? openSecurely(address, tls, ending.signal) : openPlainly(address);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`no connection within ${timeout / 1000} s`));
      ending.abort();
      opening.then(({ conn }) => conn.close(), () => {});
    }, timeout);
  });
  try {
    return await Promise.race([opening, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function openPlainly(address: Address): Promise<Socket> {
  const conn = await dial(address);
  conn.setNoDelay(true);
  return { conn, explain: () => null };
}

async function openSecurely(
  address: Address,
  tls: TlsConfig,
  signal: AbortSignal,
): Promise<Socket> {
  // Loaded only if it is used: a start without it stays as quick as it is.
  const { connectTls, explainTls } = await import("./tls.ts");
  const conn = await connectTls(address, tls, signal);
  return { conn, explain: (error) => explainTls(error, address, tls.identity !== null) };
}

/** Writes all bytes. */
export async function writeAll(conn: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
}

/** Two parts as one. */
export function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const whole = new Uint8Array(a.length + b.length);
  whole.set(a);
  whole.set(b, a.length);
  return whole;
}
