/**
 * Signature Version 4 of AWS: a request's signature in a header, or in its URL
 * (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html).
 */
import type { Secret } from "../../secret.ts";

export interface AwsCredentials {
  accessKeyId: string;
  secretAccessKey: Secret;
  sessionToken: Secret | null;
  /** Milliseconds since 1970; null if they have no end. */
  expires: number | null;
}

/** What is signed, and as what. */
export interface Signing {
  method: "GET" | "POST";
  url: string;
  /** Signed beside the host; names in lower case. */
  headers: Record<string, string>;
  body: string;
  region: string;
  service: string;
  credentials: AwsCredentials;
  at: Date;
}

const ALGORITHM = "AWS4-HMAC-SHA256";

/** The headers of a signed request: those given, and those of the signature. */
export async function signedHeaders(signing: Signing): Promise<Record<string, string>> {
  const { headers, credentials: { accessKeyId, sessionToken }, at } = signing;
  const all: Record<string, string> = {
    ...headers,
    "x-amz-date": amzDate(at),
    ...(sessionToken ? { "x-amz-security-token": sessionToken.reveal() } : {}),
  };
  const url = new URL(signing.url);
  const { signature, names } = await sign({ ...signing, headers: all }, url);
  const credential = `${accessKeyId}/${scope(signing)}`;
  const authorization =
    `${ALGORITHM} Credential=${credential}, SignedHeaders=${names}, Signature=${signature}`;
  return { ...all, authorization };
}

/** The URL with its signature in it, good for `seconds`. */
export async function presignedUrl(signing: Signing, seconds: number): Promise<string> {
  const { credentials: { accessKeyId, sessionToken }, headers, at } = signing;
  const url = new URL(signing.url);
  const parameters = {
    "X-Amz-Algorithm": ALGORITHM,
    "X-Amz-Credential": `${accessKeyId}/${scope(signing)}`,
    "X-Amz-Date": amzDate(at),
    "X-Amz-Expires": String(seconds),
    ...(sessionToken ? { "X-Amz-Security-Token": sessionToken.reveal() } : {}),
    "X-Amz-SignedHeaders": ["host", ...Object.keys(headers)].sort().join(";"),
  };
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  const { signature } = await sign(signing, url);
  return `${url.origin}${url.pathname}?${canonicalQuery(url)}&X-Amz-Signature=${signature}`;
}

async function sign(signing: Signing, url: URL): Promise<{ signature: string; names: string }> {
  const { method, headers, body, region, service, credentials, at } = signing;
  const signed = Object.entries({ host: url.host, ...headers }).sort(([a], [b]) => a < b ? -1 : 1);
  const names = signed.map(([name]) => name).join(";");
  const request = [
    method,
    url.pathname,
    canonicalQuery(url),
    ...signed.map(([name, value]) => `${name}:${value.trim().replaceAll(/ +/g, " ")}`),
    "",
    names,
    await sha256(body),
  ].join("\n");
  const toSign = [ALGORITHM, amzDate(at), scope(signing), await sha256(request)].join("\n");
  let key = bytes(`AWS4${credentials.secretAccessKey.reveal()}`);
  for (const part of [day(at), region, service, "aws4_request"]) key = await hmac(key, part);
  return { signature: hex(await hmac(key, toSign)), names };
}

/** Sorted by the encoded name; %20 for a space, and every character encoded that RFC 3986 lets be. */
function canonicalQuery(url: URL): string {
  return [...url.searchParams].map((pair) => pair.map(encode).join("=")).sort().join("&");
}

function encode(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function scope({ at, region, service }: Signing): string {
  return `${day(at)}/${region}/${service}/aws4_request`;
}

/** `20130524T000000Z`. */
function amzDate(at: Date): string {
  return at.toISOString().replaceAll(/[-:]|\.\d+/g, "");
}

function day(at: Date): string {
  return amzDate(at).slice(0, 8);
}

type Bytes = Uint8Array<ArrayBuffer>;

function bytes(text: string): Bytes {
  return new TextEncoder().encode(text) as Bytes;
}

async function hmac(key: Bytes, text: string): Promise<Bytes> {
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const imported = await crypto.subtle.importKey("raw", key, algorithm, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", imported, bytes(text)));
}

async function sha256(text: string): Promise<string> {
  return hex(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes(text))));
}

function hex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
