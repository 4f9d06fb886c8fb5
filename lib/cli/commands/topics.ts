import {
  allTopics,
  countBrokers,
  replication,
  topicTable,
  topicText,
  withLeaders,
} from "../../admin/topics.ts";
import { counted } from "../../admin/table.ts";
import { Failure } from "../../failure.ts";
import { withAdmin } from "../../kafka/admin.ts";
import { Cluster } from "../../kafka/cluster.ts";
import type { ClientConfig } from "../../kafka/config.ts";
import { readLogs, readLogsIfAny } from "../../kafka/logs.ts";
import { partitionsOf } from "../../kafka/partitions.ts";
import { createTopic, type NewTopic, topicConfigs } from "../../kafka/topics.ts";
import { createTopics } from "../../protocol/messages/create_topics.ts";
import { describeTopicConfigs } from "../../protocol/messages/describe_topic_configs.ts";
import { listOffsets } from "../../protocol/messages/list_offsets.ts";
import { clientConfig, connectionFlags } from "../flags/connection.ts";
import { env } from "../environment.ts";
import type { Console } from "../console.ts";
import type { Given } from "../flags.ts";
import { print, printDone, tryWrite } from "../print.ts";
import type { Command } from "../run.ts";
import { checkTopic, parseCount } from "../values.ts";
import { checkWords, chooseVerb, type VerbFlag, verbFlags } from "../verbs.ts";

const flags: readonly VerbFlag[] = [
  {
    name: "partitions",
    value: "N",
    of: ["create"],
    help: "number of partitions; N segments can read N in parallel (the brokers' default)",
  },
  {
    name: "replication",
    value: "N",
    of: ["create"],
    help: "replication factor (the brokers' default)",
  },
  {
    name: "topic-config",
    value: "KEY=VALUE",
    many: true,
    of: ["create"],
    help: "a topic config such as retention.ms=604800000; repeatable",
  },
  { name: "yes", of: ["delete"], help: "do not ask for confirmation" },
  ...connectionFlags,
];

/** The topics of a cluster. */
export const topicsCommand: Command = {
  name: "gpdb-kafka topics",
  about:
    "lists, creates, deletes and describes topics: list, create TOPIC, delete TOPIC, describe TOPIC",
  examples: [
    "gpdb-kafka topics list --brokers broker1:9092",
    "gpdb-kafka topics create crimes --partitions 8 --topic-config retention.ms=604800000",
    "gpdb-kafka topics describe crimes",
  ],
  flags: verbFlags(flags),
  answers: true,
  async run(given, console) {
    const { verb, words } = chooseVerb(given, ["list", "create", "delete", "describe"], flags);
    if (verb === "list") checkWords(verb, words, "", 0, 0);
    else checkWords(verb, words, "a topic", 1, 1);
    const topic = verb === "list" ? "" : checkTopic(verb, words[0]);
    const wanted = verb === "create" ? newTopic(given, topic) : null;
    if (verb === "delete") checkAsked(given, topic);
    const config = await clientConfig(given, env, console, "gpdb-kafka");
    const cluster = new Cluster(
      config,
      wanted ? [createTopics] : [listOffsets, describeTopicConfigs],
    );
    try {
      if (wanted) await create(cluster, wanted, console);
      else if (verb === "list") print(topicTable(await allTopics(cluster)));
      else if (verb === "describe") await describe(cluster, topic);
      else await remove(cluster, config, topic, given.has("yes"), console);
    } finally {
      cluster.close();
    }
  },
};

function newTopic(given: Given, topic: string): NewTopic {
  const count = (flag: string) =>
    given.has(flag) ? parseCount(`--${flag}`, given.get(flag)!, 1) : -1;
  const configs = given.all("topic-config").map((text) => {
    const at = text.indexOf("=");
    if (at < 1) throw new Failure("usage", `--topic-config: "${text}" is not KEY=VALUE`);
    return { name: text.slice(0, at), value: text.slice(at + 1) };
  });
  const [partitions, copies] = [count("partitions"), count("replication")];
  if (partitions > 0x7fffffff) throw new Failure("usage", "--partitions: the number is too large");
  if (copies > 0x7fff) throw new Failure("usage", "--replication: the number is too large");
  return { topic, partitions, replication: copies, configs };
}

async function create(cluster: Cluster, wanted: NewTopic, console: Console): Promise<void> {
  const { topic, configs } = wanted;
  const brokers = await countBrokers(cluster);
  const made = await createTopic(cluster, wanted).catch((error) => {
    throw explained(error, wanted, brokers);
  });
  if (!made) {
    throw new Failure(
      "usage",
      `cannot create topic "${topic}": it exists already — see topics describe`,
    );
  }
  const found = await withLeaders(cluster, topic);
  const set = configs.map(({ name, value }) => `, ${name}=${value}`).join("");
  printDone(
    `topic "${topic}" created: partitions ${found.partitions.length}, ` +
      `replication ${replication(found)}${set}\n`,
    console.warn,
  );
}

/** What a broker refused, with the flag it is about. */
function explained(error: unknown, { configs, replication }: NewTopic, brokers: number): unknown {
  if (!(error instanceof Failure)) return error;
  const hint = error.message.includes("INVALID_CONFIG")
    ? `; check --topic-config ${configs.map(({ name, value }) => `${name}=${value}`).join(" ")}`
    : error.message.includes("INVALID_REPLICATION_FACTOR")
    ? `; --replication is ${replication}, the number of live brokers is ${brokers}`
    : "";
  return new Failure(error.kind, error.message + hint, { cause: error });
}

async function describe(cluster: Cluster, topic: string): Promise<void> {
  const found = await cluster.topic(topic);
  const [logs, configs] = await Promise.all([
    readLogsIfAny(cluster, partitionsOf(found)),
    topicConfigs(cluster, topic),
  ]);
  print(topicText(found, logs, configs));
}

function checkAsked(given: Given, topic: string): void {
  if (given.has("yes") || (Deno.stdin.isTerminal() && Deno.stderr.isTerminal())) return;
  throw new Failure("usage", `cannot delete "${topic}": no terminal to ask on — use --yes`);
}

async function remove(
  cluster: Cluster,
  config: ClientConfig,
  topic: string,
  yes: boolean,
  console: Console,
): Promise<void> {
  const partitions = partitionsOf(await cluster.topic(topic));
  const logs = await readLogs(cluster, partitions);
  const offsets = logs.reduce((sum, { start, high }) => sum + high - start, 0);
  const size = `${counted(partitions.length, "partition")}, ${counted(offsets, "offset")}`;
  const what = `topic "${topic}": ${size}`;
  if (!yes && !await confirmed(`${what}. Delete it for good? [y/N] `)) {
    return print("nothing was deleted\n");
  }
  await withAdmin(config, (admin) => admin.deleteTopic(topic));
  printDone(`${what}: deleted\n`, console.warn);
}

async function confirmed(question: string): Promise<boolean> {
  if (tryWrite(Deno.stderr, question) !== null) return false;
  const answer = new Uint8Array(64);
  const count = await Deno.stdin.read(answer) ?? 0;
  return /^\s*y(es)?\s*$/i.test(new TextDecoder().decode(answer.subarray(0, count)));
}
