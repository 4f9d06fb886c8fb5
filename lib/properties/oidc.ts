/** Properties of KIP-768, KIP-1139 and KIP-1258, and those of librdkafka for the same. */
import { Failure } from "../failure.ts";
import type { BearerConfig, Env } from "../kafka/config.ts";
import { ANSWER_TIMEOUT } from "../kafka/tokens/ask.ts";
import { readAssertion, signAssertion } from "../kafka/tokens/assertion.ts";
import { fetchAzureToken } from "../kafka/tokens/azure.ts";
import { fetchToken, JWT_BEARER, type TokenEndpoint } from "../kafka/tokens/oidc.ts";
import { shownUrl } from "../kafka/tokens/ask.ts";
import { defaultRenewal, type Renewal, TokenKeeper } from "../kafka/tokens/token.ts";
import { Secret } from "../secret.ts";
import type { LoginModule } from "./jaas.ts";
import type { Properties } from "./properties.ts";
import { authoritiesOf } from "./security_tls.ts";

type Tokens = Pick<BearerConfig, "from" | "token">;

const ENDPOINT = "sasl.oauthbearer.token.endpoint.url";
const CREDENTIALS = "sasl.oauthbearer.client.credentials.client";
const ASSERTION = "sasl.oauthbearer.assertion";

/** Tokens of a token endpoint. Throws Failure (usage). */
export async function oidcTokens(
  properties: Properties,
  login: LoginModule | null,
  env: Env,
): Promise<Tokens> {
  const url = tokenUrl(properties.get(ENDPOINT)!);
  const option = (name: string) => login?.options.get(name);
  const first = (...names: string[]) => names.map((n) => properties.get(n)).find((text) => text);
  const grant = grantOf(properties);
  const clientId = first("sasl.oauthbearer.client.id", `${CREDENTIALS}.id`) || option("clientId") ||
    env("KAFKA_OAUTHBEARER_CLIENT_ID") || null;
  const secret = first("sasl.oauthbearer.client.secret", `${CREDENTIALS}.secret`) ||
    option("clientSecret") || env("KAFKA_OAUTHBEARER_CLIENT_SECRET");
  const assertion = assertionOf(properties, grant === JWT_BEARER ? null : { clientId, url });
  if (grant === JWT_BEARER && !assertion) {
    throw usage(`sasl.oauthbearer.grant.type ${JWT_BEARER} requires ${ASSERTION}.file or a key`);
  }
  if (grant !== JWT_BEARER && !assertion) {
    if (!clientId) {
      throw usage(
        "sasl.oauthbearer.client.id is not set, nor is env KAFKA_OAUTHBEARER_CLIENT_ID",
      );
    }
    if (!secret) {
      throw usage(
        "sasl.oauthbearer.client.secret is not set, nor is env KAFKA_OAUTHBEARER_CLIENT_SECRET",
      );
    }
  }
  const endpoint: TokenEndpoint = {
    ...{ url, grant, clientId, assertion },
    authorities: await httpsAuthorities(properties, login),
    timeout: timeoutOf(properties),
    clientSecret: secret ? new Secret(secret) : null,
    scope: properties.get("sasl.oauthbearer.scope") || option("scope") || null,
    urlencodeHeader: flag(properties, "sasl.oauthbearer.header.urlencode"),
  };
  const keeper = new TokenKeeper((limit) => fetchToken(endpoint, limit), renewal(properties));
  return { from: shownUrl(url), token: (_host, limit) => keeper.get(limit) };
}

/** Tokens of the managed identity of a machine of Azure, as librdkafka's azure_imds has them. */
export function azureTokens(properties: Properties): Tokens {
  const config = properties.get("sasl.oauthbearer.config") ?? "";
  const [, query] = /(?:^|,)\s*query=([^,]*)/.exec(config) ?? [];
  if (!query) {
    throw usage(
      "sasl.oauthbearer.config is not query=api-version=2018-02-01&resource=…, which azure_imds " +
        "requires",
    );
  }
  const given = properties.get(ENDPOINT);
  const url = given ? tokenUrl(given) : undefined;
  const keeper = new TokenKeeper((limit) => fetchAzureToken(query, limit, url));
  return { from: "Azure's instance metadata", token: (_host, limit) => keeper.get(limit) };
}

/** What https.ca.* say, else what Java's login module does; empty: the host's. */
export async function httpsAuthorities(
  properties: Properties,
  login: LoginModule | null,
): Promise<string[]> {
  return await authoritiesOf([
    ["https.ca.location", "file", properties.get("https.ca.location")],
    ["https.ca.pem", "text", properties.get("https.ca.pem")],
    ...login
      ? [
        ["ssl.truststore.location", "file", login.options.get("ssl.truststore.location")] as const,
        [
          "ssl.truststore.certificates",
          "text",
          login.options.get("ssl.truststore.certificates"),
        ] as const,
      ]
      : [],
  ]);
}

