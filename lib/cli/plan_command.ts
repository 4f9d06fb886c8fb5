import { Failure } from "../failure.ts";
import { planRows, planTopic } from "../load/plan.ts";
import { parseOffsets, queryPlan } from "../load/query_plan.ts";
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
      name: "group",
      short: "g",
      value: "GROUP",
      help: "commit for this group; what fails there is a warning (gpdb-kafka)",
    },
    { name: "commit-offsets", value: "P:O,…", help: "commit these: what a database holds already" },
    {
      name: "from-query",
      help: "take --at and --commit-offsets from the comment that kafka.load puts first",
    },
    ...connectionFlags,
  ],
  async run(given, console) {
    const env = (name: string) => Deno.env.get(name);
    const topic = checkTopic("--topic", given.get("topic"));
    const { at, offsets } = wanted(given, topic, env("GP_QUERY_STRING"));
    const isolation = given.choice(
      "isolation",
      ["read_committed", "read_uncommitted"],
      "read_committed",
    );
    const group = given.get("group") ?? "gpdb-kafka";
    const config = await clientConfig(given, env, console, "gpdb-kafka-plan");
    const options = { topic, isolation, at, mirror: { group, offsets } };
    const partitions = await planTopic(options, config, console.warn);
    const bytes = new TextEncoder().encode(planRows(topic, partitions));
    for (let written = 0; written < bytes.length;) {
      written += Deno.stdout.writeSync(bytes.subarray(written));
    }
  },
};

function wanted(given: Given, topic: string, statement: string | undefined) {
  if (!given.has("from-query")) {
    return {
      at: given.has("at") ? parseTime("--at", given.get("at")!) : null,
      offsets: parseOffsets("--commit-offsets", given.get("commit-offsets") ?? ""),
    };
  }
  for (const flag of ["at", "commit-offsets"]) {
    if (given.has(flag)) {
      throw new Failure("usage", `--${flag} and --from-query exclude each other`);
    }
  }
  return queryPlan(statement, topic);
}
