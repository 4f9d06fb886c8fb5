import { Failure } from "../../failure.ts";
import { parsePattern } from "../../kafka/topic_pattern.ts";
import { planRows, plansRows, planTopic, planTopics } from "../../load/plan_topic.ts";
import {
  parseOffsets,
  parseTopicOffsets,
  type QueryPlan,
  queryPlan,
  type QueryPlans,
  queryPlans,
} from "../../load/query_plan.ts";
import { clientConfig, connectionFlags } from "../flags/connection.ts";
import { env } from "../environment.ts";
import type { Given } from "../flags.ts";
import { print } from "../print.ts";
import type { Command } from "../run.ts";
import { checkTopic, parseTime, topicList } from "../values.ts";

/** Where a topic starts and ends, for kafka.load. */
export const planCommand: Command = {
  name: "gpdb-kafka plan",
  about: "prints topic,partition,earliest,end and the offset of a time as CSV",
  examples: [
    "gpdb-kafka plan --brokers broker1:9092 --topic crimes",
    "kafka_consumer plan --topic crimes --group gpdb-kafka.crimes --from-query",
  ],
  flags: [
    { name: "topic", short: "t", value: "TOPIC", help: "the topic" },
    { name: "topics", value: "A,B", help: "these topics instead" },
    { name: "topic-pattern", value: "REGEXP", help: "all topics that this matches instead" },
    {
      name: "isolation",
      value: "LEVEL",
      help: "which end: read_committed or read_uncommitted (read_committed)",
    },
    { name: "at", value: "TIME", help: "also print the first offset at or after this time" },
    {
      name: "log-identity",
      help:
        "also print cluster id, topic id, leader epoch and the end offset of the epoch of --stand",
    },
    {
      name: "stand",
      value: "P:O[:EPOCH],…",
      help: "the offsets that a database has reached, and their leader epochs; of several topics " +
        "TOPIC[=LOG]/P:O[:EPOCH],…",
    },
    { name: "mirror", help: "commit the offsets of --stand for the group" },
    {
      name: "of-log",
      value: "HASH",
      help: "with --mirror: only if the topic is the one that the offsets belong to",
    },
    {
      name: "group",
      short: "g",
      value: "GROUP",
      help: "the group of --mirror; if the commit fails, that is a warning (gpdb-kafka)",
    },
    {
      name: "commit-offsets",
      value: "P:O,…",
      mayBeEmpty: true,
      help: "replaced by --stand and --mirror (version 0.1)",
    },
    { name: "from-query", help: "read all of these from the comment that kafka.load puts first" },
    ...connectionFlags,
  ],
  answers: true,
  async run(given, console) {
    const [extra] = given.files;
    if (extra !== undefined) throw new Failure("usage", `"${extra}" is not a flag; see --help`);
    const isolation = given.choice(
      "isolation",
      ["read_committed", "read_uncommitted"],
      "read_committed",
    );
    const topics = severalTopics(given);
    if (given.has("from-query")) {
      for (const flag of askedFlags) given.excludes(flag, ["from-query"]);
    }
    const statement = env("GP_QUERY_STRING");
    const groupOf = (mirror: boolean) => mirror ? given.get("group") ?? "gpdb-kafka" : null;
    const withLog = given.has("log-identity");
    const connect = () => clientConfig(given, env, console, "gpdb-kafka-plan");
    if (topics === null) {
      const topic = checkTopic("--topic", given.get("topic"));
      const { mirror, ...asked } = wanted(given, topic, statement);
      const options = { topic, isolation, group: groupOf(mirror), ...asked };
      print(planRows(topic, await planTopic(options, await connect(), console.warn), withLog));
    } else {
      const { mirror, ...asked } = wantedOfSeveral(given, statement);
      const options = { topics, isolation, group: groupOf(mirror), ...asked };
      print(plansRows(await planTopics(options, await connect(), console.warn), withLog));
    }
  },
};

/** What --from-query reads in the statement. */
const askedFlags = ["at", "stand", "mirror", "of-log", "commit-offsets"];

/** The topics of --topics and --topic-pattern; null without them. */
function severalTopics(given: Given): string[] | RegExp | null {
  given.excludes("topic", ["topics", "topic-pattern"]);
  given.excludes("topics", ["topic-pattern"]);
  for (const flag of ["topics", "topic-pattern"]) {
    given.excludes(flag, ["of-log", "commit-offsets"]);
  }
  if (given.has("topic-pattern")) {
    return parsePattern("--topic-pattern", given.get("topic-pattern")!);
  }
  return given.has("topics") ? topicList("--topics", given.get("topics")!) : null;
}

function wanted(given: Given, topic: string, statement: string | undefined): QueryPlan {
  if (given.has("from-query")) return queryPlan(statement, topic);
  const flag = given.has("commit-offsets") ? "commit-offsets" : "stand";
  return {
    at: givenTime(given),
    offsets: parseOffsets(`--${flag}`, given.get(flag) ?? ""),
    mirror: given.has("commit-offsets") || given.has("mirror"),
    log: given.get("of-log") ?? null,
  };
}

function wantedOfSeveral(given: Given, statement: string | undefined): QueryPlans {
  if (given.has("from-query")) return queryPlans(statement);
  return {
    at: givenTime(given),
    offsets: parseTopicOffsets("--stand", given.get("stand") ?? ""),
    mirror: given.has("mirror"),
  };
}

function givenTime(given: Given): number | null {
  return given.has("at") ? parseTime("--at", given.get("at")!) : null;
}
