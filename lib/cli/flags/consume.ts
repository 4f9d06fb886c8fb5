import { queryRanges } from "../../consume/query_ranges.ts";
import { MEMORY_LEAST, MEMORY_MAX, MEMORY_PROPERTY } from "../../consume/memory_limits.ts";
import { parseRanges } from "../../consume/ranges.ts";
import type { Assignment, ConsumeOptions, Range, Start, Until } from "../../consume/options.ts";
import { Failure } from "../../failure.ts";
import { matches, parsePattern } from "../../kafka/topic_pattern.ts";
import { segmentOf } from "../../greenplum/segment.ts";
import { shown } from "../../secret.ts";
import { connectionFlags } from "./connection.ts";
import { rowFlags, rowOptions } from "./rows.ts";
import type { Flag, Given } from "../flags.ts";
import type { Properties } from "../../properties/properties.ts";
import { checkTopic, parseCount, parseDuration, parseTime } from "../values.ts";

/** The consumer's flags. */
export const consumeFlags: readonly Flag[] = [
  {
    name: "topic",
    short: "t",
    value: "TOPIC",
    many: true,
    old: ["topic"],
    help: "read this topic; repeatable",
  },
  {
    name: "topics",
    value: "A,B",
    many: true,
    old: ["topics"],
    help: "read these topics",
  },
  {
    name: "topic-pattern",
    value: "REGEXP",
    help: "read all topics that this regular expression matches, such as ^orders_; new ones join",
  },
  {
    name: "group",
    short: "g",
    value: "GROUP",
    old: ["group"],
    help: "the consumer group; its offsets are read and committed (GPDB_Consumer_Group)",
  },
  {
    name: "offset",
    short: "o",
    value: "WHERE",
    old: ["offset"],
    help: "where to start: stored, earliest, latest, N, -N (N before the end) or @TIME (stored)",
  },
  {
    name: "fallback",
    value: "WHERE",
    help: "where a group's first run starts: earliest, latest or fail (earliest)",
  },
  {
    name: "on-lost",
    value: "WHERE",
    help: "if the offset no longer exists: fail, earliest or latest (fail)",
  },
  {
    name: "assign",
    value: "HOW",
    help: "which partitions: auto (a segment's share in Greenplum, else all), segment, all, or " +
      "group: the members of the group share them (auto)",
  },
  { name: "slot", value: "I/N", help: "read the partitions p with p mod N = I" },
  { name: "partition", value: "P,…", many: true, help: "read only these partitions" },
  {
    name: "ranges",
    value: "P:FROM-TO,…",
    help: "read exactly these offsets, TO exclusive; commits nothing",
  },
  {
    name: "ranges-from-query",
    help: "the same, from the comment that kafka.load puts before its statement",
  },
  {
    name: "until",
    value: "WHEN",
    help:
      "end: stop at the ends that the partitions have at the start; forever; idle=DUR: after DUR without records (end)",
  },
  { name: "max-records", short: "c", value: "N", help: "stop after N records became rows" },
  {
    name: "commit",
    value: "yes|no",
    help: "commit when all rows are written (yes; with -o or --ranges: no)",
  },
  {
    name: "isolation",
    value: "LEVEL",
    help: "read_committed or read_uncommitted (read_committed)",
  },
  ...rowFlags,
  { name: "stats", help: "print a JSON line with statistics on stderr at the end" },
  ...connectionFlags,
];

const starts = {
  stored: "stored",
  earliest: "earliest",
  oldest: "earliest",
  beginning: "earliest",
  latest: "latest",
  newest: "latest",
  end: "latest",
} as const;

