import { Failure, systemReason } from "../failure.ts";
import { protocols } from "../kafka/broker_list.ts";
import {
  type ClientConfig,
  type SaslConfig,
  type SaslMechanism,
  saslMechanisms,
} from "../kafka/config.ts";
import { Secret, shownPath } from "../secret.ts";
import { checkOptions, type LoginModule, parseJaas } from "./jaas.ts";
import type { Properties } from "./properties.ts";
import { tlsConfig } from "./security_tls.ts";

type Env = (name: string) => string | undefined;

/**
 * How a connection is protected, from properties; secrets may come from the environment. Throws
 * Failure (usage) naming the property that is wrong or missing, never with a secret's value.
 */
export async function securityConfig(
  properties: Properties,
  env: Env,
): Promise<Pick<ClientConfig, "tls" | "sasl">> {
  const protocol = properties.get("security.protocol")?.toUpperCase();
  if (!protocol) {
    // Both, Java and librdkafka, would silently use no TLS.
    const set = [...properties.keys()].find((key) => /^s(asl|sl)\./.test(key));
    if (set === undefined) return { tls: null, sasl: null };
    throw usage(
      `${set} is set, but security.protocol is not — set it to ${protocols.join(" or ")}`,
    );
  }
  if (!protocols.some((known) => known === protocol)) {
    throw usage(`security.protocol is not one of ${protocols.join(", ")}`);
  }
  return {
    tls: protocol.endsWith("SSL") ? await tlsConfig(properties, env) : null,
    sasl: protocol.startsWith("SASL") ? saslConfig(properties, env) : null,
  };
}

function saslConfig(properties: Properties, env: Env): SaslConfig {
  const given = properties.get("sasl.mechanism") ?? properties.get("sasl.mechanisms") ?? "";
  const mechanism = saslMechanisms.find((known) => known === given.toUpperCase());
  if (!mechanism) {
    const all = saslMechanisms.join(", ");
    if (given === "") throw usage(`sasl.mechanism is not set — use one of ${all}`);
    throw usage(`sasl.mechanism is not one of ${all}`);
  }
  if (mechanism === "OAUTHBEARER") return bearerConfig(properties, env);
  return { mechanism, ...credentials(mechanism, properties, env) };
}

function credentials(mechanism: SaslMechanism, properties: Properties, env: Env) {
  const login = loginModule(properties, mechanism);
  if (login) checkOptions(login, ["username", "password"]);
  const get = (option: string, variable: string) =>
    properties.get(`sasl.${option}`) || login?.options.get(option) || env(variable);
  const username = get("username", "KAFKA_SASL_USERNAME");
  if (!username) throw usage("sasl.username is not set, nor is env KAFKA_SASL_USERNAME");
  const password = get("password", "KAFKA_SASL_PASSWORD");
  if (!password) throw usage("sasl.password is not set, nor is env KAFKA_SASL_PASSWORD");
  // RFC 4616 separates the two by it.
  if (/\0/.test(username + password)) {
    throw usage("sasl.username and sasl.password cannot have a NUL character");
  }
  return { username, password: new Secret(password) };
}

const modules: Record<SaslMechanism, string> = {
  "PLAIN": "PlainLoginModule",
  "SCRAM-SHA-256": "ScramLoginModule",
  "SCRAM-SHA-512": "ScramLoginModule",
  "OAUTHBEARER": "OAuthBearerLoginModule",
};

/** What sasl.jaas.config says, if anything. */
function loginModule(properties: Properties, mechanism: SaslMechanism): LoginModule | null {
  const jaas = properties.get("sasl.jaas.config");
  if (!jaas) return null;
  const login = parseJaas(jaas);
  if (login.name === modules[mechanism]) return login;
  throw usage(`sasl.jaas.config: sasl.mechanism ${mechanism} requires ${modules[mechanism]}`);
}

function bearerConfig(properties: Properties, env: Env): SaslConfig {
  const login = loginModule(properties, "OAUTHBEARER");
  // Java's own way to extensions; its other options are for tokens that it fetches or makes.
  const inJaas = [...login?.options ?? []].filter(([name]) => name.startsWith("extension_"));
  if (login) checkOptions(login, inJaas.map(([name]) => name));
  const url = properties.get("sasl.oauthbearer.token.endpoint.url");
  if (url && !/^file:\/\/\//.test(url)) {
    throw usage(
      "sasl.oauthbearer.token.endpoint.url: tokens are read from a file, not fetched — set it to " +
        "file:///PATH, or set sasl.oauthbearer.token.file",
    );
  }
  const file = properties.get("sasl.oauthbearer.token.file") || (url ? new URL(url) : undefined);
  const fromEnv = env("KAFKA_OAUTHBEARER_TOKEN");
  if (!file && !fromEnv) {
    throw usage("sasl.oauthbearer.token.file is not set, nor is env KAFKA_OAUTHBEARER_TOKEN");
  }
  return {
    mechanism: "OAUTHBEARER",
    token: async () => checkToken(file ? await readToken(file) : fromEnv!),
    extensions: {
      ...extensions(inJaas.map(([name, value]) => `${name.slice("extension_".length)}=${value}`)),
      ...extensions((properties.get("sasl.oauthbearer.extensions") ?? "").split(",")),
    },
  };
}

async function readToken(file: string | URL): Promise<string> {
  try {
    return await Deno.readTextFile(file);
  } catch (error) {
    const path = file instanceof URL ? file.pathname : file;
    throw usage(`cannot read the token from ${shownPath(path)}: ${systemReason(error)}`);
  }
}

/** RFC 6750's b64token is all that a bearer token can be; anything else would end up in a log. */
function checkToken(text: string): Secret {
  const token = text.trim();
  if (!/^[A-Za-z0-9._~+/-]+=*$/.test(token)) {
    throw usage("the OAUTHBEARER token is not valid");
  }
  return new Secret(token);
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
