import { Failure } from "../../failure.ts";
import { byteLength, LONGEST_NAME } from "../../greenplum/names.ts";
import { suggestion } from "../../text.ts";
import type { Flag, Given } from "../flags.ts";
import { structured } from "./shape.ts";

/** The flags of `gpdb-kafka sql table` that `sql source` does not have. */
export const tableOnlyFlags: readonly Flag[] = [
  {
    name: "distributed-by",
    value: "COLUMN,…",
    help: "of table, on Greenplum: rows are distributed by these (those of --merge, else randomly)",
  },
  {
    name: "timeout",
    value: "DUR",
    help: "of table: longest wait for a broker or the schema registry (30s)",
  },
];

/** Those that it shares with `sql source`, and prints in the command of the source. */
export const tableFlags: readonly string[] = [
  ...["topic", "table", "brokers", "config", "value", "registry", "schema", "message", "merge"],
];

/** What a table is made from. */
export type TableForm = "json" | "avro" | "protobuf";

/** The format of the values. Throws Failure (usage). */
export function tableForm(given: Given): TableForm {
  if (!given.has("value")) {
    throw new Failure("usage", `no format: use --value with one of ${structured.join(", ")}`);
  }
  const form = given.choice<TableForm>("value", ["json", "avro", "protobuf"], "json");
  if (form === "json") {
    for (const flag of ["registry", "schema", "message"]) {
      if (!given.has(flag)) continue;
      throw new Failure(
        "usage",
        `--${flag}: --value json has no schema, its table is made from records — leave it out, ` +
          "or use --value avro or protobuf",
      );
    }
  }
  if (form === "avro" && given.has("message")) {
    throw new Failure("usage", "--message is for Protobuf: an Avro schema has one type");
  }
  given.excludes("registry", ["schema"]);
  return form;
}

/** The names of a list flag, each of which must be a column. Throws Failure (usage). */
export function columnList(given: Given, flag: string, columns: readonly string[]): string[] {
  if (!given.has(flag)) return [];
  const names = given.get(flag)!.split(",").map((name) => name.trim());
  const wrong = names.find((name) => !columns.includes(name));
  if (wrong !== undefined) {
    const some = columns.slice(0, 20).join(", ") + (columns.length > 20 ? ", …" : "");
    const hint = suggestion(wrong, columns, ` — the columns are ${some}`);
    throw new Failure("usage", `--${flag}: the table would have no column "${wrong}"${hint}`);
  }
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new Failure("usage", `--${flag}: "${twice}" is given twice`);
  return names;
}

/** A name of a table that the database keeps whole. Throws Failure (usage). */
export function checkTableName(name: string): void {
  if (byteLength(name) <= LONGEST_NAME) return;
  throw new Failure(
    "usage",
    `--table: "${name}" is longer than ${LONGEST_NAME} bytes, which the database would cut off — use --table NAME`,
  );
}
