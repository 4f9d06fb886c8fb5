import { quoteIdent } from "../../greenplum/quote.ts";
import type { Field } from "../../greenplum/shape.ts";
import type { Column } from "../../greenplum/source.ts";
import type { ListedField } from "./field_list.ts";

/**
 * The fields of a change event. JSON may have the whole event in `payload`, beside its schema; so
 * each field is read at both places, and a key also of the row before a delete.
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
  const made = fields.map((field): Field => {
    const { name, type } = typed(field);
    const sides = keys.includes(name) ? ["after.", "before."] : ["after."];
    const places = sides.flatMap((side) => roots.map((root) => `${root}${side}${field.path}`));
    return { name, type, origin: origin(name, type, places) };
  });
  const op = { name: "kafka$op", type: "text" };
  made.push({ ...op, origin: origin(op.name, op.type, roots.map((root) => `${root}op`)) });
  return { columns, fields: made, paths };
}
