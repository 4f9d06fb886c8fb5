/** What a token is as text, and what a JWT says: RFC 6750, RFC 7519. */
import { Failure } from "../../failure.ts";
import { Secret } from "../../secret.ts";

/** Characters of a claim that are shown. */
const LONGEST_CLAIM = 200;

/** RFC 6750's b64token is all that a bearer token can be; anything else would end up in a log. */
export function bearerToken(text: string, from: string): Secret {
  const token = text.trim();
  if (/^[A-Za-z0-9._~+/-]+=*$/.test(token)) return new Secret(token);
  throw new Failure("usage", `the OAUTHBEARER token of ${from} is not valid`);
}

/** The claims of a JWT (RFC 7519), unchecked: that is the broker's work. Null if it is not one. */
export function claimsOf(token: Secret): Record<string, unknown> | null {
  const [, payload, signature] = token.reveal().split(".");
  if (signature === undefined) return null;
  try {
    const text = atob(payload.replaceAll("-", "+").replaceAll("_", "/"));
    const bytes = Uint8Array.from(text, (char) => char.charCodeAt(0));
    const claims = JSON.parse(new TextDecoder().decode(bytes));
    return typeof claims === "object" && claims !== null ? claims : null;
  } catch {
    return null;
  }
}

/** `2026-01-31T12:00:00Z`; a token may have a number that is not a time. */
export function instant(milliseconds: number): string {
  if (Number.isNaN(new Date(milliseconds).getTime())) return "an impossible time";
  return new Date(milliseconds).toISOString().replace(/\.\d+Z$/, "Z");
}

export function base64url(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** What a JWT says of itself, for the message of a broker that rejects it; empty if it is not one. */
export function describeToken(token: Secret): string {
  const claims = claimsOf(token);
  if (claims === null) return "";
  const { aud, iss, exp } = claims;
  const said = [
    ["its audience is", aud],
    ["its issuer is", iss],
  ].flatMap(([what, value]) => value === undefined ? [] : [`${what} ${shortened(value)}`]);
  if (typeof exp === "number") {
    const over = exp * 1000 <= Date.now();
    said.push(`it ${over ? "expired" : "expires"} at ${instant(exp * 1000)}`);
  }
  return said.join(", ");
}

/** A claim in one line that is not long. */
function shortened(claim: unknown): string {
  const text = JSON.stringify(claim).replaceAll(/[\x7f-\x9f\u2028\u2029]/g, " ");
  return text.length > LONGEST_CLAIM ? `${text.slice(0, LONGEST_CLAIM)}…` : text;
}
