/** How to reach a cluster. */
export interface ClientConfig {
  /** Where to ask first, `host:port` each. */
  brokers: string[];
  /** Shown in the brokers' logs and quotas. */
  clientId: string;
  /** Longest wait for a broker: for an answer, and for a leader or coordinator to be found; milliseconds. */
  timeout: number;
  /** Told what a run goes through: brokers asked, leaders moved, tries repeated. */
  debug: (line: string) => void;
}

/** One broker's address. */
export interface Address {
  host: string;
  port: number;
}

/** `host:port`, an IPv6 host in brackets. */
export function addressName({ host, port }: Address): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Reads `host`, `host:port` or `[ipv6]:port`; without a port it is 9092. Null where it is none of these. */
export function parseAddress(text: string): Address | null {
  const match = /^(?:\[([0-9a-fA-F:.%]+)\]|([^\s:,/[\]]+))(?::(\d{1,5}))?$/.exec(text);
  if (!match) return null;
  const port = match[3] === undefined ? 9092 : Number(match[3]);
  if (port < 1 || port > 65535) return null;
  return { host: match[1] ?? match[2], port };
}
