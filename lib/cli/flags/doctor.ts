import type { DoctorOptions } from "../../doctor/options.ts";
import type { RowOptions } from "../../doctor/rows.ts";
import { Failure } from "../../failure.ts";
import { wordsOf } from "../../greenplum/quote.ts";
import { shown } from "../../secret.ts";
import { connectionFlags, openConfig, readProperties } from "./connection.ts";
import type { Console } from "../console.ts";
import { givenDsn } from "./dsn.ts";
import { consumeFlags, consumeOptions } from "./consume.ts";
import { rowFlags } from "./rows.ts";
import { type Flag, type Given, parseFlags } from "../flags.ts";
import type { Properties } from "../../properties/properties.ts";
import { parseTable } from "./sql_values.ts";
import { checkTopic, parseCount, parseDuration } from "../values.ts";
import { version } from "../version.ts";

/** Flags of the consumer that say what a row is. */
const readerFlags = rowFlags.filter(({ name }) => name !== "bad-record");
const readerNames = readerFlags.map(({ name }) => name);

/** Flags of doctor: its own, and those that every command has. */
export const doctorFlags: readonly Flag[] = [
  { name: "topic", short: "t", value: "TOPIC", help: "check this topic too" },
  {
    name: "group",
    short: "g",
    value: "GROUP",
    help: "check this group's offsets (GPDB_Consumer_Group)",
  },
  { name: "dsn", value: "URL", help: "check the database too (else env DATABASE_URL)" },
  {
    name: "source",
    value: "NAME",
    help: "a source of kafka.load; gives the topic, the table, the group and the reader",
  },
  { name: "table", value: "TABLE", help: "compare the rows with this table's columns" },
  { name: "rows", value: "N", help: "check the last N records of each partition (100)" },
  ...readerFlags.map((flag) => ({ ...flag, help: `as the consumer's --${flag.name}` })),
  {
    name: "program",
    value: "PATH",
    help: "the consumer on the database's hosts (the source's, else $HOME/kafka_consumer)",
  },
  ...connectionFlags.map((flag) =>
    flag.name === "timeout" ? { ...flag, help: "time limit of each check (10s)" } : flag
  ),
];

/** What overrides a source's own brokers: flags and properties, not the environment. */
const brokerProperties = ["bootstrap.servers", "metadata.broker.list"];

/** What the flags ask of doctor. Throws Failure (usage). */
export async function doctorOptions(
  given: Given,
  env: (name: string) => string | undefined,
  console: Console,
): Promise<DoctorOptions> {
  const [extra] = given.files;
  if (extra !== undefined) {
    throw new Failure("usage", `"${shown(extra)}" is not a flag; see --help`);
  }
  const timeout = parseDuration("--timeout", given.get("timeout") ?? "10s");
  const properties = await readProperties(given, env, console);
  // Certificates and logins are a check of their own: what is wrong with them is a finding.
  const config = { ...openConfig(given, env, console, "gpdb-kafka-doctor", properties), timeout };
  const dsn = givenDsn(given, env);
  for (const flag of ["source", "table", "program"]) {
    if (given.has(flag) && dsn === null) {
      throw new Failure("usage", `--${flag}: no database: use --dsn postgres://user@host/database`);
    }
  }
  for (const flag of ["table", "topic", "group", ...readerNames]) {
    if (flag === "registry") continue; // the source's programs may have it from their own file
    if (given.has(flag) && given.has("source")) {
      throw new Failure("usage", `--${flag}: --source gives it already — leave it out`);
    }
  }
  for (const flag of ["rows", ...readerNames]) {
    if (given.has(flag) && !given.has("topic") && !given.has("source")) {
      throw new Failure("usage", `--${flag} requires --topic or --source`);
    }
  }
  const isSecure = [...properties.keys()].some((key) => key.startsWith("security."));
  const file = given.get("config") ?? (env("KAFKA_CONFIG") || undefined);
  return {
    config,
    security: () => security(properties, env),
    brokersAreGiven: given.has("brokers") || brokerProperties.some((key) => properties.has(key)),
    topic: given.has("topic") ? checkTopic("--topic", given.get("topic")) : null,
    group: given.get("group") ?? (properties.get("group.id") || "GPDB_Consumer_Group"),
    dsn,
    source: given.get("source") ?? null,
    table: given.has("table") ? parseTable(given.get("table")!) : null,
    rows: rowOptions(
      given.has("source")
        ? []
        : readerNames.flatMap((name) => given.all(name).flatMap((value) => [`--${name}`, value])),
    ),
    rowsOfCommand: (command) =>
      rowOptions(wordsOf(command).slice(1).filter((w) => w !== "--ranges-from-query")),
    registry: async (urls) => {
      const { registryConfig } = await import("../../registry/settings.ts");
      const own = given.all("registry");
      return await registryConfig({
        urls: own.length > 0 ? own : urls,
        ...{ properties, env, timeout, debug: console.debug },
      });
    },
    readerOf: async (command) =>
      await (await import("./source_reader.ts")).sourceReader(command, console),
    sample: parseCount("--rows", given.get("rows") ?? "100", 1),
    program: given.get("program") ?? null,
    // A properties file is looked for at the same path there.
    programArgs: isSecure && file === undefined
      ? null
      : [...(file === undefined ? [] : ["--config", file]), "--brokers", config.brokers.join(",")],
    version,
  };
}

async function security(properties: Properties, env: (name: string) => string | undefined) {
  const { securityConfig } = await import("../../properties/security.ts");
  return await securityConfig(properties, env);
}

/** How a consumer with these arguments makes rows, by the tables that it parses them with. */
function rowOptions(args: readonly string[]): RowOptions {
  const named = args.some((word) => /^--topic(s|-pattern)?$/.test(word));
  const given = parseFlags(consumeFlags, named ? args : ["--topic", "x", ...args]);
  const none = new Map<string, string>();
  const options = consumeOptions(given, () => undefined, none);
  const { value, csv, columns, tombstones, isolation, badRecord } = options;
  const { fields, key, keyFields, schema } = options;
  return {
    ...{ value, csv, columns, tombstones, isolation, badRecord, fields, key, keyFields, schema },
    registries: given.all("registry"),
  };
}
