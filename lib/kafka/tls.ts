import { Failure } from "../failure.ts";
import { trusted } from "./authorities.ts";
import { dial } from "./dial.ts";
import { type Address, addressName, type TlsConfig } from "./config.ts";

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
  const options = {
    hostname,
    caCerts: trusted(authorities),
    // Deno before 2.5 does not know it and still checks the name, which is the safe side.
    unsafelyDisableHostnameVerification: !checkHostname,
  };
  let conn: Deno.Conn;
  if (identity) {
    // The only way to show a client certificate; it leaves Nagle's algorithm on, so
    // that a second small write waits for the answer to the first, 40 ms with Linux.
    const { certificates: cert, key } = identity;
    conn = await Deno.connectTls({ ...options, port, cert, key: key.reveal() });
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
    throw explainTls(error, address, identity !== null) ?? error;
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
  if (alert !== undefined) return refused(alert, name, hasIdentity);
  if (text.includes("InvalidContentType") || text.includes("corrupt message")) {
    return new Failure("broker", `${name} does not use TLS — check security.protocol`);
  }
  const [, problem] = /invalid peer certificate: (.*)/s.exec(text) ?? [];
  return problem === undefined ? null : untrusted(problem, name, address.host);
}

function refused(alert: string, name: string, hasIdentity: boolean): Failure | null {
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
  return null;
}

function untrusted(problem: string, name: string, host: string): Failure {
  const { why, cause } = distrust(problem, host);
  const todo = {
    authority: " — set ssl.ca.location to its authority's PEM",
    name:
      " — connect by a name in the certificate (brokers advertise theirs in advertised.listeners), or " +
      "set ssl.endpoint.identification.algorithm=none",
    other: "",
  }[cause];
  return new Failure("denied", `cannot trust the certificate of ${name}: ${why}${todo}`);
}

/** Why rustls does not trust the certificate of `host`, in words, and what that is about. */
export function distrust(
  problem: string,
  host: string,
): { why: string; cause: "authority" | "name" | "other" } {
  if (problem.startsWith("UnknownIssuer")) {
    return { why: "no trusted authority has signed it", cause: "authority" };
  }
  if (/^(certificate )?not valid for name|^NotValidForName/i.test(problem)) {
    const names = [...problem.matchAll(/(?:DnsName|IpAddress)\("?([^")]+)"?\)/g)].map((m) => m[1]);
    const valid = names.length > 0 ? ` but for ${names.join(", ")}` : "";
    return { why: `it is not for "${host}"${valid}`, cause: "name" };
  }
  const why = /expired/i.test(problem)
    ? "it has expired"
    : /not valid yet|NotValidYet/i.test(problem)
    ? "it is not valid yet"
    : problem.includes("CaUsedAsEndEntity")
    ? "it is the certificate of an authority, not of a host; let the authority sign one for the host"
    : problem;
  return { why, cause: "other" };
}
