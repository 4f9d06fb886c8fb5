import { Failure } from "../failure.ts";
import { GpssNode } from "./gpss_node.ts";

/** A column of a record as a load file describes it; the name is null for `__IGNORED__`. */
export interface GpssColumn {
  name: string | null;
  type: string;
}

/** How a record's key or value is read. */
export interface GpssContent {
  /** `json`, `csv`, `delimited`, `avro`, `binary` and others, in lower case. */
  format: string;
  columns: GpssColumn[];
  /** The format's options. */
  options: GpssNode;
  /** Where it is in the file, for messages. */
  at: string;
}

/** The parts of a load file that say the same in each version. */
export interface GpssJob {
  /** Brokers, topic, fallback. */
  source: GpssNode;
  value: GpssContent | null;
  key: GpssContent | null;
  /** The column that the record's topic, partition and offset are in. */
  meta: GpssColumn | null;
  /** Filter and error limit. */
  input: { node: GpssNode; filter: string | null };
  target: GpssNode;
  mode: string;
  /** The columns and conditions of `update` and `merge`. */
  merge: GpssNode;
  /** Target column and expression; null without a mapping. */
  mapping: [column: string, expression: string][] | null;
  /** Settings of batches: each may have a note. */
  commit: GpssNode;
  task: GpssNode;
  consistency: string | null;
  properties: GpssNode;
  database: GpssNode;
  /** Nodes whose settings are known by name only. */
  others: GpssNode[];
  /** All of the file. */
  whole: GpssNode;
}

/**
 * Reads a load file of version 2 or 3 as YAML has made it. Throws Failure (usage) if it is of
 * another version or of another source than Kafka, or lacks what every job has.
 */
export function readGpssJob(document: unknown): GpssJob {
  const whole = new GpssNode(document, "");
  const version = whole.text("version");
  switch (version?.toLowerCase().replace(/^v/, "")) {
    case "2":
      return version2(whole);
    case "3":
      return version3(whole);
    case undefined:
    case "1":
      throw new Failure(
        "usage",
        "VERSION is 1 (the default) — bring the file to version 2 or 3 first",
      );
    default:
      throw new Failure("usage", `VERSION is "${version}" — only 2 and 3 are known`);
  }
}

function version2(whole: GpssNode): GpssJob {
  const kafka = whole.child("kafka");
  if (!whole.has("kafka")) throw new Failure("usage", "KAFKA is missing — only Kafka is read");
  const input = kafka.child("input");
  const output = one(
    kafka.has("outputs") ? kafka.children("outputs") : kafka.children("output"),
    () => kafka.at(kafka.has("outputs") ? "outputs" : "output"),
  );
  const metaNode = input.child("meta");
  const commit = kafka.child("commit");
  metaNode.text("format"); // always json
  return {
    source: input.child("source"),
    value: content2(input, "value"),
    key: content2(input, "key"),
    meta: columnsOf(metaNode)[0] ?? null,
    input: { node: input, filter: input.text("filter") },
    target: output,
    mode: (output.text("mode") ?? "insert").toLowerCase(),
    merge: output,
    mapping: mappingOf(output),
    commit,
    task: kafka.child("task"),
    consistency: commit.text("consistency"),
    properties: kafka.child("properties"),
    database: whole,
    others: [kafka, whole],
    whole,
  };
}

function version3(whole: GpssNode): GpssJob {
  const target = one(whole.children("targets"), () => whole.at("targets")).child("gpdb");
  const sourceNode = one(whole.children("sources"), () => whole.at("sources"));
  if (!sourceNode.has("kafka")) {
    throw new Failure("usage", `${sourceNode.path} has no kafka — only Kafka is read`);
  }
  const source = sourceNode.child("kafka");
  const table = one(target.children("tables"), () => target.at("tables"));
  const modes = table.child("mode");
  const mode = ["update", "merge", "insert"].find((name) => modes.has(name)) ?? "insert";
  const task = source.has("task") ? source.child("task") : source.child("window");
  const option = whole.child("option");
  const metaNode = source.child("meta").child("json");
  return {
    source,
    value: content3(source, "value_content"),
    key: content3(source, "key_content"),
    meta: columnsOf(metaNode)[0] ?? null,
    input: { node: target, filter: target.text("filter_expression") },
    target: table,
    mode,
    merge: mode === "insert" ? modes : modes.child(mode),
    mapping: mappingOf(table),
    commit: task.child("batch_size"),
    task,
    consistency: source.text("consistency"),
    properties: source.child("rdkafka_prop"),
    database: target,
    others: [source, option, target],
    whole,
  };
}

/** A source has one target: throws Failure (usage) if there are more, or none. */
function one(nodes: readonly GpssNode[], at: () => string): GpssNode {
  if (nodes.length === 1) return nodes[0];
  if (nodes.length === 0) throw new Failure("usage", `${at()} is missing`);
  throw new Failure(
    "usage",
    `${at()} has ${nodes.length} items — make a file, and a source, of each`,
  );
}

function content2(input: GpssNode, name: string): GpssContent | null {
  if (!input.has(name)) return null;
  const node = input.child(name);
  const format = node.needed("format").toLowerCase();
  return {
    format,
    columns: columnsOf(node),
    options: node.child(`${format}_option`),
    at: input.at(name),
  };
}

const formats = ["json", "csv", "delimited", "avro", "binary", "custom", "jsonl", "text"];

function content3(source: GpssNode, name: string): GpssContent | null {
  if (!source.has(name)) return null;
  const node = source.child(name);
  const format = formats.find((format) => node.has(format));
  if (format === undefined) {
    throw new Failure(
      "usage",
      `${source.at(name)} has no format that is known: ${formats.join(", ")}`,
    );
  }
  const options = node.child(format);
  return { format, columns: columnsOf(options), options, at: options.path };
}

/** `columns`, `column`, or version 3's name alone. */
function columnsOf(node: GpssNode): GpssColumn[] {
  const nodes = [...node.children("columns"), ...node.children("column")];
  const single = node.text("source_column_name");
  if (single !== null) return [{ name: sqlName(single), type: "" }];
  return nodes.map((column) => {
    const name = column.needed("name");
    const type = column.text("type") ?? "text";
    return { name: name === "__IGNORED__" ? null : sqlName(name), type };
  });
}

/** A list of NAME and EXPRESSION, or a map. */
function mappingOf(node: GpssNode): [string, string][] | null {
  if (!node.has("mapping")) return null;
  const items = node.children("mapping");
  if (items.some((item) => item.has("expression"))) {
    return items.map((item) => [sqlName(item.needed("name")), item.needed("expression")]);
  }
  return items.flatMap((item) =>
    item.entries().map(([column, expression]): [string, string] => [sqlName(column), expression])
  );
}

/** A name as SQL reads it: `Id` is id, `"Id"` is not. */
export function sqlName(text: string): string {
  return /^"(?:[^"]|"")+"$/.test(text)
    ? text.slice(1, -1).replaceAll('""', '"')
    : text.toLowerCase();
}
