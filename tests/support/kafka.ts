/**
 * What broker tests need around the code under test: topics made and measured through kafkajs,
 * which is quick, and records written and read by foreign clients, which share no bug with us.
 */
import { Buffer } from "node:buffer";
import process from "node:process";
import { type Admin, Kafka, logLevel } from "kafkajs";
import type { Broker, RunOptions, RunResult } from "../../scripts/servers/broker.ts";
import { askCluster } from "../../scripts/servers/broker/ready.ts";
import "../../lib/kafka/kafkajs/timers.ts";
import { isInstalled } from "./installed.ts";

// kafkajs otherwise warns on standard error, at the first producer, of a change made in 2023.
process.env.KAFKAJS_NO_PARTITIONER_WARNING = "1";

/** A name no other test, and no earlier run against the same broker, has used. */
export function uniqueName(prefix: string): string {
  return `${prefix}-${crypto.randomUUID().slice(0, 13)}`;
}

export interface TopicOptions {
  partitions?: number;
  replication?: number;
  /** Topic configs, such as `{ "cleanup.policy": "compact" }`. */
  configs?: Record<string, string>;
}

/**
 * Creates a topic (1 partition, 1 replica unless given) and waits until every broker knows it and
 * its leaders. kafkajs' own wait asks one broker, and fails where that one has not heard of it.
 */
export async function createTopic(
  broker: Broker,
  topic: string,
  options: TopicOptions = {},
): Promise<void> {
  const { partitions = 1, replication = 1, configs = {} } = options;
  // Tests write records of any year, and retention would delete those of long ago.
  const kept = { "retention.ms": "-1", ...configs };
  const configEntries = Object.entries(kept).map(([name, value]) => ({ name, value }));
  await withAdmin(broker, (admin) =>
    admin.createTopics({
      waitForLeaders: false,
      topics: [{ topic, numPartitions: partitions, replicationFactor: replication, configEntries }],
    }));
  await Promise.all(broker.bootstrap.split(",").map((address) => waitForTopic(address, topic)));
}

