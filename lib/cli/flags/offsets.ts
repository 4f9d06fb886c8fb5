import type { Target } from "../../admin/moves.ts";
import { Failure } from "../../failure.ts";
import { connectionFlags } from "./connection.ts";
import type { Given } from "../flags.ts";
import { checkTopic, parseCount, parseTime } from "../values.ts";
import type { VerbFlag } from "../verbs.ts";

/** What `gpdb-kafka offsets` does. */
export const offsetVerbs = ["show", "export", "import", "reset"] as const;

export const offsetsFlags: readonly VerbFlag[] = [
  {
    name: "group",
    short: "g",
    value: "GROUP",
    help: "the group; import reads it from the file if the file names one",
  },
  {
    name: "topic",
    short: "t",
    value: "TOPIC",
    many: true,
    of: ["show", "export", "reset"],
    help: "only offsets of this topic; repeatable (all that the group has stored)",
  },
  {
    name: "partition",
    value: "P,…",
    many: true,
    of: ["reset"],
    help: "only these partitions of the topic",
  },
  {
    name: "format",
    value: "FORM",
    of: ["export"],
    help: "rpk: TOPIC PARTITION OFFSET; zookeeper: /consumers/GROUP/offsets/TOPIC/P:OFFSET (rpk)",
  },
  {
    name: "to",
    value: "WHERE",
    of: ["reset"],
    help: "earliest, latest, N, @TIME; +N or -N: forward or back from the stored offset",
  },
  {
    name: "clamp",
    of: ["import", "reset"],
    help: "for an offset outside the log store the nearest one inside (such an offset is rejected)",
  },
  { name: "dry-run", of: ["import", "reset"], help: "print what would change, and change nothing" },
  ...connectionFlags,
];

/** Reads `--to`. Throws Failure (usage). */
export function parseTarget(given: Given): Target {
  const text = given.get("to");
  if (text === undefined) {
    throw new Failure("usage", "no target: use --to earliest, latest, N, +N, -N or @TIME");
  }
  if (text === "earliest" || text === "latest") return { at: text };
  const [, sign, digits] = /^([+-]?)(\d{1,15})$/.exec(text) ?? [];
  if (sign === "") return { at: "offset", offset: Number(digits) };
  if (sign !== undefined) return { at: "shift", by: Number(sign + digits) };
  if (text.startsWith("@")) return { at: "time", time: parseTime("--to", text.slice(1)) };
  throw new Failure("usage", `--to: "${text}" is not one of earliest, latest, N, +N, -N, @TIME`);
}

/** The topics given, each once. Throws Failure (usage). */
export function givenTopics(given: Given): string[] {
  return [...new Set(given.all("topic").map((topic) => checkTopic("--topic", topic)))];
}

/** Reads `--partition`; null if it is not given. Throws Failure (usage). */
export function givenPartitions(given: Given, topics: readonly string[]): number[] | null {
  if (!given.has("partition")) return null;
  if (topics.length !== 1) {
    throw new Failure("usage", "--partition requires one --topic");
  }
  const numbers = given.all("partition").flatMap((list) => list.split(","))
    .map((text) => parseCount("--partition", text.trim(), 0));
  return [...new Set(numbers)];
}

/** The group. Throws Failure (usage) if there is none. */
export function checkGroup(group: string | undefined | null): string {
  if (!group) throw new Failure("usage", "no group: use --group NAME");
  return group;
}