/** What to do, from flags and environment. Throws Failure (usage) naming the wrong flag. */
export function consumeOptions(
  given: Given,
  env: (name: string) => string | undefined,
  properties: Properties = new Map(),
): ConsumeOptions {
  given.excludes("topic-pattern", ["topic", "topics"]);
  const topicPattern = given.has("topic-pattern")
    ? parsePattern("--topic-pattern", given.get("topic-pattern")!)
    : undefined;
  const topics = topicPattern ? [] : namedTopics(given);
  const [extra] = given.files;
  if (extra !== undefined) {
    throw new Failure("usage", `"${shown(extra)}" is not a flag; see --help`);
  }
  given.excludes("ranges", ["ranges-from-query"]);
  // Each of these says which offsets are read.
  for (const name of ["ranges", "ranges-from-query"]) {
    given.excludes(name, ["partition", "fallback"]);
  }
  const ranges = given.has("ranges")
    ? parseRanges(given.get("ranges")!)
    : given.has("ranges-from-query")
    ? queryRanges(env("GP_QUERY_STRING"), topics.length === 1 ? topics[0] : null)
    : null;
  const ofRanges = ranges && topicsOfRanges(ranges, topics, topicPattern);
  if (ranges !== null && given.has("offset")) {
    throw new Failure("usage", "--ranges and --offset exclude each other");
  }
  const start = parseStart(given.get("offset") ?? "stored");
  if (start.at !== "stored" && given.has("fallback")) {
    throw new Failure("usage", "--fallback requires --offset stored");
  }
  const explicit = ranges !== null || start.at !== "stored";
  const commit = given.choice("commit", ["yes", "no"], explicit ? "no" : "yes") === "yes";
  return {
    topics: ofRanges ?? topics,
    ...(topicPattern && ranges === null ? { topicPattern } : {}),
    group: given.get("group") ?? (properties.get("group.id") || "GPDB_Consumer_Group"),
    start,
    fallback: given.choice("fallback", ["earliest", "latest", "fail"], "earliest"),
    onLost: given.choice("on-lost", ["fail", "earliest", "latest"], "fail"),
    assignment: assignment(given, env),
    ranges,
    maxRecords: given.has("max-records")
      ? parseCount("--max-records", given.get("max-records")!, 1)
      : Infinity,
    commit,
    isolation: given.choice("isolation", ["read_committed", "read_uncommitted"], "read_committed"),
    ...rowOptions(given),
    until: parseUntil(given.get("until") ?? "end", ranges !== null),
    rack: properties.get("client.rack") ?? "",
    metadataMaxAge: parseMaxAge(properties),
    partitions: given.has("partition") ? parsePartitions(given.all("partition")) : null,
    checkCrcs: properties.get("check.crcs") !== "false",
    memoryMax: parseMemory(properties.get(MEMORY_PROPERTY)),
  };
}

/** The topics that are named, each once. */
function namedTopics(given: Given): string[] {
  const lists = given.all("topics").flatMap((list) => list.split(","));
  const topics = [...given.all("topic"), ...lists].map((topic) => topic.trim())
    .filter((topic) => topic !== "");
  if (topics.length === 0) throw new Failure("usage", "no topic: use --topic NAME");
  for (const topic of topics) checkTopic("--topic", topic);
  return [...new Set(topics)];
}

/** The topics that ranges name, or the only one. Throws Failure (usage) if one is not to be read. */
function topicsOfRanges(
  ranges: readonly Range[],
  topics: readonly string[],
  pattern: RegExp | undefined,
): string[] {
  const named = [...new Set(ranges.flatMap(({ topic }) => topic ?? []))];
  if (named.length === 0) {
    if (topics.length === 1) return [...topics];
    throw new Failure("usage", "--ranges: of several topics use TOPIC/PARTITION:FROM-TO,…");
  }
  const other = named.find((topic) => pattern ? !matches(pattern, topic) : !topics.includes(topic));
  if (other === undefined) return named;
  throw new Failure("usage", `--ranges: topic "${other}" is not one of those to be read`);
}

const units: Readonly<Record<string, number>> = { "": 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };

