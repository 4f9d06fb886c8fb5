import { Failure } from "../failure.ts";
import type { Findings } from "./gpss_formats.ts";
import { type GpssJob, readGpssJob, sqlName } from "./gpss_job.ts";
import type { GpssNode } from "./gpss_node.ts";
import { recordFlags } from "./gpss_record.ts";
import { quoteIdent } from "./quote.ts";

/** What a load file of Greenplum Streaming Server is as flags of `gpdb-kafka sql source`. */
export interface GpssFlags {
  /** A name for the source: the table's. */
  name: string;
  /** One word each: `--topic`, `orders`. */
  flags: string[];
  /** Settings that no flag stands for, and what to do: a line each. */
  notes: string[];
  /** The same of settings without which other rows would be loaded: there is no such source. */
  blocked: string[];
}

/**
 * Reads a load file, as YAML has made it; `at` is what messages begin with. Throws Failure (usage)
 * if it is of another version or another source, or is not a load file at all.
 */
export function gpssFlags(document: unknown, at = "the load file"): GpssFlags {
  try {
    return convert(readGpssJob(document));
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    throw new Failure(error.kind, `cannot read ${at}: ${error.message}`);
  }
}

function convert(job: GpssJob): GpssFlags {
  const found: Findings = { flags: [], notes: [], blocked: [] };
  const table = job.target.needed("table");
  const [own, schema] = table.includes(".") && !table.startsWith('"')
    ? [table.slice(table.indexOf(".") + 1), table.slice(0, table.indexOf("."))]
    : [table, job.target.text("schema") ?? "public"];
  found.flags.push("--topic", job.source.needed("topic"));
  found.flags.push("--table", [schema, own].map((name) => written(sqlName(name))).join("."));
  found.flags.push("--brokers", brokers(job.source.needed("brokers")));
  sourceFlags(job, found);
  recordFlags(job, found);
  inputFlags(job, found);
  mergeFlags(job, found);
  commitFlags(job, found);
  propertyFlags(job.properties, found);
  databaseNotes(job.database, found);
  knownNotes(job, found);
  for (const setting of job.whole.unknown()) {
    found.blocked.push(`${setting}: not a setting that is known here — remove it from the file`);
  }
  return { name: sqlName(own), ...found };
}

/** A name for `--table`, which reads it as SQL does. */
function written(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) ? name : quoteIdent(name);
}

/** GPSS adds the port if there is none. */
function brokers(text: string): string {
  return text.split(",").map((one) => one.trim()).filter((one) => one !== "")
    .map((one) => /:\d+$/.test(one) ? one : `${one}:9092`).join(",");
}

function sourceFlags({ source }: GpssJob, { flags, blocked }: Findings): void {
  const fallback = source.text("fallback_offset")?.toLowerCase();
  // There it is what happens at offsets that are gone; a first load starts at the earliest.
  if (fallback === "earliest" || fallback === "latest") flags.push("--on-lost", fallback);
  else if (fallback !== undefined) {
    blocked.push(
      `${
        source.at("fallback_offset")
      }: "${fallback}" is not one of its values — use earliest or latest`,
    );
  }
  if (source.has("partitions")) {
    blocked.push(
      `${
        source.at("partitions")
      }: a source reads all partitions of its topic — remove the setting; ` +
        "several files of one topic and table become one source",
    );
  }
}

function inputFlags({ input, target }: GpssJob, { flags, notes, blocked }: Findings): void {
  const limit = input.node.text("error_limit");
  if (limit !== null && /^\d+%?$/.test(limit)) {
    const number = parseInt(limit);
    if (number === 1 && !limit.endsWith("%")) {
      flags.push("--reject-limit", "2");
      notes.push(`${input.node.at("error_limit")}: 1 becomes --reject-limit 2, the least there is`);
    } else if (number > 0) flags.push("--reject-limit", limit);
    if (number > 0) {
      notes.push(
        `${
          input.node.at("error_limit")
        }: --reject-limit counts the rows of one segment in one load`,
      );
    }
  } else if (limit !== null) {
    blocked.push(
      `${
        input.node.at("error_limit")
      }: "${limit}" is not a limit — use a number of rows, or a percentage`,
    );
  }
  if (target !== input.node && target.has("filter")) {
    blocked.push(
      `${
        target.at("filter")
      }: a filter of mapped rows — write it over the record's columns, as the ` +
        "input's filter",
    );
  }
}

