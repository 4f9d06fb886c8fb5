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

/** Text that may be one row of three fields: not all are, and PostgreSQL decides. */
function randomRow(random: Random, { delimiter, quote, null: nil }: CsvDialect): string {
  return Array.from({ length: 3 }, () => {
    const some = () =>
      Array.from({ length: random.int(0, 4) }, () => pieces[random.int(0, pieces.length - 1)])
        .join("");
    const kind = random.int(0, 5);
    if (kind === 0) return nil;
    if (kind === 1) return "";
    if (kind === 2) return some().replaceAll(delimiter, "");
    const breaks = ["", "\n", "\r\n"][random.int(0, 2)];
    return `${quote}${some()}${breaks}${some()}${quote}${kind === 3 ? some() : ""}`;
  }).join(delimiter);
}

Deno.test("csv: rewritten rows load as PostgreSQL loads the rows of the dialect", async () => {
  await using pg = await startPostgres();
  await pg.sql`CREATE TABLE theirs (a text, b text, c text)`;
  await pg.sql`CREATE TABLE ours (LIKE theirs)`;
  const random = new Random(5);
  for (const csv of dialects) {
    const literal = (text: string) => `'${text.replaceAll("'", "''")}'`;
    const copy = `COPY theirs FROM STDIN (FORMAT csv, DELIMITER ${literal(csv.delimiter)}, ` +
      `QUOTE ${literal(csv.quote!)}, ESCAPE ${literal(csv.escape!)}, NULL ${literal(csv.null)}, ` +
      `ENCODING '${csv.encoding}')`;
    const bytesOf = (text: string) =>
      csv.encoding === "latin1"
        ? Uint8Array.from(text, (char) => char.charCodeAt(0))
        : new TextEncoder().encode(text);
    let [accepted, rejected] = [0, 0];
    for (let round = 0; round < 500; round++) {
      const value = bytesOf(randomRow(random, csv));
      const made = makeRowsOf([value], { csv });
      await pg.sql`TRUNCATE theirs, ours`;
      const row = new Uint8Array([...value, 10]);
      // PostgreSQL would read it as several rows, or as one that goes on.
      const theirs = await pg.copyIn(copy, [row]).then(() => null, (error: Error) => error.message);
      const ours = made.bad.length > 0
        ? made.bad[0].why
        : await pg.copyIn("COPY ours FROM STDIN (FORMAT csv)", [made.bytes])
          .then(() => null, (error: Error) => error.message);
      const what = `${JSON.stringify(csv)} ${
        JSON.stringify(new TextDecoder("latin1").decode(value))
      }`;
      const [{ count }] = await pg.sql`SELECT count(*)::int FROM theirs`;
      if (count === 1) {
        assert.equal(ours, null, what);
        assert.deepEqual([...await pg.sql`SELECT * FROM ours`], [
          ...await pg.sql`SELECT * FROM theirs`,
        ], what);
        accepted++;
      } else {
        assert.ok(ours !== null, `${what}: ${theirs}`);
        rejected++;
      }
    }
    assert.ok(accepted > 100 && rejected > 50, `${accepted} rows, ${rejected} rejected`);
  }
});
