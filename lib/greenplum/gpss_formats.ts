import type { GpssContent } from "./gpss_job.ts";

/** What is collected while the settings are gone through; see `GpssFlags`. */
export interface Findings {
  flags: string[];
  notes: string[];
  blocked: string[];
}

/** A column of the reader: its name in expressions, and its type. */
export interface ReaderColumn {
  name: string;
  type: string;
  /** Only a place in the row: nothing refers to it. */
  ignored: boolean;
}

/** The value's columns; pushes the flags of its format. */
export function valueFlags(
  { format, columns, options, at }: GpssContent,
  found: Findings,
): ReaderColumn[] {
  const { flags, notes, blocked } = found;
  const read = columns.map(({ name, type }, i): ReaderColumn => ({
    name: name ?? `ignored_${i + 1}`,
    type,
    ignored: name === null,
  }));
  const single = (type: string): ReaderColumn[] => {
    if (read.length > 1) {
      blocked.push(`${at}: ${format} has ${read.length} columns — it is read as one: name one`);
    }
    return read.slice(0, 1).map((column) => ({ ...column, type: column.type || type }));
  };
  if (read.length === 0) {
    blocked.push(`${at}: it has no columns — name them`);
    return [];
  }
  switch (format) {
    case "json":
      if (options.text("is_jsonl") === "true") blocked.push(severalRows(options.at("is_jsonl")));
      options.text("newline");
      flags.push("--value", "field");
      return single("json");
    case "jsonl":
      options.text("newline");
      blocked.push(severalRows(at));
      return single("json");
    case "binary":
      flags.push("--value", "hex");
      return single("bytea");
    case "avro":
      avroFlags(options, found);
      return single("json");
    case "csv":
      csvFlags(options, found);
      return read;
    case "text":
    case "delimited":
      if (read.length > 1) {
        blocked.push(
          `${options.at("delimiter")}: only CSV is taken apart — read the value as one column ` +
            "(FORMAT: delimited with one column), and use split_part in the mapping",
        );
      }
      for (const option of ["delimiter", "eol_prefix", "quote", "escape"]) options.text(option);
      flags.push("--value", "field");
      if (read.length === 1) notes.push(`${at}: the whole value is the column ${read[0].name}`);
      return read;
    default:
      for (const option of ["name", "paramstr"]) options.text(option);
      blocked.push(
        `${at}: the formatter ${format} is not known here — read the value as one field (json, ` +
          "binary), and take it apart in the mapping",
      );
      return read;
  }
}

function severalRows(at: string): string {
  return `${at}: a record is one row here — write one JSON document into each record`;
}

function avroFlags(options: GpssContent["options"], { flags, notes, blocked }: Findings): void {
  flags.push("--value", "avro");
  const registry = options.text("schema_registry_addr") ?? options.text("schema_url");
  if (registry !== null) flags.push("--registry", registry.replaceAll(/\s/g, ""));
  const path = options.text("schema_path_on_gpdb");
  if (path !== null) flags.push("--schema", path);
  if (options.text("bytes_to_base64") === "true") {
    blocked.push(
      `${options.at("bytes_to_base64")}: bytes are written as \\x and digits — decode(…)`,
    );
  }
  const tls = ["schema_ca_on_gpdb", "schema_cert_on_gpdb", "schema_key_on_gpdb"]
    .filter((name) => options.has(name));
  for (const name of tls) {
    const property = { ca: "ca.location", cert: "certificate.location", key: "key.location" };
    const kind = name.split("_")[1] as keyof typeof property;
    notes.push(
      `${options.at(name)}: in the file of --config, as schema.registry.ssl.${property[kind]}`,
    );
  }
  if (options.has("schema_min_tls_version")) {
    notes.push(`${options.at("schema_min_tls_version")}: TLS 1.2 and 1.3 are used — nothing to do`);
  }
}

/** What `--value row` reads as it stands; anything else would be other rows. */
function csvFlags(options: GpssContent["options"], { blocked }: Findings): void {
  const only: [name: string, accepted: string[], todo: string][] = [
    ["delimiter", [","], "write the records with commas, or read them as one field"],
    ["quote", ['"'], "write the records with double quotes"],
    ["escape", ['"'], "a quote in quotes is doubled here"],
    ["null_string", [""], "an empty field without quotes is NULL here"],
    ["fill_missing_fields", ["false"], "a row has all its fields here"],
  ];
  for (const [name, accepted, todo] of only) {
    const value = options.text(name);
    if (value === null || accepted.includes(value.toLowerCase())) continue;
    blocked.push(`${options.at(name)}: "${value}" — ${todo}`);
  }
  if (options.has("force_not_null")) {
    blocked.push(`${options.at("force_not_null")}: use coalesce(COLUMN, '') in the mapping`);
  }
}

/** The key's one column, and what `--columns` calls it. */
export function keyOf(key: GpssContent, { blocked }: Findings) {
  const [column, ...more] = key.columns;
  for (const option of ["delimiter", "eol_prefix", "quote", "escape"]) key.options.text(option);
  if (column?.name === null || column === undefined) return null;
  if (more.length > 0 || key.format === "avro" || key.format === "custom") {
    blocked.push(`${key.at}: the key is read as one text — take it apart in the mapping`);
  }
  const item = key.format === "binary" ? "key:hex" : "key";
  return { name: column.name, type: column.type, item };
}
