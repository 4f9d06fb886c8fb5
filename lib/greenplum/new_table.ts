import { plain } from "../text.ts";
import type { Dialect } from "./ddl.ts";
import { quoteIdent, quoteLiteral } from "./quote.ts";
import { quoteTable, type TableName } from "./source.ts";

/** A column of a table that is to be made. */
export interface NewColumn {
  name: string;
  /** As SQL writes it. */
  type: string;
  notNull: boolean;
  comment: string;
}

/** A table for a topic's records. */
export interface NewTable {
  target: TableName;
  columns: readonly NewColumn[];
  comment: string | null;
  /** The columns that name one row; empty: rows have no key. */
  key: readonly string[];
  /** On Greenplum; empty: rows are spread at random. */
  distributedBy: readonly string[];
  /** Lines before the statements, and after them, as comments. */
  heading: readonly string[];
  closing: readonly string[];
}

/** The statements that make it, a comment for each column with them. */
export function newTable(table: NewTable, dialect: Dialect): string {
  const { target, columns, comment, key } = table;
  const name = quoteTable(target);
  const list = (names: readonly string[]) => names.map(quoteIdent).join(", ");
  const lines = columns.map(({ name, type, notNull }) =>
    `  ${quoteIdent(name)} ${type}${notNull || key.includes(name) ? " NOT NULL" : ""}`
  );
  if (key.length > 0) lines.push(`  PRIMARY KEY (${list(key)})`);
  const distributed = table.distributedBy.length > 0
    ? `\nDISTRIBUTED BY (${list(table.distributedBy)})`
    : "\nDISTRIBUTED RANDOMLY";
  const comments = columns.map((column) =>
    `COMMENT ON COLUMN ${name}.${quoteIdent(column.name)} IS ${literal(column.comment)};`
  );
  if (comment !== null) comments.unshift(`COMMENT ON TABLE ${name} IS ${literal(comment)};`);
  return [
    ...asComments(table.heading),
    "BEGIN;",
    "",
    `CREATE TABLE ${name} (\n${lines.join(",\n")}\n)` +
    `${dialect === "greenplum" ? distributed : ""};`,
    "",
    ...comments,
    "",
    "COMMIT;",
    "",
    ...asComments(table.closing),
    "",
  ].join("\n");
}

/** A schema's own words may hold what SQL cannot. */
function literal(text: string): string {
  return quoteLiteral(text.replaceAll("\0", " "));
}

/** A newline in it would end the comment, and what comes next would be SQL. */
function asComments(lines: readonly string[]): string[] {
  return lines.map((line) => line === "" ? "" : `-- ${plain(line)}`);
}
