import { type Findings, keyOf, type ReaderColumn, valueFlags } from "./gpss_formats.ts";
import { type GpssColumn, type GpssJob, sqlName } from "./gpss_job.ts";
import { quoteIdent } from "./quote.ts";

/** Types that the text of a key is without a cast. */
const texts = /^(text|varchar|character varying|char|character|bpchar)\b|^$/i;

/** What a record's key, value and metadata become: the fields of a row, filters and expressions. */
export function recordFlags(job: GpssJob, found: Findings): void {
  const { value, key, meta, mapping, merge, mode } = job;
  const { flags, blocked } = found;
  if (value === null) {
    blocked.push("the record's value: no column is read of it — load it as well, as a field");
    return;
  }
  const columns = valueFlags(value, found);
  const keyColumn = key === null ? null : keyOf(key, found);
  const rewrite = expressions(meta, keyColumn, found);
  const filter = job.input.filter === null ? null : rewrite(job.input.filter);
  const deleting = merge.text("delete_condition");
  const deletes = deleting === null || mode !== "merge"
    ? null
    : rewrite(targetNames(deleting, mapping ?? [], merge.at("delete_condition"), found));
  const selects = (mapping ?? []).map((
    [column, text],
  ): [string, string] => [column, rewrite(text)]);

  const items = [...rewrite.used].map((item) => `kafka_${item}=${item}`);
  if (keyColumn !== null) items.push(`${fieldName(keyColumn.name)}=${keyColumn.item}`);
  const order = orderField(job, columns, selects, found);
  const targets = direct(columns, selects);
  if (targets !== null && items.length === 0 && filter === null && mode === "insert") {
    for (const { name, type } of targets) {
      flags.push("--column", type === "" ? name : `${name}:${type}`);
    }
    return;
  }
  if (items.length > 0) flags.push("--columns", items.join(","));
  const whole = value.format === "avro" || order?.path !== undefined;
  if (whole && value.format === "json") flags[flags.indexOf("--value") + 1] = "json";
  const fields = columns.map(({ name, type }) =>
    `${fieldName(name)}${type === "" ? "" : `:${type}`}${whole ? "=." : ""}`
  );
  if (order?.path !== undefined) {
    fields.push(`${fieldName(order.name)}:${order.type ?? "text"}=${order.path}`);
  }
  flags.push("--fields", fields.join(", "));
  if (order !== null) flags.push("--merge-order", order.name);
  const names = new Set([...columns.map(({ name }) => name), keyColumn?.name]);
  for (const [column, text] of selects) {
    // A field with the column's name needs no expression.
    if (column === order?.name && order.path !== undefined) continue;
    if (!(names.has(column) && isName(text, column))) {
      flags.push("--select", `${quoteIdent(column)}=${text}`);
    }
  }
  unmapped(columns, mapping, found);
  if (filter !== null) flags.push("--where", filter);
  if (deletes !== null) flags.push("--delete-when", deletes);
}

/** The field that says which record of a key is the last; a computed one is read by its path. */
function orderField(
  { mode, merge, value }: GpssJob,
  columns: readonly ReaderColumn[],
  selects: readonly [string, string][],
  { blocked }: Findings,
): { name: string; path?: string; type?: string } | null {
  const [column, ...more] = merge.texts("order_columns").map(sqlName);
  if (mode !== "merge" || column === undefined || more.length > 0) return null;
  const text = selects.find(([name]) => name === column)?.[1] ?? column;
  const field = columns.find(({ name }) => isName(text, name));
  if (field !== undefined) return { name: field.name };
  const found = value?.format === "json" || value?.format === "avro"
    ? jsonPath(text, columns[0]?.name ?? "")
    : null;
  if (found !== null) return { name: column, ...found };
  blocked.push(
    `${
      merge.at("order_columns")
    }: ${column} is computed, and --merge-order is a field of the record ` +
      "— order by a field of the value",
  );
  return null;
}

