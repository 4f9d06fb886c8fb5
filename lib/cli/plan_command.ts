import { Failure } from "../failure.ts";
import { planRows, planTopic } from "../load/plan.ts";
import { parseOffsets, queryPlan } from "../load/query_plan.ts";
import { clientConfig, connectionFlags } from "./connection_flags.ts";
import { env } from "./environment.ts";
import type { Given } from "./flags.ts";
import { print } from "./print.ts";
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
    {
      name: "commit-offsets",
      value: "P:O,…",
      mayBeEmpty: true,
      help: "commit these: what a database holds already",
    },
    {
      name: "from-query",
      help: "take --at and --commit-offsets from the comment that kafka.load puts first",
    },
    ...connectionFlags,
  ],
  answers: true,
  async run(given, console) {
    const [extra] = given.files;
    if (extra !== undefined) throw new Failure("usage", `"${extra}" is not a flag; see --help`);
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
    print(planRows(topic, partitions));
  },
};

function wanted(given: Given, topic: string, statement: string | undefined) {
  if (!given.has("from-query")) {
    return {
      at: given.has("at") ? parseTime("--at", given.get("at")!) : null,
      offsets: parseOffsets("--commit-offsets", given.get("commit-offsets") ?? ""),
    };
  }
  given.excludes("from-query", ["at", "commit-offsets"]);
  return queryPlan(statement, topic);
}
