import { X509Certificate } from "node:crypto";
import tls from "node:tls";
import { trusted } from "../kafka/authorities.ts";
import { type ClientConfig, parseAddress, type TlsConfig } from "../kafka/config.ts";
import { inWords, type Say } from "./findings.ts";

/** Sooner than this an end of validity is a warning, milliseconds. */
const SOON = 30 * 86_400_000;

/** What the properties say of TLS and SASL, and how long the certificates given are valid. */
export function describeSecurity(
  say: Say,
  { tls, sasl }: Pick<ClientConfig, "tls" | "sasl">,
): void {
  const login = sasl === null ? "no login" : `a login with ${sasl.mechanism}`;
  if (tls === null) {
    if (sasl !== null && sasl.mechanism !== "OAUTHBEARER" && sasl.mechanism !== "PLAIN") {
      say("ok", `no TLS, ${login}`);
    } else if (sasl !== null) {
      say("warn", `no TLS, ${login}: the password is sent in clear text`, "use SASL_SSL");
    } else say("ok", "no TLS, no login");
    return;
  }
  const own = tls.authorities.length;
  say(
    "ok",
    `TLS, ${own === 0 ? "the authorities of this host" : `${own} authorities given`}` +
      `${tls.identity ? ", a client certificate" : ""}; ${login}` +
      `${tls.checkHostname ? "" : "; host names are not checked"}`,
  );
  sayExpiry(say, tls);
}

function sayExpiry(say: Say, { authorities, identity }: TlsConfig): void {
  const named: [string, string][] = [
    ...authorities.map((pem): [string, string] => ["the authority", pem]),
    ...(identity ? [["the client certificate", identity.certificates] as [string, string]] : []),
  ];
  for (const [name, pem] of named) {
    let certificate: X509Certificate;
    try {
      certificate = new X509Certificate(pem);
    } catch {
      say("warn", `${name} cannot be read as a certificate`, "check the PEM file");
      continue;
    }
    const [level, text] = expiry(certificate.validTo, Date.now());
    const subject = certificate.subject.replaceAll("\n", ", ");
    if (level !== "ok") say(level, `${name} ${subject} ${text}`, "renew it");
  }
}

/** How long a certificate is still valid, and how bad that is. `until` as OpenSSL writes a date. */
export function expiry(until: string, now: number): ["ok" | "warn" | "fail", string] {
  const end = Date.parse(until);
  if (Number.isNaN(end)) return ["ok", `is valid until ${until}`];
  const day = new Date(end).toISOString().slice(0, 10);
  if (end < now) return ["fail", `expired ${inWords(now - end)} ago, on ${day}`];
  const text = `expires in ${inWords(end - now)}, on ${day}`;
  return [end - now < SOON ? "warn" : "ok", text];
}

/** Looks at the certificate of each bootstrap address, trusted or not: only to read its dates. */
export async function checkBrokerCertificates(say: Say, config: ClientConfig): Promise<true> {
  await Promise.all([...new Set(config.brokers)].map(async (name) => {
    const authorities = trusted(config.tls?.authorities);
    const until = await certificateEnd(parseAddress(name)!, authorities, config.timeout);
    if (until === null) return;
    if (until === "") {
      const { deno } = Deno.version;
      say("ok", `the dates of ${name}'s certificate cannot be read with this build (Deno ${deno})`);
      return;
    }
    const [level, text] = expiry(until, Date.now());
    const todo = level === "ok" ? undefined : "renew it on the broker";
    say(level, `the certificate of ${name} ${text}`, todo);
  }));
  return true;
}

/**
 * When a broker's certificate ends; empty if the runtime does not report it (Deno 2.4), null if
 * there was no handshake. Nothing is sent over this connection, so it need not be trusted.
 */
function certificateEnd(
  { host, port }: { host: string; port: number },
  ca: string[],
  timeout: number,
): Promise<string | null> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => done(null), timeout);
    // Without any authority the runtime ends even such a handshake.
    const socket = tls.connect({ host, port, ca, rejectUnauthorized: false }, () => {
      try {
        done(socket.getPeerCertificate?.()?.valid_to ?? "");
      } catch {
        done("");
      }
    });
    const done = (end: string | null) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(end);
    };
    socket.on("error", () => done(null));
  });
}
