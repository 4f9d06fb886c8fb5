import { X509Certificate } from "node:crypto";
import { parseBrokers } from "../kafka/broker_list.ts";
import type { ClientConfig, TlsConfig } from "../kafka/config.ts";
import type { DoctorOptions } from "./options.ts";
import { expiry } from "./certificate.ts";
import type { Say } from "./findings.ts";
import type { KnownSource } from "./source.ts";

/** A client's own deadlines are a little shorter than a check's, so that it can say why. */
const INNER = 0.9;

/**
 * Reads certificates, keys and credentials, and says what they are. Returns the configuration that
 * the checks after this one use: of the source's own brokers, unless the user named others.
 */
export async function checkSecurity(
  say: Say,
  options: DoctorOptions,
  source: KnownSource | null,
): Promise<ClientConfig> {
  const security = await options.security();
  describeSecurity(say, security);
  const { configFile = null, brokers = null } = source ?? {};
  if (configFile !== null && security.tls === null && security.sasl === null) {
    say(
      "warn",
      `the source's programs read "${configFile}" on their hosts, this run does not`,
      "run doctor with --config and a copy of that file",
    );
  }
  const own = brokers !== null && !options.brokersAreGiven
    ? parseBrokers(brokers, "the source's brokers", null)
    : null;
  const { timeout, brokers: given } = options.config;
  return { ...options.config, ...security, timeout: INNER * timeout, brokers: own ?? given };
}

/** What the properties say of TLS and SASL, and how long the certificates given are valid. */
export function describeSecurity(
  say: Say,
  { tls, sasl }: Pick<ClientConfig, "tls" | "sasl">,
): void {
  const login = sasl === null ? "no login" : `a login with ${sasl.mechanism}`;
  if (sasl?.mechanism === "OAUTHBEARER" && sasl.from.startsWith("http://")) {
    const what = "the client's secret and the token are sent in clear text";
    say("warn", `tokens are fetched from ${sasl.from}: ${what}`, "use an https:// URL");
  }
  if (tls === null) {
    const clear = sasl && ({ PLAIN: "password", OAUTHBEARER: "token" } as Record<string, string>)[
      sasl.mechanism
    ];
    if (clear) say("warn", `no TLS, ${login}: the ${clear} is sent in clear text`, "use SASL_SSL");
    else say("ok", `no TLS, ${login}`);
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
