import { Failure } from "../failure.ts";
import { planRows, planTopic } from "../load/plan.ts";
import { parseOffsets, type QueryPlan, queryPlan } from "../load/query_plan.ts";
import { clientConfig, connectionFlags } from "./connection_flags.ts";
import type { Given } from "./flags.ts";
import type { Command } from "./run.ts";
import { checkTopic, parseTime } from "./values.ts";

/** Where a topic starts and ends, for kafka.load. */
export const planCommand: Command = {
  name: "gpdb-kafka plan",
  about: "prints topic,partition,earliest,end and the offset of a time as CSV",
  examples: [
    "gpdb-kafka plan --brokers broker1:9092 --topic crimes",
    "kafka_consumer plan --topic crimes --group gpdb-kafka.crimes --from-query",
  ],
  flags: [
    { name: "topic", short: "t", value: "TOPIC", help: "plan this topic" },
    {
      name: "isolation",
      value: "LEVEL",
      help: "whose end: read_committed or read_uncommitted (read_committed)",
    },
    { name: "at", value: "TIME", help: "print the first offset from then on, too" },
    {
      name: "log-identity",
      help: "print cluster id, topic id, leader epoch and the end of the epoch of --stand, too",
    },
    {
      name: "stand",
      value: "P:O[:EPOCH],…",
      help: "where a database stands: its offsets and their leader epochs",
    },
    { name: "mirror", help: "commit the offsets of --stand for the group" },
    { name: "of-log", value: "HASH", help: "but only if the topic is the one they are of" },
    {
      name: "group",
      short: "g",
      value: "GROUP",
      help: "commit for this group; what fails there is a warning (gpdb-kafka)",
    },
    { name: "commit-offsets", value: "P:O,…", help: "--stand and --mirror of version 0.1" },
    { name: "from-query", help: "take all of these from the comment that kafka.load puts first" },
    ...connectionFlags,
  ],
  async run(given, console) {
    const env = (name: string) => Deno.env.get(name);
    const topic = checkTopic("--topic", given.get("topic"));
    const { mirror, ...asked } = wanted(given, topic, env("GP_QUERY_STRING"));
    const isolation = given.choice(
      "isolation",
      ["read_committed", "read_uncommitted"],
      "read_committed",
    );
    const group = mirror ? given.get("group") ?? "gpdb-kafka" : null;
    const config = await clientConfig(given, env, console, "gpdb-kafka-plan");
    const plan = await planTopic({ topic, isolation, group, ...asked }, config, console.warn);
    const bytes = new TextEncoder().encode(planRows(topic, plan, given.has("log-identity")));
    for (let written = 0; written < bytes.length;) {
      written += Deno.stdout.writeSync(bytes.subarray(written));
    }
  },
};

/** What --from-query takes from the statement. */
const askedFlags = ["at", "stand", "mirror", "of-log", "commit-offsets"];

function wanted(given: Given, topic: string, statement: string | undefined): QueryPlan {
  if (given.has("from-query")) {
    const other = askedFlags.find((flag) => given.has(flag));
    if (other === undefined) return queryPlan(statement, topic);
    throw new Failure("usage", `--${other} and --from-query exclude each other`);
  }
  const flag = given.has("commit-offsets") ? "commit-offsets" : "stand";
  return {
    at: given.has("at") ? parseTime("--at", given.get("at")!) : null,
    offsets: parseOffsets(`--${flag}`, given.get(flag) ?? ""),
    mirror: given.has("commit-offsets") || given.has("mirror"),
    log: given.get("of-log") ?? null,
  };
}
