import { Failure } from "../failure.ts";
import { trusted } from "./authorities.ts";
import { dial } from "./dial.ts";
import { type Address, addressName, type TlsConfig } from "./config.ts";

/** What helps if the name is wrong. Deno before 2.5 always checks it. */
const UNCHECKED = /^2\.[0-4]\./.test(Deno.version.deno)
  ? null
  : "set ssl.endpoint.identification.algorithm=none";

/**
 * Connects with TLS 1.2 or 1.3. `signal` ends an attempt under way. Throws Failure (denied) if
 * one side does not trust the other's certificate, else what the runtime throws.
 */
export async function connectTls(
  address: Address,
  { authorities, identity, checkHostname }: TlsConfig,
  signal: AbortSignal,
): Promise<Deno.TlsConn> {
  const { host: hostname, port } = address;
  const caCerts = trusted(authorities);
  const options = {
    // The zone of an address, `fe80::1%eth0`, is this host's own word, and in no certificate.
    hostname: hostname.replace(/%.*/, ""),
    caCerts,
    // Deno before 2.5 does not know it and still checks the name, which is the safe side.
    unsafelyDisableHostnameVerification: !checkHostname,
  };
  let conn: Deno.Conn;
  if (identity) {
    // The only way to show a client certificate; it leaves Nagle's algorithm on, so
    // that a second small write waits for the answer to the first, 40 ms with Linux.
    const { certificates: cert, key } = identity;
    conn = await Deno.connectTls({ ...options, hostname, port, cert, key: key.reveal() });
  } else {
    const tcp = await dial(address);
    tcp.setNoDelay(true);
    conn = await Deno.startTls(tcp, options);
  }
  const close = () => conn.close();
  signal.addEventListener("abort", close);
  try {
    if (signal.aborted) throw new Deno.errors.TimedOut("it came too late");
    await (conn as Deno.TlsConn).handshake();
    return conn as Deno.TlsConn;
  } catch (error) {
    if (!signal.aborted) conn.close();
    const { untrusted } = await import("./distrust.ts");
    const why = await untrusted(error, {
      name: addressName(address),
      host: options.hostname,
      trusted: caCerts,
      setting: "ssl.ca.location",
      otherName: "connect by a name in the certificate (brokers advertise theirs in " +
        "advertised.listeners)" + (UNCHECKED === null ? "" : `, or ${UNCHECKED}`),
      noName: UNCHECKED,
      connect: () => dial(address),
    });
    throw why ?? explainTls(error, address, identity !== null) ?? error;
  } finally {
    signal.removeEventListener("abort", close);
  }
}

/**
 * What an error of the TLS layer means for the user, or null if it says nothing certain. Not
 * only a handshake's: under TLS 1.3 the client's certificate is judged after the client's part of
 * the handshake is over, so a refusal is met by the first read.
 */
export function explainTls(
  error: unknown,
  address: Address,
  hasIdentity: boolean,
): Error | null {
  const name = addressName(address);
  const text = error instanceof Error ? error.message : String(error);
  if (error instanceof Deno.errors.UnexpectedEof) {
    return new Deno.errors.UnexpectedEof(
      "closed during the TLS handshake; a port without TLS does that: check security.protocol",
    );
  }
  const [, alert] = /received fatal alert: (\w+)/.exec(text) ?? [];
  if (alert !== undefined) return refused(alert, address, hasIdentity);
  if (text.includes("InvalidContentType") || text.includes("corrupt message")) {
    return new Failure("broker", `${name} does not use TLS — check security.protocol`);
  }
  return null;
}

function refused(alert: string, address: Address, hasIdentity: boolean): Failure | null {
  const name = addressName(address);
  if (/Certificate|UnknownCA|AccessDenied|DecryptError/.test(alert)) {
    const why = hasIdentity
      ? `${name} rejects the client certificate of ssl.certificate.location`
      : `${name} requires a client certificate — set ssl.certificate.location and ssl.key.location`;
    return new Failure("denied", `${why} (TLS alert ${alert})`);
  }
  if (/HandshakeFailure|ProtocolVersion|InsufficientSecurity/.test(alert)) {
    return new Failure(
      "broker",
      `${name} shares no TLS version and cipher with this client, which uses TLS 1.2 and 1.3` +
        (hasIdentity ? "" : ", or requires a client certificate") + ` (TLS alert ${alert})`,
    );
  }
  if (/IllegalParameter|UnrecognisedName/.test(alert) && address.host.includes("_")) {
    return new Failure(
      "broker",
      `${name} rejects "${address.host}" as its name: Java accepts no "_" in it with TLS — connect ` +
        "by another name (brokers advertise theirs in advertised.listeners), or by the address",
    );
  }
  return null;
}