function mergeFlags({ mode, merge, mapping }: GpssJob, { flags, blocked }: Findings): void {
  const names = (key: string) => merge.texts(key).map(sqlName);
  const [match, order, update] = ["match_columns", "order_columns", "update_columns"].map(names);
  const condition = merge.text("update_condition");
  if (mode === "insert") return; // GPSS does not look at these then
  if (mode !== "merge") {
    blocked.push(
      `${
        merge.at("mode")
      }: ${mode} changes only rows that exist — merge also inserts the others: ` +
        "set MODE to MERGE if that is right, else load into a table of its own and run UPDATE",
    );
    return;
  }
  if (match.length === 0) {
    blocked.push(`${merge.at("match_columns")}: missing — a merge requires the key's columns`);
    return;
  }
  flags.push("--merge", match.join(","));
  if (order.length > 1) {
    blocked.push(
      `${merge.at("order_columns")}: ${
        order.join(", ")
      } — --merge-order accepts one field: keep one`,
    );
  }
  const written = [...match, ...update];
  const kept = (mapping ?? []).map(([column]) => column)
    .filter((column) => !written.includes(column) && !order.includes(column));
  if (update.length > 0 && kept.length > 0) {
    blocked.push(
      `${merge.at("update_columns")}: a merge here replaces the whole row, ${
        kept.join(", ")
      } too — ` +
        "add these columns, or take them out of the mapping",
    );
  }
  if (condition !== null) {
    blocked.push(
      `${
        merge.at("update_condition")
      }: a merge here replaces every row with the key — remove it, ` +
        "or leave such records out by FILTER",
    );
  }
}

function commitFlags({ commit, consistency }: GpssJob, { flags, notes }: Findings): void {
  for (const name of ["max_row", "max_count"]) {
    const rows = commit.text(name);
    if (rows === null || rows === "0") continue;
    flags.push("--max-records", rows);
    notes.push(`${commit.at(name)}: --max-records counts the records of each partition`);
  }
  for (const name of ["minimal_interval", "interval_ms", "idle_duration_ms"]) {
    const wait = commit.text(name);
    if (wait === null) continue;
    notes.push(
      `${commit.at(name)}: of the load command — gpdb-kafka load SOURCE --every ${wait}ms`,
    );
  }
  if (consistency !== null && consistency.toLowerCase() !== "strong") {
    notes.push(`consistency "${consistency}": loads here are always exactly once`);
  }
}

function propertyFlags(properties: GpssNode, { flags, notes }: Findings): void {
  const others: string[] = [];
  for (const [name, value] of properties.entries()) {
    const key = name.toLowerCase();
    if (key === "isolation.level") flags.push("--isolation", value);
    else if (key === "group.id") flags.push("--group", value);
    // A source starts at the earliest offset, unless a flag says otherwise.
    else if (key === "auto.offset.reset" && /^(earliest|latest)$/.test(value)) {
      flags.push("--fallback", value);
    } else others.push(name);
  }
  if (others.length === 0) return;
  notes.push(
    `${properties.path}: put ${
      others.join(", ")
    } into a file on every segment host, and name it by ` +
      "--config FILE",
  );
}

/** Where the database is, is not part of a source. */
function databaseNotes(database: GpssNode, { notes }: Findings): void {
  const [host, port, name] = ["host", "port", "database"].map((key) => database.text(key));
  database.text("user");
  if (database.has("password")) {
    notes.push(`${database.at("password")}: not carried over — use env PGPASSWORD`);
  }
  if (host === null && name === null) return;
  const dsn = `postgres://user@${host ?? "localhost"}:${port ?? 5432}/${name ?? ""}`;
  notes.push(
    `${database.at("host")}, ${database.at("port")}, ${database.at("user")}, ` +
      `${database.at("database")}: of the commands that connect — --dsn ${dsn}`,
  );
}

/** Settings that need nothing here, or something else than a flag of a source. */
const known: Record<string, string> = {
  metadata: "the history is kept in schema kafka — nothing to do",
  work_schema: "nothing is made there — nothing to do",
  poll: "records are fetched in large answers — nothing to do",
  encryption: "the segments read Kafka themselves — nothing to do",
  local_hostname: "there is no gpfdist — nothing to do",
  local_port: "there is no gpfdist — nothing to do",
  save_failing_batch: "a load that fails leaves nothing behind, and its records stay in Kafka",
  recover_failing_batch: "a load that fails leaves nothing behind, and its records stay in Kafka",
  schedule: "of the load command — gpdb-kafka load SOURCE --once or --every, --timeout",
  alert: "alerts are made of metrics — docs/monitoring.md",
  post_batch_sql: "run it after kafka.load, in the same transaction",
  window_statement: "run it after kafka.load, in the same transaction",
  batch_interval: "of the statement after each batch — nothing to do",
  window_size: "of the statement after each batch — nothing to do",
  prepare_sql: "run it before the first load",
  prepare_statement: "run it before the first load",
  teardown_sql: "run it after the last load",
  teardown_statement: "run it after the last load",
};

const blocking: Record<string, string> = {
  transformer: "code of GPSS cannot run here — do it by --select, or by a trigger of the table",
};

function knownNotes(job: GpssJob, { notes, blocked }: Findings): void {
  const nodes = new Set([...job.others, job.task, job.source, job.input.node, job.target]);
  for (const node of nodes) {
    for (const [name, todo] of Object.entries(known)) {
      if (node.has(name)) notes.push(`${node.at(name)}: ${todo}`);
    }
    for (const [name, todo] of Object.entries(blocking)) {
      if (node.has(name)) blocked.push(`${node.at(name)}: ${todo}`);
    }
  }
  const encodings = [...nodes].filter((node) => node.has("encoding"));
  for (const node of encodings) {
    if (/^utf-?8$/i.test(node.text("encoding")!)) continue;
    blocked.push(`${node.at("encoding")}: records are read as UTF-8 — convert them before`);
  }
}
