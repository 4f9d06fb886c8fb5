import { Failure } from "../failure.ts";
import { type ClientConfig, parseAddress } from "../kafka/config.ts";
import type { Flag, Given } from "./flags.ts";
import type { Console } from "./console.ts";
import { parseDuration } from "./values.ts";

/** The flags that every command has. */
export const connectionFlags = [
  {
    name: "brokers",
    short: "b",
    value: "HOST:PORT,…",
    many: true,
    old: ["brokers"],
    help: "where to ask first (else env KAFKA_BROKERS, KAFKA_PEERS, else localhost:9092)",
  },
  {
    name: "timeout",
    value: "DUR",
    help: "longest wait for a broker, and longest time without progress (30s)",
  },
  { name: "verbose", short: "v", old: ["verbose"], help: "say on stderr what is done" },
  { name: "quiet", short: "q", help: "say nothing on stderr but why a run failed" },
  { name: "log-file", value: "FILE", help: "append what is said there, each line with its time" },
  { name: "help", short: "h", help: "print this" },
  { name: "version", help: "print the version" },
  { name: "zookeeper", value: "HOSTS", old: ["zookeeper"], help: "not any more: see --brokers" },
] as const satisfies readonly Flag[];

/** How to reach the cluster, from the flags and the environment. Throws Failure (usage). */
export function clientConfig(
  given: Given,
  env: (name: string) => string | undefined,
  console: Console,
  clientId: string,
): ClientConfig {
  if (given.has("zookeeper")) {
    throw new Failure(
      "usage",
      "--zookeeper: Kafka 4 has no ZooKeeper, and offsets are kept by the brokers: say --brokers",
    );
  }
  const text = given.has("brokers")
    ? given.all("brokers").join(",")
    : env("KAFKA_BROKERS") || env("KAFKA_PEERS") || "localhost:9092";
  const brokers = text.split(",").map((part) => part.trim()).filter((part) => part !== "");
  for (const broker of brokers) {
    if (!parseAddress(broker)) {
      throw new Failure("usage", `--brokers: "${broker}" is not HOST:PORT`);
    }
  }
  if (brokers.length === 0) throw new Failure("usage", "--brokers names no broker");
  return {
    brokers,
    clientId,
    timeout: parseDuration("--timeout", given.get("timeout") ?? "30s"),
    debug: console.debug,
  };
}
