import { Buffer } from "node:buffer";
import { Failure } from "../../failure.ts";
import { quoteArray, quoteIdent, quoteLiteral } from "../../greenplum/quote.ts";
import { ABSENT, type Field } from "../../greenplum/shape.ts";
import type { Column } from "../../greenplum/source.ts";
import type { ListedField } from "./field_list.ts";

/**
 * What Debezium writes for a value that the log of its database did not have, since an UPDATE did
 * not change it (unavailable.value.placeholder): as a text, and as its bytes and arrays become texts
 * in JSON and Avro.
 */
const placeholder = "__debezium_unavailable_value";
const bytes = Buffer.from(placeholder);
const placeholders = [
  placeholder,
  bytes.toString("base64"),
  bytes.toString("hex"),
  `\\x${bytes.toString("hex")}`,
  `["${placeholder}"]`,
  `[${[...bytes].join(",")}]`,
  `{"${placeholder}":"${placeholder}"}`,
];

/** Types that the reader's columns have; values of others are looked at as texts first. */
const fixed =
  /^(smallint|integer|bigint|int[248]?|boolean|bool|real|double precision|float[48]?|uuid|oid)$/i;

/** Types whose values are never left out of the database's log. */
const short = /^(date|time|timestamp|timestamptz|timetz|interval)\b/i;

/**
 * The fields of a change event. JSON may have the whole event in `payload`, beside its schema; so
 * each field is read at both places, and a key also of the row before a delete.
 * Throws Failure (usage) if a field has a type that Debezium's JSON would be read wrongly as.
 */
export function debezium(
  fields: readonly ListedField[],
  typed: (field: ListedField) => Column,
  keys: readonly string[],
  value: string,
): { columns: Column[]; fields: Field[]; paths: string[] } {
  const roots = value === "json" ? ["", "payload."] : [""];
  const columns: Column[] = [];
  const paths: string[] = [];
  const origin = (name: string, type: string, places: readonly string[]) => {
    const names = places.map((place, i) => {
      const column = i === 0 ? name : `kafka$${name}$${i}`;
      columns.push({ name: column, type });
      paths.push(place);
      return quoteIdent(column);
    });
    return names.length === 1 ? names[0] : `coalesce(${names.join(", ")})`;
  };
  const absent: { name: string; isAbsent: string }[] = [];
  const made = fields.map((field): Field => {
    const { name, type } = typed(field);
    if (value === "json" && /^bytea$/i.test(type)) {
      throw new Failure(
        "usage",
        `--fields: "${name}" is bytea, which Debezium writes as a base64 text — use --fields '${name}:text' ` +
          `and --select "${name} = decode(${quoteIdent(name)}, 'base64')"`,
      );
    }
    const isKey = keys.includes(name);
    const sides = isKey ? ["after.", "before."] : ["after."];
    const places = sides.flatMap((side) => roots.map((root) => `${root}${side}${field.path}`));
    if (fixed.test(type)) return { name, type, origin: origin(name, type, places) };
    const text = origin(name, "text", places);
    if (short.test(type)) return { name, type, origin: temporal(type, text) };
    if (isKey) return { name, type, origin: text };
    const isAbsent = `${text} = ANY (${quoteArray(placeholders)})`;
    absent.push({ name, isAbsent });
    return { name, type, origin: `CASE WHEN NOT ${isAbsent} THEN ${text} END` };
  });
  const operation = { name: "kafka$op", type: "text" };
  const op = origin(operation.name, operation.type, roots.map((root) => `${root}op`));
  made.push({ ...operation, origin: op });
  if (absent.length > 0) {
    // The empty name: of a row that was not there before, so that no older one has its values.
    const names = absent.map(({ name, isAbsent }) =>
      `CASE WHEN ${isAbsent} THEN ${quoteLiteral(name)} END`
    );
    names.push(`CASE WHEN ${op} IS DISTINCT FROM 'u' THEN '' END`);
    made.push({
      name: ABSENT,
      type: "text[]",
      origin: `CASE WHEN ${absent.map(({ isAbsent }) => isAbsent).join(" OR ")} ` +
        `THEN array_remove(ARRAY[${names.join(", ")}]::text[], NULL)::text END`,
    });
  }
  return { columns, fields: made, paths };
}

/**
 * A text of a date or time, if Debezium's number can be made one: days since 1970, microseconds of an
 * interval. Other numbers have a unit that depends on the column: as a text they are rejected, with
 * what to do, where a type would read some of them as something else.
 */
function temporal(type: string, text: string): string {
  const converted = (digits: string, made: string) =>
    `CASE WHEN ${text} ~ '^-?[0-9]${digits}$' THEN ${made} ELSE ${text} END`;
  if (/^date/i.test(type)) {
    return converted("{1,7}", `(DATE '1970-01-01' + ${text}::integer)::text`);
  }
  if (/^interval/i.test(type)) {
    return converted("{1,18}", `(INTERVAL '1 microsecond' * ${text}::double precision)::text`);
  }
  const hint = "is a number: set time.precision.mode=isostring in the connector";
  return converted("+", `${text} || ' ${hint}'`);
}