function tokenUrl(text: string): string {
  if (!/^https?:\/\/[^/]/i.test(text) || !URL.canParse(text)) {
    throw usage(`${ENDPOINT} is not a URL`);
  }
  const { username, password } = new URL(text);
  if (username || password) {
    throw usage(`${ENDPOINT} has a login in it — set sasl.oauthbearer.client.id and client.secret`);
  }
  return text;
}

/** librdkafka names the grant, Java the class that gets a token by it. */
function grantOf(properties: Properties): TokenEndpoint["grant"] {
  const named = properties.get("sasl.oauthbearer.grant.type");
  const retriever = properties.get("sasl.oauthbearer.jwt.retriever.class") ?? "";
  if (named) return named === JWT_BEARER ? JWT_BEARER : "client_credentials";
  return retriever.endsWith(".JwtBearerJwtRetriever") ? JWT_BEARER : "client_credentials";
}

/**
 * The signed assertion that is configured, if one is. `client` is whom it identifies: what it says
 * by default then is what RFC 7523, section 3, asks for.
 */
function assertionOf(
  properties: Properties,
  client: { clientId: string | null; url: string } | null,
): TokenEndpoint["assertion"] {
  const get = (name: string) => properties.get(`${ASSERTION}.${name}`) || undefined;
  const file = get("file");
  if (file) return () => readAssertion(file);
  const pem = get("private.key.pem");
  const keyFile = get("private.key.file");
  if (!pem && !keyFile) return null;
  const algorithm = (get("algorithm") ?? "RS256").toUpperCase();
  if (algorithm !== "RS256" && algorithm !== "ES256") {
    throw usage(`${ASSERTION}.algorithm is neither RS256 nor ES256`);
  }
  const passphrase = get("private.key.passphrase");
  const claims = {
    iss: get("claim.iss") ?? client?.clientId,
    sub: get("claim.sub") ?? client?.clientId,
    aud: get("claim.aud") ?? client?.url,
  };
  const options = {
    algorithm: algorithm as "RS256" | "ES256",
    key: pem ? { pem: new Secret(pem) } : { file: keyFile! },
    passphrase: passphrase ? new Secret(passphrase) : null,
    template: get("template.file") ?? get("jwt.template.file") ?? null,
    claims: Object.fromEntries(Object.entries(claims).filter(([, value]) => value)) as Record<
      string,
      string
    >,
    expires: number(properties, `${ASSERTION}.claim.exp.seconds`, 300, [1, 2 ** 31 - 1]),
    notBefore: number(properties, `${ASSERTION}.claim.nbf.seconds`, 60, [0, 2 ** 31 - 1]),
    id: flag(properties, `${ASSERTION}.claim.jti.include`),
  };
  return () => signAssertion(options);
}

/** Java has a limit for connecting and one for reading; here they are one. */
function timeoutOf(properties: Properties): number {
  const names = ["sasl.login.connect.timeout.ms", "sasl.login.read.timeout.ms"];
  const given = names.filter((name) => properties.get(name));
  if (given.length === 0) return ANSWER_TIMEOUT;
  return given.reduce((sum, name) => sum + number(properties, name, 0, [1, 2 ** 31 - 1]), 0);
}

function renewal(properties: Properties): Renewal {
  const get = (name: string, known: number, range: readonly [number, number]) =>
    number(properties, `sasl.login.refresh.${name}`, known, range, /^\d+(\.\d+)?$/);
  return {
    factor: get("window.factor", defaultRenewal.factor, [0.5, 1]),
    jitter: get("window.jitter", defaultRenewal.jitter, [0, 0.25]),
    buffer: get("buffer.seconds", defaultRenewal.buffer, [0, 3600]),
    minPeriod: get("min.period.seconds", defaultRenewal.minPeriod, [0, 900]),
  };
}

function number(
  properties: Properties,
  name: string,
  otherwise: number,
  [min, max]: readonly [number, number],
  form = /^\d+$/,
): number {
  const text = properties.get(name);
  if (!text) return otherwise;
  const value = Number(text);
  if (form.test(text) && min <= value && value <= max) return value;
  throw usage(`${name} is not a number from ${min} to ${max}`);
}

function flag(properties: Properties, name: string): boolean {
  const text = (properties.get(name) || "false").toLowerCase();
  if (text === "true" || text === "false") return text === "true";
  throw usage(`${name} is neither true nor false`);
}

function usage(message: string): Failure {
  return new Failure("usage", message);
}
