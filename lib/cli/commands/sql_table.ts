import { Failure } from "../../failure.ts";
import type { Dialect } from "../../greenplum/ddl.ts";
import { columnNames } from "../../greenplum/names.ts";
import { newTable } from "../../greenplum/new_table.ts";
import { quoteWord } from "../../greenplum/quote.ts";
import { type Described, type Leaf, leavesOf, MOST_COLUMNS } from "../../records/described.ts";
import type { Console } from "../console.ts";
import { env } from "../environment.ts";
import type { Given } from "../flags.ts";
import { clientConfig, readProperties } from "../flags/connection.ts";
import { quotedStep } from "../flags/field_list.ts";
import { checkRegistryUrl, checkSourceName } from "../flags/sql.ts";
import { parseTable } from "../flags/sql_values.ts";
import {
  checkTableName,
  columnList,
  tableFlags,
  type TableForm,
  tableForm,
} from "../flags/sql_table.ts";
import { checkTopic } from "../values.ts";

/** Records of JSON that are looked at. */
const SAMPLED = 1000;
/** Of their text, bytes. */
const MOST_BYTES = 64 * 1024 * 1024;

/** What the columns are made from. */
interface Found {
  /** The newest first. */
  versions: Described[];
  /** For people: `Avro, version 3 of subject "orders-value"`. */
  what: string;
  /** Of the table; null: nothing more is known than `what`. */
  comment: string | null;
  /** What the consumer's --message is to be, if it needs one. */
  message: string | null;
}

/** The table for a topic's records, and the command that makes a source for it. */
export async function tableSql(
  name: string,
  dialect: Dialect,
  given: Given,
  console: Console,
): Promise<string> {
  const form = tableForm(given);
  checkSourceName(name);
  checkRegistryUrl(given);
  const topic = checkTopic("--topic", given.get("topic") ?? name);
  const target = parseTable(given.get("table") ?? name);
  for (const part of [target.table, target.schema ?? ""]) checkTableName(part);
  if (given.has("distributed-by") && dialect === "postgres") {
    throw new Failure("usage", "--distributed-by: PostgreSQL distributes no rows — leave it out");
  }
  const found = await described(form, topic, given, console);
  const leaves = usable(leavesOf(found.versions), console);
  const names = columnNames(leaves.map(({ steps }) => steps));
  const key = columnList(given, "merge", names);
  const distributedBy = columnList(given, "distributed-by", names);
  const outside = key.length > 0 && distributedBy.find((column) => !key.includes(column));
  if (outside) {
    throw new Failure(
      "usage",
      `--distributed-by: "${outside}" is not one of --merge, whose columns are the primary key — ` +
        "Greenplum distributes by columns of that only",
    );
  }
  const command = sourceCommand(name, given, found.message, fieldList(leaves, names));
  return newTable({
    target,
    columns: leaves.map((leaf, i) => ({ ...leaf, name: names[i] })),
    comment: found.comment,
    key,
    distributedBy: distributedBy.length > 0 ? distributedBy : key,
    heading: [`Topic ${topic}: ${found.what}`],
    closing: ["Then, with the database that has the table:", command],
  }, dialect);
}

/** Those that the command in a comment can name. Throws Failure if none is left, or they are too many. */
function usable(leaves: Leaf[] | null, console: Console): Leaf[] {
  if (leaves === null) {
    throw new Failure(
      "usage",
      `a table has at most ${MOST_COLUMNS} columns, and there are more fields — write the table ` +
        "by hand for those that are needed",
    );
  }
  const usable = leaves.filter(({ steps }) => {
    const odd = steps.find((step) => /\p{Cc}/u.test(step));
    if (odd === undefined) return true;
    console.warn(`field ${JSON.stringify(odd)} has no column: its name has control characters`);
    return false;
  });
  if (usable.length > 0) return usable;
  throw new Failure("usage", "a table has no columns: no field has a name that one can have");
}

async function described(
  form: TableForm,
  topic: string,
  given: Given,
  console: Console,
): Promise<Found> {
  if (form === "json") return await fromRecords(topic, given, console);
  const { describedSchema } = await import("../described_schema.ts");
  return await describedSchema(form, topic, given, console);
}

/** From the last records of the topic. */
async function fromRecords(topic: string, given: Given, console: Console): Promise<Found> {
  const properties = await readProperties(given, env, console);
  const config = await clientConfig(given, env, console, "gpdb-kafka-sql", properties);
  // Loaded only here: other SQL needs no reader.
  const { lastJsonValues } = await import("../../consume/last_values.ts");
  const { JsonSample } = await import("../../records/json_sample.ts");
  let sample = new JsonSample();
  const { values, bad } = await lastJsonValues(
    topic,
    SAMPLED,
    MOST_BYTES,
    config,
    (value) => sample.add(value),
    () => sample = new JsonSample(),
  );
  const [first] = bad;
  if (values === 0) {
    throw new Failure(
      first === undefined ? "usage" : "record",
      `cannot make a table from the records of topic "${topic}": ` +
        (first === undefined
          ? "it has none — produce some, or write the table by hand"
          : `none of the last ${bad.length} is JSON: ${first}`),
    );
  }
  if (first !== undefined) {
    console.warn(`${bad.length} of the last ${values + bad.length} records are not JSON: ${first}`);
  }
  return {
    versions: [sample.describe()],
    what: `the last ${sample.size} records, JSON`,
    comment: null,
    message: null,
  };
}

/** `id, customer_name=customer.name`; null if each column has the name of its field. */
function fieldList(leaves: readonly Leaf[], names: readonly string[]): string | null {
  const items = leaves.map(({ steps }, i) => {
    const path = steps.length === 0 ? "." : steps.map(quotedStep).join(".");
    return steps.length === 1 && steps[0] === names[i] ? path : `${quotedStep(names[i])}=${path}`;
  });
  return items.some((item, i) => item !== quotedStep(names[i])) ? items.join(", ") : null;
}

/** The command of the source that loads the table. */
function sourceCommand(
  name: string,
  given: Given,
  message: string | null,
  fields: string | null,
): string {
  const words = ["gpdb-kafka", "sql", "source", name];
  for (const flag of ["for", ...tableFlags.filter((flag) => flag !== "message")]) {
    for (const value of given.all(flag)) words.push(`--${flag}`, value);
  }
  if (message !== null) words.push("--message", message);
  if (fields !== null) words.push("--fields", fields);
  words.push("--dsn", "postgres://user@host/database");
  return words.map(quoteWord).join(" ");
}
