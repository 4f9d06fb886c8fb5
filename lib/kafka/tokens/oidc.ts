/** Tokens from the token endpoint of an identity provider: KIP-768, RFC 6749 and RFC 7523. */
import { Failure } from "../../failure.ts";
import { Secret } from "../../secret.ts";
import { type Answer, ask, jsonObject, reasonIn, shownUrl } from "./ask.ts";
import { bearerToken, claimsOf, instant } from "./jwt.ts";
import type { Token } from "./token.ts";

export const JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const CLIENT_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/** What a token is asked for with, and where. */
export interface TokenEndpoint {
  url: string;
  /** PEM; without any, those of the host. */
  authorities: string[];
  /** How long its answer is waited for at most, milliseconds. */
  timeout: number;
  grant: "client_credentials" | typeof JWT_BEARER;
  clientId: string | null;
  /** Null if an assertion proves who the client is. */
  clientSecret: Secret | null;
  /** A JWT that is signed with the client's key; asked for each time, for it has an end. */
  assertion: (() => Promise<Secret>) | null;
  scope: string | null;
  /** Whether id and secret are URL-encoded before base64, as RFC 6749 has it and few servers. */
  urlencodeHeader: boolean;
}

const failed = "cannot get a token";

/** Asks for a token. Throws ConnectionError if another try may help, else Failure. */
export async function fetchToken(endpoint: TokenEndpoint, limit: number): Promise<Token> {
  const { url, authorities } = endpoint;
  const issued = Date.now();
  const answer = await ask({
    failed,
    url,
    method: "POST",
    headers: {
      "accept": "application/json",
      "content-type": "application/x-www-form-urlencoded",
      ...authorization(endpoint),
    },
    body: await form(endpoint),
    authorities,
    authoritiesName: "https.ca.location",
    limit: Math.min(limit, endpoint.timeout),
  });
  return tokenOf(answer, shownUrl(url), issued, endpoint.grant === JWT_BEARER);
}

/** RFC 6749, section 2.3.1. */
function authorization(endpoint: TokenEndpoint): Record<string, string> {
  const { clientId, clientSecret, assertion, urlencodeHeader } = endpoint;
  if (assertion || !clientSecret) return {};
  const encode = urlencodeHeader ? urlencoded : (text: string) => text;
  const pair = `${encode(clientId ?? "")}:${encode(clientSecret.reveal())}`;
  const text = String.fromCharCode(...new TextEncoder().encode(pair));
  // Kept as a secret too: it is the same one in other words.
  return { authorization: `Basic ${new Secret(btoa(text)).reveal()}` };
}

function urlencoded(text: string): string {
  return new URLSearchParams({ "": text }).toString().slice(1);
}

async function form(endpoint: TokenEndpoint): Promise<string> {
  const { grant, clientId, assertion, scope } = endpoint;
  const fields = new URLSearchParams({ grant_type: grant });
  const signed = await assertion?.();
  if (signed && grant === JWT_BEARER) fields.set("assertion", signed.reveal());
  else if (signed) {
    fields.set("client_assertion_type", CLIENT_ASSERTION);
    fields.set("client_assertion", signed.reveal());
    if (clientId) fields.set("client_id", clientId);
  }
  if (scope) fields.set("scope", scope);
  return fields.toString();
}

/**
 * The token in an endpoint's answer. With `orIdToken` an id_token serves if there is no access
 * token, as with Google. Throws Failure.
 */
export function tokenOf(
  { status, type, text }: Answer,
  name: string,
  issued: number,
  orIdToken = false,
): Token {
  const body = jsonObject(text);
  if (status === 401 || status === 403 || (status === 400 && typeof body?.error === "string")) {
    throw new Failure(
      "denied",
      `${failed}: ${name} rejects the client (HTTP ${status})${reasonIn(text)} — check the ` +
        "client's id, secret or assertion, and sasl.oauthbearer.scope",
    );
  }
  const checkUrl = " — check sasl.oauthbearer.token.endpoint.url";
  if (status < 200 || status > 299) {
    const said = reasonIn(text);
    throw new Failure("broker", `${failed}: ${name} answers HTTP ${status}${said}${checkUrl}`);
  }
  if (body === null) {
    throw new Failure("broker", `${failed}: ${name} answers with ${type}, not JSON${checkUrl}`);
  }
  const found = body.access_token ?? (orIdToken ? body.id_token : undefined);
  if (typeof found !== "string" || found === "") {
    throw new Failure("broker", `${failed}: ${name} answers without an access_token${checkUrl}`);
  }
  const secret = bearerToken(found, name);
  const claimed = claimsOf(secret)?.exp;
  const lives = Number(body.expires_in);
  const expires = typeof claimed === "number"
    ? claimed * 1000
    // Without any, it is asked for at each login.
    : issued + (Number.isFinite(lives) ? lives * 1000 : 0);
  if (typeof claimed === "number" && expires <= Date.now()) {
    throw new Failure(
      "denied",
      `the token of ${name} expired at ${instant(expires)} — check the clock of this host ` +
        `(${instant(Date.now())}) and that of the server`,
    );
  }
  return { secret, issued, expires };
}
