import { isIP } from "node:net";
import { Failure } from "../failure.ts";
import { plain } from "../text.ts";
import { peerChain, read, type ShownCertificate } from "./peer_chain.ts";

/** A server whose certificate is not trusted, and what may be done about it. */
export interface Untrusted {
  /** As messages name it. */
  name: string;
  /** What the certificate must be for. */
  host: string;
  /** The authorities that were trusted, PEM. */
  trusted: readonly string[];
  /** Which property sets them. */
  setting: string;
  /** What helps if the certificate is for other hosts. */
  otherName: string;
  /** What helps if it is for no host at all, beside a new one; null: nothing. */
  noName: string | null;
  /** Opens a connection on which TLS can begin. */
  connect(): Promise<Deno.Conn>;
}

/** How long the certificates of a server are waited for, milliseconds. */
const PATIENCE = 1000;

/**
 * What to report if an error of the TLS layer says that a server's certificate is not trusted;
 * null if it is another error. The text of rustls has no more than a word for most reasons, so the
 * server is asked for its certificates once more.
 */
export async function untrusted(error: unknown, server: Untrusted): Promise<Failure | null> {
  const problem = peerProblem(error);
  if (problem === null) return null;
  const isComplete = /^(certificate )?not valid for name|^NotValidForName/i.test(problem);
  const chain = isComplete ? null : await peerChain(server.connect, server.host, PATIENCE);
  const { why, todo } = distrust(problem, server, chain);
  return new Failure("denied", `cannot trust the certificate of ${server.name}: ${why} — ${todo}`);
}

/** Why rustls does not trust a server, in its words; null if an error does not say this. */
export function peerProblem(error: unknown): string | null {
  const text = error instanceof Error ? error.message : String(error);
  return /invalid peer certificate: (.*)/s.exec(text)?.[1] ?? null;
}

interface Reason {
  why: string;
  todo: string;
}

/** Why a certificate is not trusted, and what to do. Without the `chain` some causes are guessed. */
export function distrust(
  problem: string,
  server: Omit<Untrusted, "connect">,
  chain: readonly ShownCertificate[] | null,
  now = Date.now(),
): Reason {
  const is = (pattern: RegExp) => pattern.test(problem);
  if (is(/^(certificate )?not valid for name|^NotValidForName/i)) return wrongName(problem, server);
  if (is(/^UnknownIssuer/)) return unknownIssuer(server, chain);
  if (is(/expired/i)) return expired(chain, now);
  if (is(/not valid yet|NotValidYet/i)) return notYet(chain, now);
  if (is(/^BadSignature|^InvalidSignature/)) return badSignature(server, chain);
  if (is(/UnsupportedSignatureAlgorithm/)) return oldHash(chain);
  if (is(/UnsupportedCertVersion/)) return oldVersion(server, chain);
  if (is(/CaUsedAsEndEntity/)) {
    return {
      why: "it is the certificate of an authority, not of a host",
      todo: "let the authority sign one for the host",
    };
  }
  if (is(/InvalidPurpose|ExtendedKeyUsage|extended key usage/i)) {
    return {
      why: "it is not for servers (extendedKeyUsage)",
      todo: "have it issued with serverAuth",
    };
  }
  const words = plain(problem.replace(/^Other\(OtherError\((.*)\)\)$/, "$1"));
  return {
    why: words.length > 100 ? `${words.slice(0, 100)}…` : words,
    todo: "have a new one issued",
  };
}

/** What a certificate must have to be for a host, as openssl writes it. */
function nameFor(host: string): string {
  return `subjectAltName=${isIP(host) ? "IP" : "DNS"}:${host}`;
}

function wrongName(problem: string, { host, otherName, noName }: Omit<Untrusted, "connect">) {
  const issue = `have it issued with ${nameFor(host)}`;
  if (/not valid for any names/.test(problem)) {
    return {
      why: "it names no host in subjectAltName, and a name in its CN does not count",
      todo: issue + (noName === null ? "" : `, or ${noName}`),
    };
  }
  const names = [...problem.matchAll(/(DnsName|IpAddress)\("?([^")]+)"?\)/g)];
  if (isIP(host) && names.some(([, kind, name]) => kind === "DnsName" && name === host)) {
    return {
      why: `it has "${host}" as the name of a host (DNS), not as an address (IP)`,
      todo: issue + (noName === null ? "" : `, or ${noName}`),
    };
  }
  const others = names.length > 0 ? ` but for ${names.map(([, , name]) => name).join(", ")}` : "";
  return { why: `it is not for "${host}"${plain(others)}`, todo: otherName };
}

