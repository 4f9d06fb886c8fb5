import { connectionFlags } from "./connection.ts";
import { checkGroup, givenTopics } from "./offsets.ts";
import { Failure } from "../../failure.ts";
import type { Dsn } from "../../load/dsn.ts";
import { neededDsn } from "./dsn.ts";
import { shown } from "../../secret.ts";
import type { Flag, Given } from "../flags.ts";
import { parseDuration } from "../values.ts";

export const lagFlags: readonly Flag[] = [
  { name: "group", short: "g", value: "GROUP", help: "the lag of this group" },
  {
    name: "topic",
    short: "t",
    value: "TOPIC",
    many: true,
    help: "only in this topic; repeatable (all topics for which the group has stored offsets)",
  },
  {
    name: "source",
    value: "NAME",
    help: "a source of kafka.load: its group and topics, and the offsets in its database",
  },
  { name: "dsn", value: "URL", help: "the database of --source (else env DATABASE_URL)" },
  {
    name: "watch",
    help: "keep running, and show how fast the lag changes; a terminal is redrawn in place",
  },
  {
    name: "interval",
    value: "DUR",
    help:
      "time between two samples (2s); without --watch: take two samples, to show how fast it changes",
  },
  { name: "json", help: "print a JSON line for each sample" },
  ...connectionFlags,
];

export interface LagOptions {
  /** The group; null: that of the source. */
  group: string | null;
  topics: string[];
  source: { name: string; dsn: Dsn } | null;
  watch: boolean;
  /** Between samples, milliseconds; null: one sample is enough. */
  interval: number | null;
  json: boolean;
}

/** What to do, from flags and environment. Throws Failure (usage). */
export function lagOptions(given: Given, env: (name: string) => string | undefined): LagOptions {
  const [extra] = given.files;
  if (extra !== undefined) {
    throw new Failure("usage", `"${shown(extra)}" is not a flag; see --help`);
  }
  const source = lagSource(given, env);
  const watch = given.has("watch");
  return {
    group: source ? null : checkGroup(given.get("group")),
    topics: givenTopics(given),
    source,
    watch,
    interval: given.has("interval")
      ? parseDuration("--interval", given.get("interval")!)
      : watch
      ? 2000
      : null,
    json: given.has("json"),
  };
}

function lagSource(given: Given, env: (name: string) => string | undefined) {
  const name = given.get("source");
  if (name === undefined) {
    if (given.has("dsn")) throw new Failure("usage", "--dsn requires --source");
    return null;
  }
  for (const flag of ["group", "topic"]) {
    if (given.has(flag)) {
      throw new Failure("usage", `--${flag}: --source gives it already — leave it out`);
    }
  }
  return { name, dsn: neededDsn(given, env) };
}
