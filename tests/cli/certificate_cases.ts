/** Certificates of servers, and what is said of each that is not trusted. */
import { programDeno } from "../support/cli.ts";
import { type Made, make, ofAuthority, type Recipe } from "../support/openssl.ts";

export const san = ["subjectAltName=DNS:localhost,IP:127.0.0.1"];

export interface Case {
  what: string;
  /** The server's certificate; signed by `ca` unless told. */
  own: Recipe;
  /** Those that the server sends after it. */
  chain?: string[];
  /** The authority that is trusted, by name (ca). */
  trusted?: string;
  host?: string;
  /** Why and what to do, as the consumer says it; null: it is trusted. */
  broker: RegExp | null;
  /** As for a registry and a database, where that is something else. */
  others?: RegExp;
}

/** Authorities, good and bad, by name. */
export async function authorities(folder: string): Promise<Record<string, Made>> {
  const one = (name: string, recipe: Recipe) =>
    make(folder, name, { cn: name, extensions: ofAuthority, ...recipe });
  const ca = await one("ca", {});
  return {
    ca,
    middle: await one("middle", { by: ca }),
    expiredMiddle: await one("expiredMiddle", { by: ca, days: -1 }),
    oldMiddle: await one("oldMiddle", { by: ca, hash: "-sha1" }),
    expiredRoot: await one("expiredRoot", { days: -1 }),
    weakRoot: await one("weakRoot", { key: "rsa:1024" }),
    stranger: await one("stranger", {}),
    // The same name, another key.
    newCa: await one("newCa", { cn: "ca" }),
  };
}

export function cases(made: Record<string, Made>): Case[] {
  const { ca, middle, expiredMiddle, oldMiddle, expiredRoot, weakRoot, stranger, newCa } = made;
  const unchecked = programDeno().startsWith("2.4.")
    ? "$"
    : ", or set ssl\\.endpoint\\.identification\\.algorithm=none$";
  const day = "\\d{4}-\\d\\d-\\d\\d";
  return [
    { what: "a good one", own: { extensions: san, key: "rsa:2048" }, broker: null },
    {
      what: "a good one, by its address",
      own: { extensions: san },
      host: "127.0.0.1",
      broker: null,
    },
    {
      what: "a name in CN only",
      own: { extensions: ["basicConstraints=CA:FALSE"] },
      broker: new RegExp(
        "it names no host in subjectAltName, and a name in its CN does not count — have it issued " +
          `with subjectAltName=DNS:localhost${unchecked}`,
      ),
      others: /CN does not count — have it issued with subjectAltName=DNS:localhost$/,
    },
    {
      what: "X.509 version 1",
      own: {},
      broker:
        /it is of X\.509 version 1, which has no names of hosts — have it issued as version 3/,
    },
    {
      what: "signed with SHA-1",
      own: { extensions: san, hash: "-sha1", key: "rsa:2048" },
      broker:
        /: it is signed with SHA-1, which is not accepted any more — have it issued with SHA-256$/,
    },
    {
      what: "an authority signed with SHA-1",
      own: { extensions: san, by: oldMiddle },
      chain: ["oldMiddle"],
      broker: /: the certificate of its authority "oldMiddle" is signed with SHA-1, which/,
    },
    {
      what: "an RSA key of 1024 bits",
      own: { extensions: san, key: "rsa:1024" },
      broker:
        /: the RSA key of "localhost" has 1024 bits, and less than 2048 are not accepted — have/,
    },
    {
      what: "an authority with an RSA key of 1024 bits",
      own: { extensions: san, by: weakRoot },
      trusted: "weakRoot",
      broker:
        /: the RSA key of "weakRoot" has 1024 bits, and less than 2048 are not accepted — have/,
    },
    {
      what: "an authority that was recreated",
      own: { extensions: san, by: newCa },
      broker:
        /: its authority "ca" has the name of a trusted one, and another key — set ssl\.ca\.location/,
      others:
        /another key — set (schema\.registry\.ssl\.ca\.location|sslrootcert) to the PEM of the/,
    },
    {
      what: "a chain",
      own: { extensions: san, by: middle },
      chain: ["middle"],
      broker: null,
    },
    {
      what: "a missing intermediate",
      own: { extensions: san, by: middle },
      broker:
        /: no trusted authority has signed it: "middle" has, and the server does not send the certificate of that — set ssl\.ca\.location to the PEM of "middle", or, if its root is trusted, let the server send its whole chain$/,
      others: /: "middle" has, and the server does not send/,
    },
    {
      what: "the same, as the remedy says",
      own: { extensions: san, by: middle },
      trusted: "middle",
      broker: null,
    },
    {
      what: "an authority not trusted, which the server sends",
      own: { extensions: san, by: stranger },
      chain: ["stranger"],
      broker:
        /signed it: it comes from "stranger" — set ssl\.ca\.location to the PEM of "stranger"$/,
      others: /signed it: it comes from "stranger" — set/,
    },
    {
      what: "expired",
      own: { extensions: san, days: -1 },
      broker: new RegExp(`: it expired on ${day} — renew it on the server$`),
    },
    {
      what: "an expired authority that the server sends",
      own: { extensions: san, by: expiredMiddle },
      chain: ["expiredMiddle"],
      broker: new RegExp(
        `: the certificate of its authority "expiredMiddle", which the server sends, expired on ${day} — renew`,
      ),
    },
    {
      // As with Java. OpenSSL's clients reject it.
      what: "an expired authority that is trusted",
      own: { extensions: san, by: expiredRoot },
      trusted: "expiredRoot",
      broker: null,
    },
    {
      what: "another host",
      own: { extensions: ["subjectAltName=DNS:a.example,IP:10.0.0.1,IP:fe80::1"] },
      broker:
        /: it is not for "localhost" but for a\.example, 10\.0\.0\.1, fe80::1 — connect by a name/,
      others: /but for a\.example, 10\.0\.0\.1, fe80::1 — (connect by|use a URL with) a name/,
    },
    {
      what: "an address in the certificate only",
      own: { extensions: ["subjectAltName=IP:127.0.0.1"] },
      broker:
        /: it is not for "localhost" but for 127\.0\.0\.1 — connect by a name in the certificate/,
      others: /: it is not for "localhost" but for 127\.0\.0\.1 — /,
    },
    {
      what: "an address in the certificate",
      own: { extensions: ["subjectAltName=IP:127.0.0.1"] },
      host: "127.0.0.1",
      broker: null,
    },
    {
      what: "an address as the name of a host",
      own: { extensions: ["subjectAltName=DNS:127.0.0.1"] },
      host: "127.0.0.1",
      broker: new RegExp(
        ': it has "127\\.0\\.0\\.1" as the name of a host \\(DNS\\), not as an address \\(IP\\) — have it ' +
          `issued with subjectAltName=IP:127\\.0\\.0\\.1${unchecked}`,
      ),
      others:
        /\(DNS\), not as an address \(IP\) — have it issued with subjectAltName=IP:127\.0\.0\.1$/,
    },
    {
      what: "for clients",
      own: { extensions: [...san, "extendedKeyUsage=clientAuth"] },
      broker: /: it is not for servers \(extendedKeyUsage\) — have it issued with serverAuth$/,
    },
    {
      what: "of an authority",
      own: { extensions: [...san, ...ofAuthority] },
      broker: /: it is the certificate of an authority, not of a host — let the authority sign one/,
    },
  ].map((one) => ({ ...one, own: { by: ca, ...one.own } }));
}
