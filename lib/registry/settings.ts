import { Failure } from "../failure.ts";
import type { TlsConfig } from "../kafka/config.ts";
import { parseJaas } from "../properties/jaas.ts";
import type { Properties } from "../properties/properties.ts";
import { tlsConfig } from "../properties/security_tls.ts";
import { Secret } from "../secret.ts";
import { parseRegistryUrl } from "./address.ts";
import type { RegistryConfig, RegistryUrl } from "./config.ts";

type Env = (name: string) => string | undefined;

const PREFIX = "schema.registry.";
const byTopic = "io.confluent.kafka.serializers.subject.TopicNameStrategy";

/** What a registry's config is made from. */
export interface RegistrySettings {
  /** The values of --registry; none: schema.registry.url says it. */
  urls: readonly string[];
  properties: Properties;
  env: Env;
  timeout: number;
  debug(line: string): void;
}

/**
 * How to reach the schema registry; null if none is named. Throws Failure (usage) naming the flag
 * or property that is wrong, never with a secret's value.
 */
export async function registryConfig(settings: RegistrySettings): Promise<RegistryConfig | null> {
  const { properties, env, timeout, debug } = settings;
  const [name, text] = settings.urls.length > 0
    ? ["--registry", settings.urls.join(",")]
    : ["schema.registry.url", properties.get("schema.registry.url") ?? ""];
  if (text.trim() === "") return null;
  return {
    urls: registryUrls(name, text, login(properties)),
    tls: await registryTls(properties, env),
    headers: headers(properties),
    timeout,
    namedByTopic: ["key", "value"].every((part) =>
      (properties.get(`${part}.subject.name.strategy`) || byTopic) === byTopic
    ),
    debug,
  };
}

function registryUrls(name: string, text: string, common: Login | null): RegistryUrl[] {
  return text.split(",").map((one) => one.trim()).filter((one) => one !== "").map((one, i) => {
    const url = parseRegistryUrl(one);
    // Without its text, in which a password may be.
    if (url === null) {
      throw usage(
        `${name}: URL ${i + 1} is not http://HOST:PORT or https://HOST:PORT — in its user or ` +
          "password write / ? # @ : % , as %2F %3F %23 %40 %3A %25 %2C",
      );
    }
    const own = url.user === "" && url.password === ""
      ? null
      : { header: basic(url.user, url.password), overrides: false };
    const { header = null } = (common?.overrides ? common : own ?? common) ?? {};
    return { base: url.base, authorization: header };
  });
}

/** A login for all URLs; one in a URL itself is for that URL, unless properties ask for this one. */
interface Login {
  header: Secret;
  overrides: boolean;
}

function login(properties: Properties): Login | null {
  const get = (name: string) => properties.get(name) || properties.get(PREFIX + name) || undefined;
  const userInfo = get("basic.auth.user.info");
  const token = get("bearer.auth.token");
  const source = get("basic.auth.credentials.source")?.toUpperCase();
  const bearer = get("bearer.auth.credentials.source")?.toUpperCase();
  if (bearer !== undefined && bearer !== "STATIC_TOKEN") {
    throw usage("bearer.auth.credentials.source can only be STATIC_TOKEN: set bearer.auth.token");
  }
  if (bearer !== undefined && token === undefined) throw usage("bearer.auth.token is not set");
  if (source !== undefined && !["URL", "USER_INFO", "SASL_INHERIT"].includes(source)) {
    throw usage("basic.auth.credentials.source is not one of URL, USER_INFO, SASL_INHERIT");
  }
  if (token !== undefined) {
    if (userInfo !== undefined || source !== undefined) {
      throw usage("bearer.auth.token and basic.auth exclude each other");
    }
    return { header: bearerHeader(token), overrides: true };
  }
  if (source === "URL") return null;
  if (source === "SASL_INHERIT") return inherited(properties);
  if (userInfo === undefined) {
    if (source === undefined) return null;
    throw usage("basic.auth.user.info is not set");
  }
  const [, user, password] = /^([^:]*):(.*)$/s.exec(userInfo) ?? [];
  if (user === undefined) throw usage("basic.auth.user.info is not USER:PASSWORD");
  return { header: basic(user, password), overrides: source === "USER_INFO" };
}

/** The user and password with which one logs in to the brokers. */
function inherited(properties: Properties): Login {
  const jaas = properties.get("sasl.jaas.config");
  const options = jaas ? parseJaas(jaas).options : new Map<string, string>();
  const user = properties.get("sasl.username") || options.get("username");
  const password = properties.get("sasl.password") || options.get("password");
  if (!user || !password) {
    throw usage("basic.auth.credentials.source=SASL_INHERIT needs sasl.username and sasl.password");
  }
  return { header: basic(user, password), overrides: true };
}

/** RFC 7617, in UTF-8. */
function basic(user: string, password: string): Secret {
  new Secret(password); // so that it is known to what looks for secrets in messages
  const bytes = new TextEncoder().encode(`${user}:${password}`);
  return new Secret(
    `Basic ${btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""))}`,
  );
}

/** RFC 6750's b64token. */
function bearerHeader(token: string): Secret {
  if (!/^[A-Za-z0-9._~+/-]+=*$/.test(token)) throw usage("bearer.auth.token is not valid");
  new Secret(token);
  return new Secret(`Bearer ${token}`);
}

/** What Confluent Cloud asks for beside a token. */
function headers(properties: Properties): Record<string, string> {
  const names: [string, string][] = [
    ["bearer.auth.logical.cluster", "target-sr-cluster"],
    ["bearer.auth.identity.pool.id", "Confluent-Identity-Pool-Id"],
  ];
  const found: Record<string, string> = {};
  for (const [name, header] of names) {
    const value = properties.get(name) || properties.get(PREFIX + name);
    if (!value) continue;
    if (!/^[\x21-\x7e]{1,200}$/.test(value)) throw usage(`${name} is not valid`);
    found[header] = value;
  }
  return found;
}

/** As Confluent's clients do it, Kafka's own ssl properties say nothing about the registry. */
async function registryTls(properties: Properties, env: Env): Promise<TlsConfig> {
  const ssl = [...properties].filter(([name]) => name.startsWith(`${PREFIX}ssl.`))
    .map(([name, value]) => [name.slice(PREFIX.length), value] as const);
  const ours = (text: string) => text.replaceAll(/(?<![\w./-])ssl\.(?=[a-z])/g, `${PREFIX}ssl.`);
  if (new Map(ssl).get("ssl.endpoint.identification.algorithm")?.toLowerCase() === "none") {
    throw usage(
      `${PREFIX}ssl.endpoint.identification.algorithm: the host name of a registry is always ` +
        "checked — use a URL with a name that is in its certificate",
    );
  }
  try {
    return await tlsConfig(new Map(ssl), env);
  } catch (error) {
    throw error instanceof Failure ? new Failure(error.kind, ours(error.message)) : error;
  }
}

function usage(message: string): Failure {
  return new Failure("usage", message);
}
