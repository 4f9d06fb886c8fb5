/** What HTTP servers that are asked for something have in common: their errors, their answers. */
import { Failure } from "../failure.ts";
import { withoutSecrets } from "../secret.ts";
import { dial } from "./dial.ts";

/** A try that failed in a way which another one may not: a server that is down or overloaded. */
export class PassingError extends Error {
  override readonly name = "PassingError";
  /** When the server says that it may be asked again, milliseconds from now. */
  readonly retryAfter: number;

  constructor(message: string, retryAfter = 0) {
    super(message);
    this.retryAfter = retryAfter;
  }
}

const LONGEST = 200;

/**
 * Text from a server, for a message: in one line, and not long. A secret that the server repeats is
 * taken out before the text is cut: the beginning of one would not be found later.
 */
export function inLine(text: string): string {
  // deno-lint-ignore no-control-regex
  const line = withoutSecrets(text).replaceAll(/[\x00-\x1f\x7f-\x9f\u2028\u2029]+/g, " ").trim();
  return line.length > LONGEST ? `${line.slice(0, LONGEST)}…` : line;
}

/** The properties that decide about the TLS of a server, as messages name them. */
export interface TlsNames {
  /** The authorities: `https.ca.location`. */
  authorities: string;
  /** What they are, PEM. */
  trusted: readonly string[];
  /** The client's certificate: its property, and both with its key; null if none can be set. */
  identity: readonly [certificate: string, both: string] | null;
  /** Whether a client's certificate is set. */
  hasIdentity: boolean;
}

/**
 * What an error of `fetch` means, and what to do. Returns a Failure if another try cannot help.
 * `name` is the server's URL; of the runtime's text, which has the URL too, only the cause is shown.
 */
export async function explainFetch(
  error: unknown,
  name: string,
  { authorities, trusted, identity, hasIdentity }: TlsNames,
): Promise<Failure | PassingError> {
  const text = causes(error);
  const { untrusted } = await import("./distrust.ts");
  const { hostname, port: own } = new URL(name);
  const host = hostname.replace(/^\[(.*)\]$/, "$1");
  const distrusted = await untrusted(text, {
    name,
    host,
    trusted,
    setting: authorities,
    otherName: "use a URL with a name that is in the certificate",
    noName: null,
    connect: () => dial({ host, port: Number(own || 443) }),
  });
  if (distrusted) return distrusted;
  const [, alert] = /received fatal alert: (\w+)/.exec(text) ?? [];
  if (alert !== undefined && /Certificate|UnknownCA|AccessDenied|DecryptError/.test(alert)) {
    const why = hasIdentity
      ? `${name} rejects the client certificate of ${identity![0]}`
      : `${name} requires a client certificate` +
        (identity ? ` — set ${identity[1]}` : ", which is not supported there");
    return new Failure("denied", `${why} (TLS alert ${alert})`);
  }
  if (alert !== undefined) {
    const also = hasIdentity || !identity
      ? ""
      : `, or requires a client certificate: set ${identity[1]}`;
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

/**
 * The body's text; null if it is not UTF-8. Throws Failure (broker) if it has over `largest` bytes.
 */
export async function readBounded(
  response: Response,
  base: string,
  largest: number,
): Promise<string | null> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let text: string | null = "";
  let size = 0;
  const add = (piece?: Uint8Array) => {
    try {
      if (text !== null) {
        text += decoder.decode(piece as Uint8Array<ArrayBuffer>, { stream: !!piece });
      }
    } catch {
      text = null;
    }
  };
  for await (const piece of response.body ?? []) {
    size += piece.length;
    if (size > largest) {
      throw new Failure("broker", `${base} answers with over ${largest / 1024 ** 2} MiB`);
    }
    add(piece);
  }
  add();
  return text;
}
