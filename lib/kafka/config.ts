import type { Secret } from "../secret.ts";

/** The value of an environment variable. */
export type Env = (name: string) => string | undefined;

/** How to reach a cluster. */
export interface ClientConfig {
  /** Where to ask first, `host:port` each. */
  brokers: string[];
  /** Shown in the brokers' logs and quotas. */
  clientId: string;
  /**
   * Longest wait for a broker: for an answer, and for a leader or coordinator to be found;
   * milliseconds.
   */
  timeout: number;
  /** Gets a line for each step: brokers asked, leaders moved, tries repeated. */
  debug: (line: string) => void;
  /** Null: what is sent and read goes over the wire as it is. */
  tls: TlsConfig | null;
  /** Null: no login. */
  sasl: SaslConfig | null;
}

/** What proves that a broker is the right one, and this client a known one. All PEM. */
export interface TlsConfig {
  /** The authorities trusted, and no others; without any, those that the host trusts. */
  authorities: string[];
  /** The client's certificate, with those between it and its authority, and its key. */
  identity: { certificates: string; key: Secret } | null;
  /** Whether the broker's certificate must name the host that was connected to. */
  checkHostname: boolean;
}

export const saslMechanisms = [
  "PLAIN",
  "SCRAM-SHA-256",
  "SCRAM-SHA-512",
  "GSSAPI",
  "OAUTHBEARER",
] as const;

export type SaslMechanism = typeof saslMechanisms[number];

/** A user's name and password. */
export interface UserConfig {
  username: string;
  password: Secret;
}

export interface PlainConfig extends UserConfig {
  mechanism: "PLAIN";
}

export interface ScramConfig extends UserConfig {
  mechanism: "SCRAM-SHA-256" | "SCRAM-SHA-512";
  /** Whether name and password are the id and the HMAC of a delegation token (KIP-48). */
  tokenauth: boolean;
}

export interface BearerConfig {
  mechanism: "OAUTHBEARER";
  /** Where its tokens come from, for messages: `https://idp/token`, `its file`. */
  from: string;
  /**
   * Asked for at each login on the broker of this host, so that a token which was renewed meanwhile
   * is the one used; takes `limit` milliseconds at most. Throws ConnectionError if another try may
   * help, else Failure.
   */
  token: (host: string, limit: number) => Promise<Secret>;
  extensions: Record<string, string>;
}

/** Kerberos: a principal, by its keytab or by a ticket that somebody else got. */
export interface GssapiConfig {
  mechanism: "GSSAPI";
  /** The first part of the brokers' principals, `kafka` of `kafka/host@REALM`. */
  service: string;
  /** Null: that of the ticket, or the first one of the keytab. */
  principal: string | null;
  /** The path of its keytab; null: a ticket cache is used. */
  keytab: string | null;
  /** A ticket cache as Kerberos names it; null: its default one. */
  ticketCache: string | null;
}

/** How to log in. */
export type SaslConfig = PlainConfig | ScramConfig | BearerConfig | GssapiConfig;

/** One broker's address. */
export interface Address {
  host: string;
  port: number;
}

/** `host:port`, an IPv6 host in brackets. */
export function addressName({ host, port }: Address): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/**
 * Reads `host`, `host:port` or `[ipv6]:port`; without a port it is 9092. Null if it is not one of
 * these, or the host can't be one: no server will ever be found by it.
 */
export function parseAddress(text: string): Address | null {
  const match = /^(?:\[([0-9a-fA-F:.]+(?:%[\w.-]+)?)\]|([^:]+))(?::(\d{1,5}))?$/.exec(text);
  if (!match) return null;
  const [, ipv6, name] = match;
  const port = match[3] === undefined ? 9092 : Number(match[3]);
  if (port < 1 || port > 65535) return null;
  const zoneless = ipv6?.replace(/%.*/, "");
  if (ipv6 === undefined ? !isHost(name) : !URL.canParse(`http://[${zoneless}]`)) return null;
  return { host: ipv6 ?? name, port };
}

/**
 * A name as hosts have them (RFC 1123, with the underscores that Docker uses), or an IPv4 address.
 */
function isHost(name: string): boolean {
  const labels = name.replace(/\.$/, "").split(".");
  if (name.length > 253 || !labels.every((label) => LABEL.test(label))) return false;
  // What ends in a number is an address, or nothing.
  if (!/^\d+$/.test(labels.at(-1)!)) return true;
  return labels.length === 4 && labels.every((label) => /^\d{1,3}$/.test(label) && +label < 256);
}

const LABEL = /^[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$/;