function parseMemory(text: string | undefined): number {
  if (text === undefined) return MEMORY_MAX;
  const [, digits, unit] = /^(\d{1,12})([kmg]?)$/i.exec(text) ?? [];
  const size = digits === undefined ? NaN : Number(digits) * units[unit.toLowerCase()];
  if (size >= MEMORY_LEAST) return size;
  throw new Failure(
    "usage",
    `${MEMORY_PROPERTY}: "${text}" is not a number of bytes, ${MEMORY_LEAST} or more — use 256m or 1g`,
  );
}

function parseStart(text: string): Start {
  if (Object.hasOwn(starts, text)) return { at: starts[text as keyof typeof starts] };
  if (/^\d{1,15}$/.test(text)) return { at: "offset", offset: Number(text) };
  if (/^-\d{1,15}$/.test(text)) return { at: "back", count: -Number(text) };
  if (text.startsWith("@")) return { at: "time", time: parseTime("--offset", text.slice(1)) };
  throw new Failure(
    "usage",
    `--offset: "${text}" is not one of stored, earliest, latest, N, -N, @TIME`,
  );
}

function parseUntil(text: string, hasRanges: boolean): Until {
  const [, idle] = /^idle=(.*)$/.exec(text) ?? [];
  if (text !== "end" && hasRanges) {
    throw new Failure("usage", "--until: --ranges says where to end");
  }
  if (idle !== undefined) return { idle: parseDuration("--until idle", idle) };
  if (text === "end" || text === "forever") return text;
  throw new Failure("usage", `--until: "${text}" is not one of end, forever, idle=DUR`);
}

/** A minute, unless Java's property or librdkafka's says otherwise; not so often that it would hurt. */
function parseMaxAge(properties: Properties): number {
  const names = ["topic.metadata.refresh.interval.ms", "metadata.max.age.ms"];
  const name = names.find((name) => properties.has(name));
  if (name === undefined) return 60_000;
  const text = properties.get(name)!;
  // librdkafka's -1: never.
  if (text === "-1") return 0x7fffffff;
  return Math.min(Math.max(parseCount(name, text, 0), 100), 0x7fffffff);
}

function parsePartitions(lists: readonly string[]): number[] {
  return lists.flatMap((list) => list.split(",")).map((text) =>
    parseCount("--partition", text.trim(), 0)
  );
}

function assignment(given: Given, env: (name: string) => string | undefined): Assignment {
  if (given.has("slot")) {
    const [, index, count] = /^(\d{1,6})\/(\d{1,6})$/.exec(given.get("slot")!) ?? [];
    if (index === undefined || Number(index) >= Number(count)) {
      throw new Failure("usage", `--slot: "${given.get("slot")}" is not I/N with 0 <= I < N`);
    }
    if (given.has("assign")) throw new Failure("usage", "--slot and --assign exclude each other");
    return { share: "slot", index: Number(index), count: Number(count) };
  }
  const how = given.choice("assign", ["auto", "segment", "all", "group"], "auto");
  if (how === "group") return groupAssignment(given);
  if (how === "all") return { share: "all" };
  const segment = segmentOf(env);
  if (segment) return { share: "slot", index: segment.id, count: segment.count };
  if (how === "auto") return { share: "all" };
  throw new Failure("usage", "--assign segment: GP_SEGMENT_ID and GP_SEGMENT_COUNT are not set");
}

/**
 * A member reads what the group gives it, from where the group's last reader of it stopped: what
 * says otherwise would read rows twice, or not at all, at each change of the members.
 */
function groupAssignment(given: Given): Assignment {
  for (const name of ["partition", "ranges", "ranges-from-query"]) {
    if (given.has(name)) {
      throw new Failure(
        "usage",
        `--${name}: with --assign group the group says which partitions are read`,
      );
    }
  }
  if ((given.get("offset") ?? "stored") !== "stored") {
    throw new Failure(
      "usage",
      "--offset: with --assign group reading starts at the stored offsets; see --fallback",
    );
  }
  if (given.get("commit") === "no") {
    throw new Failure(
      "usage",
      "--commit no: with --assign group members hand partitions over by what was committed",
    );
  }
  return { share: "group" };
}
