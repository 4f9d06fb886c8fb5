import { quoteArray, quoteIdent, quoteLiteral } from "./quote.ts";
import type { Column } from "./column.ts";

/** What expressions of a source see of a record: a name, and what it is made of. */
export interface Field extends Column {
  /** An expression over the reader's columns; most often the name of one, in quotes. */
  origin: string;
}

/**
 * How the reader's rows become the target's, if a source does more than insert them as they come.
 * Which of the fields and of the computed columns the target has, the database looks up.
 */
export interface Shape {
  /**
   * Of the reader's rows, in the order of the CSV fields: partition and offset first, and then the
   * topic if the source has several.
   */
  readerColumns: readonly Column[];
  fields: readonly Field[];
  /** A column of the target, and the expression for it. */
  selects: readonly { column: string; expression: string }[];
  /** Rows for which this is not true are left out. */
  where: string | null;
  /** The columns of the target that name one row; null inserts each row. */
  merge: readonly string[] | null;
  /** The field that says which row of a key is the last one; null: partition and offset do. */
  mergeOrder: string | null;
  /** Rows for which this is true delete their key. */
  deleteWhen: string | null;
}

/** The names of the reader's columns that a load itself uses. */
export const PARTITION = "kafka$partition";
export const OFFSET = "kafka$offset";
export const TOPIC = "kafka$topic";
export const TOMBSTONE = "kafka$tombstone";

/**
 * The name of a field that lists, as text[], the names of the fields whose values the record does not
 * have although the row has them, and an empty name if the row was not there before.
 */
export const ABSENT = "kafka$absent";

/** The statement that says so; after kafka.add_source. */
export function shapeSource(
  source: string,
  shape: Shape,
  rejectLimit: string | null,
): string {
  const literal = (text: string | null) => text === null ? "NULL" : quoteLiteral(text);
  const list = (items: readonly string[] | null) => items === null ? "NULL" : quoteArray(items);
  const { readerColumns, fields, selects } = shape;
  const values = {
    source: literal(source),
    stage_columns: list(readerColumns.map(({ name }) => name)),
    stage_types: list(readerColumns.map(({ type }) => type)),
    fields: list(fields.map(({ name }) => name)),
    origins: list(fields.map(({ origin }) => origin)),
    types: list(fields.map(({ type }) => type)),
    select_columns: list(selects.map(({ column }) => column)),
    expressions: list(selects.map(({ expression }) => expression)),
    filter: literal(shape.where),
    merge_key: list(shape.merge),
    merge_order: literal(shape.mergeOrder),
    delete_when: literal(shape.deleteWhen),
    reject_limit: literal(rejectLimit),
  };
  const lines = Object.entries(values).map(([name, value]) => `  ${name} := ${value}`);
  return `SELECT kafka.shape_source(\n${lines.join(",\n")});`;
}

/** A field that is one of the reader's columns. */
export function plainField({ name, type }: Column): Field {
  return { name, type, origin: quoteIdent(name) };
}

/** The fields that go nowhere: no column has their name, and no expression has it in its text. */
export function idleFields(shape: Shape, columns: readonly string[]): string[] {
  const { fields, selects, where, mergeOrder, deleteWhen } = shape;
  const texts = [where, mergeOrder, deleteWhen, ...selects.map(({ expression }) => expression)];
  return fields.map(({ name }) => name).filter((name) =>
    !columns.includes(name) &&
    !texts.some((text) => text?.toLowerCase().includes(name.toLowerCase()))
  );
}