function unknownIssuer({ setting, trusted }: Omit<Untrusted, "connect">, chain: Chain): Reason {
  const why = "no trusted authority has signed it";
  const top = chain && topOf(chain);
  if (!top || isTrusted(top.issuer, trusted)) {
    const todo = `set ${setting} to its authority's PEM; the server must send the certificates ` +
      "of those between";
    return { why, todo };
  }
  const issuer = nameOf(top.issuer);
  if (top.issuer === top.subject) {
    return top === chain[0]
      ? { why: `${why}: it is signed by itself`, todo: `set ${setting} to its own PEM` }
      : { why: `${why}: it comes from ${issuer}`, todo: `set ${setting} to the PEM of ${issuer}` };
  }
  return {
    why: `${why}: ${issuer} has${top === chain[0] ? "" : " at its top"}, and the server does not ` +
      "send the certificate of that",
    todo:
      `set ${setting} to the PEM of ${issuer}, or, if its root is trusted, let the server send ` +
      "its whole chain",
  };
}

function expired(chain: Chain, now: number): Reason {
  const at = chain?.findIndex(({ until }) => until < now) ?? -1;
  if (at === -1) {
    return {
      why: "it is expired, or the certificate of an authority that the server sends with it",
      todo: "renew it on the server",
    };
  }
  const { until, subject } = chain![at];
  return {
    why: at === 0
      ? `it expired on ${day(until)}`
      : `the certificate of its authority ${nameOf(subject)}, which the server sends, expired on ` +
        day(until),
    todo: "renew it on the server",
  };
}

function notYet(chain: Chain, now: number): Reason {
  const first = chain?.find(({ from }) => from > now);
  const until = first ? ` before ${new Date(first.from).toISOString().slice(0, 16)}Z` : " yet";
  return { why: `it is not valid${until}`, todo: "compare the clocks of this host and the server" };
}

function badSignature({ setting, trusted }: Omit<Untrusted, "connect">, chain: Chain): Reason {
  const authorities = trustedCertificates(trusted);
  const top = chain && topOf(chain);
  const above = authorities.filter(({ subject }) => subject === top?.issuer);
  const weak = [...chain ?? [], ...above].find(({ bits }) => bits !== null && bits < 2048);
  if (weak) {
    return {
      why: `the RSA key of ${nameOf(weak.subject)} has ${weak.bits} bits, and less than 2048 are ` +
        "not accepted",
      todo: "have it issued with a longer key",
    };
  }
  if (above.length > 0) {
    const issuer = nameOf(top!.issuer);
    return {
      why: `its authority ${issuer} has the name of a trusted one, and another key`,
      todo: `set ${setting} to the PEM of the ${issuer} that signs now`,
    };
  }
  return {
    why:
      "its signature is wrong: its key or its authority's is RSA with less than 2048 bits, or the " +
      "authority has the name of a trusted one, and another key",
    todo: `compare it with ${setting} (openssl x509 -text)`,
  };
}

function oldHash(chain: Chain): Reason {
  const old = chain?.find(({ oldHash }) => oldHash !== null);
  const todo = "have it issued with SHA-256";
  if (!old) {
    return {
      why: "it, or one that the server sends with it, is signed with an algorithm that is not " +
        "accepted, such as SHA-1",
      todo,
    };
  }
  const what = old === chain![0] ? "it" : `the certificate of its authority ${nameOf(old.subject)}`;
  return { why: `${what} is signed with ${old.oldHash}, which is not accepted any more`, todo };
}

function oldVersion({ host }: Omit<Untrusted, "connect">, chain: Chain): Reason {
  const old = chain?.find(({ version }) => version !== 3);
  const what = !old || old === chain![0]
    ? "it"
    : `the certificate of its authority ${nameOf(old.subject)}`;
  return {
    why: `${what} is of X.509 version 1, which has no names of hosts`,
    todo: `have it issued as version 3, with ${nameFor(host)} (openssl x509 -req -extfile FILE)`,
  };
}

type Chain = readonly ShownCertificate[] | null;

/** The last certificate of the way up from the server's own that is among those shown. */
function topOf(chain: readonly ShownCertificate[]): ShownCertificate | undefined {
  let top = chain[0];
  for (let depth = 0; depth < chain.length; depth++) {
    if (top.issuer === top.subject) break;
    top = chain.find(({ subject }) => subject === top.issuer) ?? top;
  }
  return top;
}

function isTrusted(name: string, trusted: readonly string[]): boolean {
  return trustedCertificates(trusted).some(({ subject }) => subject === name);
}

function trustedCertificates(trusted: readonly string[]): ShownCertificate[] {
  const blocks = trusted.join("\n").matchAll(
    /-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----/g,
  );
  return [...blocks].flatMap(([, base64]) => {
    try {
      return [read(Uint8Array.from(atob(base64.replaceAll(/\s/g, "")), (c) => c.charCodeAt(0)))];
    } catch {
      return [];
    }
  });
}

/** A name of X.500 for a message: its CN, or all of it without one. */
function nameOf(name: string): string {
  const common = /(?:^|\n|, )CN\s?=\s?(.*?)(?:\n|$)/.exec(name)?.[1] ?? name.replaceAll("\n", ", ");
  const text = plain(common);
  return `"${text.length > 80 ? `${text.slice(0, 80)}…` : text}"`;
}

function day(at: number): string {
  return Number.isNaN(at) ? "an unknown day" : new Date(at).toISOString().slice(0, 10);
}
