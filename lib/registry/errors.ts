import { Failure } from "../failure.ts";
import { dial } from "../kafka/dial.ts";

/** A try that failed in a way which another one may not: a registry that is down or overloaded. */
export class PassingError extends Error {
  override readonly name = "PassingError";
  /** When the registry says that it may be asked again, milliseconds from now. */
  readonly retryAfter: number;

  constructor(message: string, retryAfter = 0) {
    super(message);
    this.retryAfter = retryAfter;
  }
}

const LONGEST = 200;

/** Text from a registry, for a message: in one line, and not long. */
export function inLine(text: string): string {
  // deno-lint-ignore no-control-regex
  const line = text.replaceAll(/[\x00-\x1f\x7f-\x9f\u2028\u2029]+/g, " ").trim();
  return line.length > LONGEST ? `${line.slice(0, LONGEST)}…` : line;
}

const certificates =
  "schema.registry.ssl.certificate.location and schema.registry.ssl.key.location";

/**
 * What an error of `fetch` means, and what to do. Returns a Failure if another try cannot help.
 * `name` is the registry's URL; of the runtime's text, which has the URL too, only the cause is shown.
 */
export function explainFetch(
  error: unknown,
  name: string,
  hasIdentity: boolean,
): Failure | PassingError {
  const text = causes(error);
  const [, alert] = /received fatal alert: (\w+)/.exec(text) ?? [];
  if (alert !== undefined && /Certificate|UnknownCA|AccessDenied|DecryptError/.test(alert)) {
    const why = hasIdentity
      ? `${name} rejects the client certificate of schema.registry.ssl.certificate.location`
      : `${name} requires a client certificate — set ${certificates}`;
    return new Failure("denied", `${why} (TLS alert ${alert})`);
  }
  if (alert !== undefined) {
    const also = hasIdentity ? "" : `, or requires a client certificate: set ${certificates}`;
    const what = "shares no TLS version and cipher with this client, which uses TLS 1.2 and 1.3";
    return new Failure("broker", `${name} ${what}${also} (TLS alert ${alert})`);
  }
  if (/InvalidContentType|corrupt message/.test(text)) {
    return new Failure("broker", `${name} does not use TLS — write http:// in its URL`);
  }
  if (/invalid HTTP version|invalid HTTP (method|header|status)|InvalidMessage/i.test(text)) {
    const https = name.startsWith("http:") ? " — if it uses TLS, write https:// in its URL" : "";
    return new Failure("broker", `${name} does not answer as an HTTP server does${https}`);
  }
  const [, port] = /Requests to port (\d+) are blocked/.exec(text) ?? [];
  if (port !== undefined) {
    return new Failure("usage", `${name}: HTTP cannot be used with port ${port} — use another one`);
  }
  const closed = /close_notify|before message completed|reading a body|unexpected (end|eof)/i.test(
    text,
  );
  if (!closed) return new PassingError(`${name} does not answer: ${inLine(reason(text))}`);
  // Not every server says so with an alert.
  const why = hasIdentity ? "; it may not accept the client certificate" : "";
  return new PassingError(`${name} closes the connection before it has answered${why}`);
}

/**
 * The same, of a registry whose certificate is not trusted; of other errors null. `trusted` is PEM.
 */
export async function explainDistrust(
  error: unknown,
  base: string,
  trusted: readonly string[],
): Promise<Failure | null> {
  const { hostname, port } = new URL(base);
  const host = hostname.replace(/^\[(.*)\]$/, "$1");
  const { untrusted } = await import("../kafka/distrust.ts");
  return await untrusted(causes(error), {
    name: base,
    host,
    trusted,
    setting: "schema.registry.ssl.ca.location",
    otherName: "use a URL with a name that is in the certificate",
    noName: null,
    connect: () => dial({ host, port: Number(port || 443) }),
  });
}

/** The error's text and its causes'. */
function causes(error: unknown): string {
  const texts: string[] = [];
  for (let at = error, depth = 0; at !== undefined && depth < 5; depth++) {
    texts.push(at instanceof Error ? at.message : String(at));
    at = at instanceof Error ? at.cause : undefined;
  }
  return texts.join(": ");
}

/** The last and innermost part: `Connection refused`. */
function reason(text: string): string {
  const plain = text.replaceAll(/ \(os error \d+\)/g, "");
  const [, dns] = /dns error: .*?(?:information: )?([^:]+)$/s.exec(plain) ?? [];
  if (dns !== undefined) return `its host name is not known: ${dns}`;
  return plain.split(": ").at(-1)!;
}