async function waitForTopic(address: string, topic: string): Promise<void> {
  const [hostname, port] = address.split(":");
  const deadline = Date.now() + 30_000;
  let why: unknown = "no leader for each of its partitions";
  while (Date.now() < deadline) {
    try {
      if ((await askCluster(hostname, Number(port), topic)).topicReady) return;
    } catch (error) {
      why = error; // a node of the cluster may be down on purpose: then only the others count
      if (error instanceof Deno.errors.ConnectionRefused) return;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`Cannot use topic "${topic}" on ${address}: ${why}`);
}

export async function deleteTopic(broker: Broker, topic: string): Promise<void> {
  await withAdmin(broker, (admin) => admin.deleteTopics({ topics: [topic] }));
}

/** Moves log starts: partition to its new first offset. Earlier records can't be read any more. */
export async function deleteRecords(
  broker: Broker,
  topic: string,
  before: Record<number, number | bigint>,
): Promise<void> {
  const partitions = Object.entries(before)
    .map(([partition, offset]) => ({ partition: Number(partition), offset: String(offset) }));
  await withAdmin(broker, async (admin) => {
    // deleteTopicRecords looks for the leaders in metadata that it does not load itself.
    await offsetsOf(admin, topic);
    await admin.deleteTopicRecords({ topic, partitions });
  });
}

export interface PartitionOffsets {
  partition: number;
  /** Log start offset. */
  low: bigint;
  /** High watermark. */
  high: bigint;
}

/** Where each partition starts and ends, in the order of the partitions. */
export async function topicOffsets(broker: Broker, topic: string): Promise<PartitionOffsets[]> {
  const found = await withAdmin(broker, (admin) => offsetsOf(admin, topic));
  return found
    .map(({ partition, low, high }) => ({ partition, low: BigInt(low), high: BigInt(high) }))
    .sort((a, b) => a.partition - b.partition);
}

function offsetsOf(admin: Admin, topic: string) {
  return patiently(() => admin.fetchTopicOffsets(topic));
}

/**
 * Asks again while the answer is one that passes, 10 s at most: a new leader, or coordinator, is
 * named a moment before it answers as one.
 */
async function patiently<T>(ask: () => Promise<T>): Promise<T> {
  for (const deadline = Date.now() + 10_000;;) {
    try {
      return await ask();
    } catch (error) {
      const { retriable } = error as { retriable?: boolean };
      if (!retriable || Date.now() > deadline) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** A group's committed offsets of one topic, by partition; -1 where there is none. */
export async function groupOffsets(
  broker: Broker,
  groupId: string,
  topic: string,
): Promise<Map<number, bigint>> {
  const [found] = await withAdmin(
    broker,
    (admin) => patiently(() => admin.fetchOffsets({ groupId, topics: [topic] })),
  );
  const offsets = found.partitions.map(({ partition, offset }) =>
    [partition, BigInt(offset)] as const
  );
  return new Map(offsets.sort(([a], [b]) => a - b));
}

/** kafkajs' admin for one call; it is disconnected whatever happens. */
export async function withAdmin<T>(
  broker: Broker,
  use: (admin: Admin) => Promise<T>,
): Promise<T> {
  const admin = kafkajs(broker).admin();
  await admin.connect();
  try {
    return await use(admin);
  } finally {
    await admin.disconnect();
  }
}

/** A kafkajs client that prints nothing: what goes wrong comes as an error. */
export function kafkajs(broker: Broker): Kafka {
  return new Kafka({
    clientId: "gpdb-kafka-tests",
    brokers: broker.bootstrap.split(","),
    logLevel: logLevel.NOTHING,
  });
}

export interface TestRecord {
  key?: Uint8Array | string | null;
  value: Uint8Array | string | null;
  headers?: Record<string, string>;
  /** Milliseconds since 1970. */
  timestamp?: number;
}

/** Writes records to one partition through kafkajs: a few, quickly, any bytes, nulls included. */
export async function produce(
  broker: Broker,
  topic: string,
  records: TestRecord[],
  partition = 0,
): Promise<void> {
  const producer = kafkajs(broker).producer();
  await producer.connect();
  try {
    const messages = records.map(({ key = null, value, headers, timestamp }) => ({
      key: bytesOrNull(key),
      value: bytesOrNull(value),
      partition,
      headers,
      timestamp: timestamp === undefined ? undefined : String(timestamp),
    }));
    await producer.send({ topic, messages });
  } finally {
    await producer.disconnect();
  }
}

function bytesOrNull(value: Uint8Array | string | null): Buffer | null {
  return value === null ? null : Buffer.from(value as Uint8Array);
}

/** Whether a broker is of this release or a later one. */
export function isSince(
  { version }: Pick<Broker, "version">,
  major: number,
  minor: number,
): boolean {
  const [itsMajor, itsMinor] = version.split(".").map(Number);
  return itsMajor > major || itsMajor === major && itsMinor >= minor;
}

/** Changes configs and quotas with Kafka's own tool, which has moved among the others by 4.4. */
export async function alterConfigs(broker: Broker, args: string[]): Promise<void> {
  const folder = isSince(broker, 4, 2) ? "org.apache.kafka.tools" : "kafka.admin";
  const all = ["--bootstrap-server", broker.bootstrap, "--alter", ...args];
  const result = await broker.run(`${folder}.ConfigCommand`, all);
  if (result.code !== 0) throw toolError("ConfigCommand", result);
}

/**
 * The arguments of Kafka's console tools, which have other names for their properties since 4.2
 * (KIP-1147): there the older ones are warned of, among the rows.
 */
function toolArgs(broker: Broker, tool: "reader" | "formatter", args: string[]): string[] {
  if (!isSince(broker, 4, 2)) return args;
  const names: Record<string, string> = {
    "--property": `--${tool}-property`,
    "--producer-property": "--command-property",
    "--consumer-property": "--command-property",
  };
  return args.map((arg) => names[arg] ?? arg);
}

/** Kafka's own console producer: each line of the input is a record. */
export async function consoleProduce(
  broker: Broker,
  topic: string,
  input: Uint8Array | string,
  args: string[] = [],
  options: RunOptions = {},
): Promise<void> {
  // Kafka 4 moved it among the tools that are written in Java.
  const className = isSince(broker, 4, 0)
    ? "org.apache.kafka.tools.ConsoleProducer"
    : "kafka.tools.ConsoleProducer";
  const all = ["--bootstrap-server", broker.bootstrap, "--topic", topic];
  all.push(...toolArgs(broker, "reader", args));
  const result = await broker.run(className, all, { ...options, stdin: input });
  // It reports records it could not send, and still ends with 0.
  if (result.code !== 0 || /\bERROR\b/.test(result.stderr)) throw toolError(className, result);
}

/**
 * Kafka's own console consumer, reading the topic (or all that a pattern matches) from its start:
 * `count` records, or, without a count, until none came for 3 s. Returns what it printed: each
 * value and a newline.
 */
export async function consoleConsume(
  broker: Broker,
  topic: string | RegExp,
  count?: number,
  args: string[] = [],
  options: RunOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const className = "org.apache.kafka.tools.consumer.ConsoleConsumer";
  const until = count === undefined
    ? ["--timeout-ms", "3000"]
    : ["--max-messages", String(count), "--timeout-ms", "30000"];
  const which = typeof topic === "string" ? ["--topic", topic] : ["--include", topic.source];
  const all = ["--bootstrap-server", broker.bootstrap, ...which, "--from-beginning"];
  all.push(...until, ...toolArgs(broker, "formatter", args));
  const result = await broker.run(className, all, options);
  // Its idle timeout is an error to it, and the end of the topic to us.
  const timedOut = result.stderr.includes("TimeoutException");
  const failed = result.code !== 0 || /\bERROR\b/.test(result.stderr);
  if (failed && !(timedOut && count === undefined)) throw toolError(className, result);
  return result.stdout;
}

/** The command line of the same consumer, from the topic's start on and without an end. */
export async function consoleConsumer(
  broker: Broker,
  topic: string,
  args: string[],
): Promise<string[]> {
  return await broker.commandLine("org.apache.kafka.tools.consumer.ConsoleConsumer", [
    ...["--bootstrap-server", broker.bootstrap, "--topic", topic, "--from-beginning"],
    ...toolArgs(broker, "formatter", args),
  ]);
}

function toolError(className: string, result: RunResult): Error {
  const reason = result.stderr.trim().split("\n")[0];
  return new Error(`${className} failed with status ${result.code}: ${reason}`);
}

/**
 * Runs kcat (librdkafka), when this machine has it. A test that needs it says
 * `ignore: !hasKcat`, and none may be the only one for what it checks.
 */
export async function kcat(args: string[], stdin?: Uint8Array | string): Promise<RunResult> {
  const child = new Deno.Command("kcat", {
    args,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const input = typeof stdin === "string" ? new TextEncoder().encode(stdin) : stdin;
  const writer = child.stdin.getWriter();
  const fed = (async () => {
    if (input) await writer.write(input);
    await writer.close();
  })().catch(() => {}); // it may end before it has read everything: its status counts
  const { code, stdout, stderr } = await child.output();
  await fed;
  return { code, stdout, stderr: new TextDecoder().decode(stderr) };
}

export const hasKcat = await isInstalled("kcat", ["-V"]);
