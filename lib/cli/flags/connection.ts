import { Failure } from "../../failure.ts";
import { parseBrokers } from "../../kafka/broker_list.ts";
import type { ClientConfig } from "../../kafka/config.ts";
import { giveBackLibraries } from "../../libraries.ts";
import type { Flag, Given } from "../flags.ts";
import type { Console } from "../console.ts";
import type { Properties } from "../../properties/properties.ts";
import { parseDuration } from "../values.ts";

/** The flags that every command has. */
export const connectionFlags = [
  {
    name: "brokers",
    short: "b",
    value: "HOST:PORT,…",
    many: true,
    old: ["brokers"],
    help: "brokers to connect to first (else env KAFKA_BROKERS, KAFKA_PEERS, else localhost:9092)",
  },
  {
    name: "config",
    short: "F",
    value: "FILE",
    help:
      "properties file as of librdkafka or Java, key=value lines: TLS, SASL (else env KAFKA_CONFIG)",
  },
  {
    name: "property",
    short: "X",
    value: "KEY=VALUE",
    many: true,
    help: "one property; overrides the file; repeatable; keep secrets in the file",
  },
  {
    name: "timeout",
    value: "DUR",
    help: "longest wait for a broker, and longest time without progress (30s)",
  },
  { name: "verbose", short: "v", old: ["verbose"], help: "report every step on stderr" },
  { name: "quiet", short: "q", help: "write nothing to stderr except why a run failed" },
  {
    name: "log-file",
    value: "FILE",
    help: "append all messages to this file, each line with its time",
  },
  { name: "help", short: "h", help: "print this help" },
  { name: "version", help: "print the version" },
  {
    name: "zookeeper",
    value: "HOSTS",
    old: ["zookeeper"],
    help: "no longer supported: use --brokers",
  },
] as const satisfies readonly Flag[];

/**
 * The properties of -F/--config (else env KAFKA_CONFIG) and -X/--property; -X overrides the file. Throws Failure
 * (usage).
 */
export async function readProperties(
  given: Given,
  env: (name: string) => string | undefined,
  console: Console,
): Promise<Properties> {
  const file = given.get("config") ?? (env("KAFKA_CONFIG") || undefined);
  const own = given.all("property");
  if (file === undefined && own.length === 0) {
    giveBackLibraries();
    return new Map();
  }
  const { mergeProperties, parseProperties, splitProperty } = await import(
    "../../properties/properties.ts"
  );
  const at = "-X";
  const written = own.map((text) => ({ ...splitProperty(text, at), at, own: true }));
  if (file !== undefined) {
    const { readText } = await import("../../properties/read_text.ts");
    const text = await readText(file, given.has("config") ? "--config" : "env KAFKA_CONFIG");
    written.unshift(...parseProperties(text, file, console.warn));
  }
  const properties = mergeProperties(written, console.debug);
  const mechanism = properties.get("sasl.mechanism") ?? properties.get("sasl.mechanisms");
  if (mechanism?.toUpperCase() !== "GSSAPI") giveBackLibraries();
  return properties;
}

/**
 * How to reach the cluster, from the flags, properties and the environment. Throws Failure (usage).
 * `properties` are those of {@link readProperties}, if the caller has them already.
 */
export async function clientConfig(
  given: Given,
  env: (name: string) => string | undefined,
  console: Console,
  clientId: string,
  properties?: Properties,
): Promise<ClientConfig> {
  properties ??= await readProperties(given, env, console);
  const config = openConfig(given, env, console, clientId, properties);
  if (properties.size === 0) return config;
  // Loaded only if it is used: a start without it stays quick.
  const { securityConfig } = await import("../../properties/security.ts");
  return { ...config, ...await securityConfig(properties, env) };
}

/** The same without TLS and login. */
export function openConfig(
  given: Given,
  env: (name: string) => string | undefined,
  console: Console,
  clientId: string,
  properties: Properties,
): ClientConfig {
  if (given.has("zookeeper")) {
    throw new Failure(
      "usage",
      "--zookeeper: Kafka 4 has no ZooKeeper, and the brokers keep the offsets — use --brokers",
    );
  }
  return {
    brokers: brokerList(given, env, properties),
    clientId: properties.get("client.id") || clientId,
    timeout: parseDuration("--timeout", given.get("timeout") ?? "30s"),
    debug: console.debug,
    tls: null,
    sasl: null,
  };
}

function brokerList(
  given: Given,
  env: (name: string) => string | undefined,
  properties: Properties,
): string[] {
  const sources: [string, string | undefined][] = [
    ["--brokers", given.has("brokers") ? given.all("brokers").join(",") : undefined],
    ["bootstrap.servers", properties.get("bootstrap.servers") || undefined],
    ["metadata.broker.list", properties.get("metadata.broker.list") || undefined],
    ["KAFKA_BROKERS", env("KAFKA_BROKERS") || undefined],
    ["KAFKA_PEERS", env("KAFKA_PEERS") || undefined],
  ];
  const [name, text] = sources.find(([, text]) => text !== undefined) ?? ["", "localhost:9092"];
  return parseBrokers(text!, name, properties.get("security.protocol") ?? "");
}
