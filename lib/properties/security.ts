import { Failure } from "../failure.ts";
import { protocols } from "../kafka/broker_list.ts";
import {
  type ClientConfig,
  type Env,
  type SaslConfig,
  type SaslMechanism,
  saslMechanisms,
} from "../kafka/config.ts";
import { Secret } from "../secret.ts";
import { checkOptions, type LoginModule, parseJaas } from "./jaas.ts";
import type { Properties } from "./properties.ts";
import { tlsConfig } from "./security_tls.ts";

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
    sasl: protocol.startsWith("SASL") ? await saslConfig(properties, env) : null,
  };
}

async function saslConfig(properties: Properties, env: Env): Promise<SaslConfig> {
  const given = properties.get("sasl.mechanism") ?? properties.get("sasl.mechanisms") ?? "";
  if (given.toUpperCase() === MSK) {
    const login = loginModule(properties, MSK);
    return await (await import("./aws.ts")).mskConfig(properties, login, env);
  }
  const mechanism = saslMechanisms.find((known) => known === given.toUpperCase());
  if (!mechanism) {
    const all = [...saslMechanisms, MSK].join(", ");
    if (given === "") throw usage(`sasl.mechanism is not set — use one of ${all}`);
    throw usage(`sasl.mechanism is not one of ${all}`);
  }
  if (mechanism === "OAUTHBEARER") {
    const login = loginModule(properties, mechanism);
    return await (await import("./bearer.ts")).bearerConfig(properties, login, env);
  }
  const login = loginModule(properties, mechanism);
  if (mechanism === "GSSAPI") {
    return (await import("./kerberos.ts")).kerberosConfig(properties, login);
  }
  const isScram = mechanism !== "PLAIN";
  if (login) checkOptions(login, ["username", "password", ...isScram ? ["tokenauth"] : []]);
  const user = credentials(login, properties, env);
  return isScram ? { mechanism, ...user, tokenauth: tokenauth(login) } : { mechanism, ...user };
}

/** Whether name and password are those of a delegation token. */
function tokenauth(login: LoginModule | null): boolean {
  const text = login?.options.get("tokenauth")?.toLowerCase() ?? "false";
  if (text === "true" || text === "false") return text === "true";
  throw usage("sasl.jaas.config: tokenauth is neither true nor false");
}

function credentials(login: LoginModule | null, properties: Properties, env: Env) {
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

/** What aws-msk-iam-auth calls its mechanism; the login is one with OAUTHBEARER. */
const MSK = "AWS_MSK_IAM";

const modules: Record<SaslMechanism | typeof MSK, string> = {
  [MSK]: "IAMLoginModule",
  "PLAIN": "PlainLoginModule",
  "SCRAM-SHA-256": "ScramLoginModule",
  "SCRAM-SHA-512": "ScramLoginModule",
  "OAUTHBEARER": "OAuthBearerLoginModule",
  "GSSAPI": "Krb5LoginModule",
};

/** What sasl.jaas.config says, if anything. */
function loginModule(
  properties: Properties,
  mechanism: SaslMechanism | typeof MSK,
): LoginModule | null {
  const jaas = properties.get("sasl.jaas.config");
  if (!jaas) return null;
  const login = parseJaas(jaas);
  if (login.name === modules[mechanism]) return login;
  throw usage(`sasl.jaas.config: sasl.mechanism ${mechanism} requires ${modules[mechanism]}`);
}

function usage(message: string): Failure {
  return new Failure("usage", message);
}