/** `(c1->'after'->>'id')::int` is the path after.id of the column c1. */
function jsonPath(text: string, column: string): { path: string; type?: string } | null {
  const match =
    /^\(*\s*("?[\w$]+"?)((?:\s*->\s*'[^']+')*)\s*->>\s*'([^']+)'\s*\)*(?:\s*::\s*([\w ]+))?\)*$/
      .exec(text.trim());
  if (!match || sqlName(match[1]) !== column) return null;
  const steps = [...match[2].matchAll(/'([^']+)'/g)].map(([, step]) => step);
  return { path: [...steps, match[3]].map(fieldName).join("."), type: match[4]?.trim() };
}

/** The names of the metadata, and what they are in the expressions here. */
const metadata: Record<string, string> = {
  topic: "kafka_topic",
  partition: "kafka_partition",
  offset: "kafka_offset",
};

/**
 * Rewrites expressions: `meta->>'offset'` is the field kafka_offset here, and a key that is not a
 * text is cast. `used` are the metadata that were met.
 */
function expressions(
  meta: GpssColumn | null,
  key: { name: string; type: string; item: string } | null,
  { blocked }: Findings,
) {
  const used = new Set<string>();
  let isReported = false;
  const rewrite = (text: string): string => {
    // FILTER may end with a semicolon; ext is the record there.
    let result = text.replace(/[;\s]+$/, "").replaceAll(/\bext\.(?=[\w"])/g, "");
    if (meta?.name) {
      const name = escaped(meta.name);
      result = result.replaceAll(
        new RegExp(`(?<![\\w.])"?${name}"?\\s*->>\\s*'(topic|partition|offset)'`, "gi"),
        (_, item: string) => {
          used.add(item.toLowerCase());
          return `${metadata[item.toLowerCase()]}::text`;
        },
      );
      if (!isReported && mentions(result, meta.name)) {
        isReported = true;
        blocked.push(
          `${meta.name} in "${result}": of the metadata only topic, partition and offset are read, ` +
            `each as ${meta.name}->>'NAME' — --columns has the timestamp, too`,
        );
      }
    }
    if (key !== null && (!texts.test(key.type) || key.item !== "key")) {
      const pattern = new RegExp(`(?<![\\w."])"?${escaped(key.name)}"?(?![\\w"])`, "g");
      result = result.replaceAll(pattern, `(${quoteIdent(key.name)}::${key.type})`);
    }
    return result;
  };
  return Object.assign(rewrite, { used });
}

/** `ext.COLUMN` may be a column of the target: then it is what the mapping makes of it. */
function targetNames(
  text: string,
  mapping: readonly [string, string][],
  at: string,
  { blocked }: Findings,
): string {
  if (/\binto_table\./.test(text)) {
    blocked.push(`${at}: it asks what is in the table — only the record's own columns can be used`);
  }
  return text.replaceAll(/\bext\.(\w+)/g, (whole, name: string) => {
    const expression = mapping.find(([column]) => column === name.toLowerCase())?.[1];
    return expression === undefined ? whole : `(${expression})`;
  });
}

/**
 * The table's columns in the order of the value's fields, if the mapping only names each field
 * once, or if there is none: then rows are inserted as they come.
 */
function direct(
  columns: readonly ReaderColumn[],
  selects: readonly [string, string][],
): { name: string; type: string }[] | null {
  if (columns.some(({ ignored }) => ignored)) return null;
  if (selects.length === 0) return [...columns];
  if (selects.length !== columns.length) return null;
  const targets = columns.map(({ name, type }) => {
    const found = selects.filter(([, text]) => isName(text, name));
    return found.length === 1 ? { name: found[0][0], type } : null;
  });
  return targets.every((target) => target !== null) ? targets : null;
}

/** A field with the name of a column of the table is loaded, whatever the mapping says. */
function unmapped(
  columns: readonly ReaderColumn[],
  mapping: readonly [string, string][] | null,
  { notes }: Findings,
): void {
  if (mapping === null) return;
  const left = columns.filter(({ name, ignored }) =>
    !ignored && !mapping.some(([column]) => column === name)
  );
  if (left.length === 0) return;
  notes.push(
    `mapping: a column of the table that is called ${left.map(({ name }) => name).join(" or ")} ` +
      "would be loaded, too — rename it in the file if the table has it",
  );
}

/** Whether an expression is a column's name alone. */
function isName(text: string, name: string): boolean {
  const bare = text.trim();
  return bare === quoteIdent(name) || (/^[\w$]+$/.test(bare) && bare.toLowerCase() === name);
}

function mentions(text: string, name: string): boolean {
  return new RegExp(`(?<![\\w.'"])"?${escaped(name)}"?(?![\\w'"])`).test(text);
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

/** A name in the list of `--fields` and `--columns`. */
function fieldName(name: string): string {
  return /^[\w$]+$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
}
