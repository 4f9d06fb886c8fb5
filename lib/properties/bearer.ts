import { Failure, systemReason } from "../failure.ts";
import type { BearerConfig, Env } from "../kafka/config.ts";
import { bearerToken } from "../kafka/tokens/jwt.ts";
import { shownPath } from "../secret.ts";
import { checkOptions, type LoginModule } from "./jaas.ts";
import type { Properties } from "./properties.ts";

const ENDPOINT = "sasl.oauthbearer.token.endpoint.url";

/** The options of Java's login module that say where tokens come from. */
const ofClient = ["clientId", "clientSecret", "scope"];
/** Of those, how to trust the token endpoint. */
const ofTls = ["ssl.truststore.type", "ssl.truststore.location", "ssl.truststore.certificates"];

/**
 * Where tokens for OAUTHBEARER come from: a token endpoint, AWS, Azure, a file, or the environment;
 * `login` is what sasl.jaas.config says. Throws Failure (usage).
 */
export async function bearerConfig(
  properties: Properties,
  login: LoginModule | null,
  env: Env,
): Promise<BearerConfig> {
  const handler = properties.get("sasl.login.callback.handler.class") ?? "";
  if (handler.startsWith("software.amazon.msk.")) {
    return await (await import("./aws.ts")).mskConfig(properties, login, env);
  }
  // Java's own way to extensions.
  const inJaas = [...login?.options ?? []].filter(([name]) => name.startsWith("extension_"));
  if (login) checkOptions(login, [...ofClient, ...ofTls, ...inJaas.map(([name]) => name)]);
  return {
    mechanism: "OAUTHBEARER",
    ...await tokens(properties, login, env),
    extensions: {
      ...extensions(inJaas.map(([name, value]) => `${name.slice("extension_".length)}=${value}`)),
      ...extensions((properties.get("sasl.oauthbearer.extensions") ?? "").split(",")),
    },
  };
}

async function tokens(
  properties: Properties,
  login: LoginModule | null,
  env: Env,
): Promise<Pick<BearerConfig, "from" | "token">> {
  const metadata = properties.get("sasl.oauthbearer.metadata.authentication.type") || "none";
  if (metadata === "azure_imds") return (await import("./oidc.ts")).azureTokens(properties);
  if (metadata !== "none") {
    throw usage(
      "sasl.oauthbearer.metadata.authentication.type is neither none nor azure_imds — for Amazon MSK " +
        "set sasl.mechanism to AWS_MSK_IAM",
    );
  }
  if (properties.get("sasl.oauthbearer.config")) {
    throw usage(
      "sasl.oauthbearer.config: unsecured tokens are not made here — set a token endpoint, or " +
        "sasl.oauthbearer.metadata.authentication.type to azure_imds",
    );
  }
  const url = properties.get(ENDPOINT);
  const oidc = properties.get("sasl.oauthbearer.method") === "oidc";
  if (url && /^https?:\/\//i.test(url)) {
    return (await import("./oidc.ts")).oidcTokens(properties, login, env);
  }
  if (url ? !/^file:\/\/\//.test(url) || !URL.canParse(url) : oidc) {
    throw usage(
      url ? `${ENDPOINT} is not https://…, http://… or file:///…` : `${ENDPOINT} is not set`,
    );
  }
  const file = properties.get("sasl.oauthbearer.token.file") || (url ? new URL(url) : undefined);
  if (file) {
    return { from: "its file", token: async () => bearerToken(await readToken(file), "its file") };
  }
  const variable = "KAFKA_OAUTHBEARER_TOKEN";
  const fromEnv = env(variable);
  if (fromEnv) {
    const from = `env ${variable}`;
    return { from, token: () => Promise.resolve().then(() => bearerToken(fromEnv, from)) };
  }
  throw usage(`sasl.oauthbearer.token.file is not set, nor is ${ENDPOINT}, nor is env ${variable}`);
}

async function readToken(file: string | URL): Promise<string> {
  try {
    return await Deno.readTextFile(file);
  } catch (error) {
    const path = file instanceof URL ? file.pathname : file;
    throw usage(`cannot read the token from ${shownPath(path)}: ${systemReason(error)}`);
  }
}

/** KIP-342: names of letters, values of printable characters. */
function extensions(texts: readonly string[]): Record<string, string> {
  const pairs = texts.map((pair) => pair.trim()).filter((pair) => pair !== "");
  return Object.fromEntries(pairs.map((pair) => {
    const [, key, value] = /^([A-Za-z]+)=([\x20-\x7e\r\n\t]+)$/.exec(pair) ?? [];
    if (key === undefined || key === "auth") {
      throw usage("sasl.oauthbearer.extensions is not NAME=VALUE,…");
    }
    return [key, value];
  }));
}

function usage(message: string): Failure {
  return new Failure("usage", message);
}
