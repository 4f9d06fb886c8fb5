/**
 * Sources that shape, merge and delete, whose reader is a shell command of the test: for what the
 * database makes of rows, whatever Kafka says.
 */
import {
  OFFSET,
  PARTITION,
  plainField,
  type Shape,
  shapeSource,
  TOMBSTONE,
} from "../../lib/greenplum/shape.ts";
import type { Column } from "../../lib/greenplum/source.ts";
import { quoteLiteral } from "../../lib/greenplum/quote.ts";
import type { Postgres } from "../../scripts/servers/postgres.ts";
import { runScript } from "./load.ts";

/** `id integer, name text` as columns. */
export function columnsOf(text: string): Column[] {
  return text.split(/,\s*(?![^(]*\))/).map((column) => {
    const [, name, type] = /^(\S+)\s+(.*)$/.exec(column.trim())!;
    return { name, type };
  });
}

/** A shape of these fields, which are the reader's columns after partition and offset. */
export function shapeOf(
  fields: string,
  more: Partial<Shape> & { tombstones?: boolean } = {},
): Shape {
  const { tombstones = false, ...rest } = more;
  const columns = columnsOf(fields);
  return {
    readerColumns: [
      { name: PARTITION, type: "integer" },
      { name: OFFSET, type: "bigint" },
      ...(tombstones ? [{ name: TOMBSTONE, type: "boolean" }] : []),
      ...columns,
    ],
    fields: columns.map(plainField),
    selects: [],
    where: null,
    merge: null,
    mergeOrder: null,
    deleteWhen: null,
    ...rest,
  };
}

export interface ShapedSource {
  name?: string;
  table?: string;
  shape: Shape;
  rejectLimit?: string | null;
}

/** Adds source `things` with a shape, or changes it, as the SQL of `gpdb-kafka sql source` does. */
export async function addShaped(
  pg: Pick<Postgres, "sql">,
  { name = "things", table = "things", shape, rejectLimit = null }: ShapedSource,
): Promise<void> {
  await runScript(
    pg,
    `BEGIN;
    SELECT kafka.add_source(${
      quoteLiteral(name)
    }, 't', '${table}'::regclass, 'true #', 'true # --log-identity', 'g');
    ${shapeSource(name, shape, rejectLimit)}
    COMMIT;`,
  );
}

/** Whether the server can tell which values do not fit: PostgreSQL 16 and later. */
export async function canReject({ sql }: Pick<Postgres, "sql">): Promise<boolean> {
  const [{ version }] = await sql`SELECT current_setting('server_version_num')::int AS version`;
  return version >= 160_000;
}

/** What kafka.load counted. */
export interface Counts {
  rows: number;
  inserted: number;
  updated: number;
  deleted: number;
  filtered: number;
  rejected: number;
  records: number;
  rows_read: number;
}

/** Calls kafka.load and returns what it counted. */
export async function loadCounts(
  pg: Pick<Postgres, "sql">,
  source = "things",
): Promise<Counts> {
  const [row] = await pg.sql`
    SELECT rows::int, inserted::int, updated::int, deleted::int, filtered::int, rejected::int,
      records::int, rows_read::int
    FROM kafka.load(${source})`;
  return { ...row } as Counts;
}

const mergedFields = columnsOf("id integer, part text, name text, amount text, op text");

/**
 * What merges the records of `merge_model.ts` into a table (id int, part text, name text, amount int).
 */
export const mergedSource = {
  readerFlags: [
    ...["--columns", "partition,offset,tombstone", "--tombstones", "row", "--value", "json"],
    ...["--key", "json", "--key-fields", "id, part", "--fields", "name, amount, op"],
  ],
  shape: {
    readerColumns: [
      { name: PARTITION, type: "integer" },
      { name: OFFSET, type: "bigint" },
      { name: TOMBSTONE, type: "boolean" },
      ...mergedFields,
    ],
    fields: mergedFields.map(plainField),
    selects: [{ column: "amount", expression: "amount::integer * 2 -- doubled" }],
    where: "name IS DISTINCT FROM 'TEST'",
    merge: ["id", "part"],
    mergeOrder: null,
    deleteWhen: "op = 'd'",
  } satisfies Shape,
};
