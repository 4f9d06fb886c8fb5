import assert from "node:assert/strict";
import { startPostgres } from "../../scripts/servers/postgres.ts";
import { type CsvDialect, standardCsv } from "../../lib/records/dialect.ts";
import { makeRowsOf } from "../support/made_rows.ts";
import { Random } from "../support/random.ts";

const dialects: CsvDialect[] = [
  { delimiter: ";", quote: "'", escape: "\\", null: "\\N", encoding: "latin1" },
  { ...standardCsv, delimiter: "\t", escape: "\\" },
  { ...standardCsv, delimiter: "|", quote: "~", escape: "~", null: "NULL" },
  { ...standardCsv, null: "-", encoding: "latin1" },
];

/** Bytes that mean something in one of them, and some that do not. */
const pieces = [
  "a",
  "b ",
  "'",
  '"',
  ";",
  ",",
  "|",
  "\t",
  "~",
  "\\",
  "\\N",
  "NULL",
  "-",
  "\xe9",
  "x",
];

/** A row of three fields; one that is not `valid` may be none, and PostgreSQL decides. */
function randomRow(random: Random, csv: CsvDialect, valid: boolean): string {
  const { delimiter, quote, escape, null: nil } = csv;
  const some = () =>
    Array.from({ length: random.int(0, 4) }, () => pieces[random.int(0, pieces.length - 1)]).join(
      "",
    );
  const inside = (text: string) =>
    valid ? text.replaceAll(/['"~\\]/g, (c) => c === quote || c === escape ? escape + c : c) : text;
  return Array.from({ length: 3 }, () => {
    const kind = random.int(0, 5);
    if (kind === 0) return nil;
    if (kind === 1) return "";
    if (kind === 2) {
      const text = some().replaceAll(delimiter, "");
      return valid ? text.replaceAll(quote!, "") : text;
    }
    const breaks = ["", "\n", "\r\n"][random.int(0, 2)];
    const after = kind === 3 ? "after" : "";
    return `${quote}${inside(some())}${breaks}${inside(some())}${quote}${after}`;
  }).join(delimiter);
}

/** The COPY that reads the dialect. */
function copyOf({ delimiter, quote, escape, null: nil, encoding }: CsvDialect): string {
  const literal = (text: string | null) => `'${text!.replaceAll("'", "''")}'`;
  return `COPY theirs (a, b, c) FROM STDIN (FORMAT csv, DELIMITER ${literal(delimiter)}, ` +
    `QUOTE ${literal(quote)}, ESCAPE ${literal(escape)}, NULL ${literal(nil)}, ` +
    `ENCODING '${encoding}')`;
}

const OURS = "COPY ours (a, b, c) FROM STDIN (FORMAT csv)";

function bytesOf(text: string, { encoding }: CsvDialect): Uint8Array {
  return encoding === "latin1"
    ? Uint8Array.from(text, (char) => char.charCodeAt(0))
    : new TextEncoder().encode(text);
}

Deno.test("csv: rewritten rows load as PostgreSQL loads the rows of the dialect", async () => {
  await using pg = await startPostgres();
  await pg.sql`CREATE TABLE theirs (n bigserial, a text, b text, c text)`;
  await pg.sql`CREATE TABLE ours (LIKE theirs INCLUDING ALL)`;
  const random = new Random(5);
  const rowsOf = (table: string) => pg.sql.unsafe(`SELECT a, b, c FROM ${table} ORDER BY n`);
  for (const csv of dialects) {
    const values = Array.from({ length: 2000 }, () => bytesOf(randomRow(random, csv, true), csv))
      .filter((value) => value.length > 0);
    await pg.sql`TRUNCATE theirs, ours`;
    await pg.copyIn(copyOf(csv), values.map((value) => new Uint8Array([...value, 10])));
    const made = makeRowsOf(values, { csv });
    assert.deepEqual(made.bad, []);
    await pg.copyIn(OURS, [made.bytes]);
    assert.deepEqual([...await rowsOf("ours")], [...await rowsOf("theirs")]);
  }
});

Deno.test("csv: what PostgreSQL rejects as a row of the dialect is rejected, and nothing else", async () => {
  await using pg = await startPostgres();
  await pg.sql`CREATE TABLE theirs (a text, b text, c text)`;
  await pg.sql`CREATE TABLE ours (LIKE theirs)`;
  const random = new Random(6);
  let [accepted, rejected] = [0, 0];
  for (const csv of dialects) {
    for (let round = 0; round < 20; round++) {
      const value = bytesOf(randomRow(random, csv, false), csv);
      await pg.sql`DELETE FROM theirs`;
      await pg.sql`DELETE FROM ours`;
      await pg.copyIn(copyOf(csv), [new Uint8Array([...value, 10])]).catch(() => {});
      const made = makeRowsOf([value], { csv });
      if (made.bad.length === 0) await pg.copyIn(OURS, [made.bytes]).catch(() => {});
      const theirs = [...await pg.sql`SELECT * FROM theirs`];
      // One that it reads as several is not one row.
      const expected = theirs.length === 1 ? theirs : [];
      const what = `${JSON.stringify(csv)}: ${
        JSON.stringify(new TextDecoder("latin1").decode(value))
      }`;
      assert.deepEqual([...await pg.sql`SELECT * FROM ours`], expected, what);
      if (expected.length === 1) accepted++;
      else rejected++;
    }
  }
  assert.ok(accepted > 10 && rejected > 10, `${accepted} rows, ${rejected} rejected`);
});
