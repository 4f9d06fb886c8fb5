import assert from "node:assert/strict";
import { type Postgres, startPostgres } from "../../scripts/servers/postgres.ts";
import { jsonProgram, type Made, RowMaker } from "../support/program_rows.ts";
import { Random } from "../support/random.ts";
import { mutated, RandomJson } from "../support/random_json.ts";

/** What is asked for, and the same for PostgreSQL. */
const paths: [path: string, steps: string[]][] = [
  ["a", ["a"]],
  ["b.c", ["b", "c"]],
  ["b", ["b"]],
  ["list[1]", ["list", "1"]],
  ["list[0].x", ["list", "0", "x"]],
  ["deep.deep.a", ["deep", "deep", "a"]],
  ["ü", ["ü"]],
  ['"say ""hi""".b', ['say "hi"', "b"]],
  ["[0]", ["0"]],
  [".", []],
];
const names = ["a", "b", "c", "x", "list", "deep", "ü", 'say "hi"', "a_longer_name_of_a_field"];
const utf8 = new TextEncoder();

/** Rows of documents: the number of each, and the fields. */
function rowsOf(documents: readonly (string | Uint8Array)[]): Made {
  const program = jsonProgram(paths.map(([path]) => path).join(","), [{ kind: "offset" }]);
  const values = documents.map((d) => typeof d === "string" ? utf8.encode(d) : d);
  return new RowMaker(program).values(values);
}

async function createTables({ sql }: Postgres): Promise<void> {
  const fields = paths.map((_, i) => `f${i} text`).join(", ");
  await sql.unsafe(`CREATE TABLE made (n integer, ${fields})`);
  await sql.unsafe("CREATE TABLE documents (n integer, document text)");
}

/** CSV of the documents, each with its number. */
function* numbered(documents: readonly (string | null)[]): Generator<Uint8Array> {
  let rows = "";
  for (const [n, document] of documents.entries()) {
    if (document === null) continue;
    rows += `${n},"${document.replaceAll('"', '""')}"\n`;
    if (rows.length < 65536) continue;
    yield utf8.encode(rows);
    rows = "";
  }
  yield utf8.encode(rows);
}

const quoted = (text: string) => `'${text.replaceAll("'", "''")}'`;
const arrayOf = (steps: string[]) => `ARRAY[${steps.map(quoted).join(",")}]::text[]`;

/** What PostgreSQL finds; of a whole document that is a number or a word without the spaces before it. */
function theirs(steps: string[]): string {
  const found = `j #>> ${arrayOf(steps)}`;
  if (steps.length > 0) return found;
  return `CASE json_typeof(j) WHEN 'string' THEN ${found} ELSE btrim(${found}, E' \\t\\r\\n') END`;
}

Deno.test("JSON: 100,000 random documents, each field as PostgreSQL's json #>> path has it", async () => {
  const random = new Random(20);
  const make = new RandomJson(random, { names, depth: 4, duplicates: false });
  const documents = Array.from({ length: 100_000 }, () => make.document());
  const { rows, bad } = rowsOf(documents);
  // Of valid documents only these are bad: a text with such a line is for no COPY.
  for (const { why } of bad) assert.match(why, /would end the data/);
  assert.ok(bad.length < documents.length / 50, `${bad.length} are bad`);
  await using pg = await startPostgres();
  await createTables(pg);
  await pg.copyIn("COPY made FROM STDIN (FORMAT csv)", [rows]);
  await pg.copyIn("COPY documents FROM STDIN (FORMAT csv)", numbered(documents));
  // A name never finds an element, nor an index a field: no document has a name of digits.
  const differ = paths.map(([, steps], i) => `f${i} IS DISTINCT FROM ${theirs(steps)}`);
  const wrong = await pg.sql.unsafe(
    `SELECT * FROM made JOIN (SELECT n, document, document::json AS j FROM documents OFFSET 0) d USING (n)
       WHERE ${differ.join(" OR ")} ORDER BY length(document) LIMIT 1`,
  );
  assert.deepEqual([...wrong], []);
  const [{ count }] = await pg.sql.unsafe("SELECT count(*)::int FROM made");
  assert.equal(count, documents.length - bad.length);
  const [{ found }] = await pg.sql.unsafe(
    `SELECT least(${paths.map((_, i) => `count(f${i})`).join(",")})::int AS found FROM made`,
  );
  assert.ok(found > 100, `a path is found in ${found} documents only`);
});

Deno.test("JSON: of a name that stands twice the last one counts, as PostgreSQL's jsonb has it", async () => {
  const random = new Random(21);
  const make = new RandomJson(random, { names: names.slice(0, 6), depth: 4, duplicates: true });
  // jsonb holds no number of so many digits.
  const documents = Array.from({ length: 30_000 }, () => make.document())
    .map((text) => text.replaceAll("1e-9999", "1e-99"));
  const { rows, bad } = rowsOf(documents);
  await using pg = await startPostgres();
  await createTables(pg);
  await pg.copyIn("COPY made FROM STDIN (FORMAT csv)", [rows]);
  await pg.copyIn("COPY documents FROM STDIN (FORMAT csv)", numbered(documents));
  const differ = paths.map(([, steps], i) => {
    const value = `j #> ${arrayOf(steps)}`;
    return `CASE jsonb_typeof(${value}) WHEN 'string' THEN f${i} IS DISTINCT FROM ${value} #>> '{}'
        WHEN 'null' THEN f${i} IS NOT NULL
        ELSE f${i}::jsonb IS DISTINCT FROM ${value} END`;
  });
  const wrong = await pg.sql.unsafe(
    `SELECT * FROM made JOIN (SELECT n, document, document::jsonb AS j FROM documents OFFSET 0) d USING (n)
       WHERE ${differ.join(" OR ")} ORDER BY length(document) LIMIT 1`,
  );
  assert.deepEqual([...wrong], []);
  const [{ count }] = await pg.sql.unsafe("SELECT count(*)::int FROM made");
  assert.equal(count, documents.length - bad.length);
});

/**
 * Where this differs on purpose: PostgreSQL's json accepts escapes that no text can hold (`\u0000`,
 * one half of a surrogate pair), and rejects them only when the field is read.
 */
const onlyHere = /no text can hold|would end the data/;

Deno.test("JSON: 100,000 mutated documents are accepted exactly when PostgreSQL's json accepts them", async () => {
  const random = new Random(22);
  const make = new RandomJson(random, { names, depth: 4, duplicates: true });
  const values: Uint8Array[] = [];
  for (let i = 0; i < 10_000; i++) {
    const bytes = utf8.encode(make.document());
    for (let k = 0; k < 10; k++) values.push(mutated(bytes, random));
  }
  const { bad } = rowsOf(values);
  const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  const texts = values.map((value) => {
    try {
      const text = strict.decode(value);
      return text.includes("\0") ? null : text;
    } catch {
      return null;
    }
  });
  await using pg = await startPostgres();
  await createTables(pg);
  await pg.copyIn("COPY documents FROM STDIN (FORMAT csv)", numbered(texts));
  const found = await pg.sql.unsafe(
    "SELECT n FROM documents WHERE pg_input_is_valid(document, 'json')",
  );
  const valid = new Set(found.map(({ n }) => n as number));
  const why = new Map(bad.map((one) => [one.index, one.why]));
  let accepted = 0;
  for (const [n, value] of values.entries()) {
    const told = why.get(n);
    // What starts with a NUL byte is a frame, and no text for PostgreSQL.
    if (value[0] === 0) continue;
    if (told === undefined) {
      accepted++;
      assert.ok(valid.has(n), `accepted here only: ${JSON.stringify(texts[n])}`);
    } else if (!onlyHere.test(told)) {
      assert.ok(!valid.has(n), `rejected here only, ${told}: ${JSON.stringify(texts[n])}`);
    }
  }
  assert.ok(accepted > 5000 && accepted < values.length / 2, `${accepted} accepted`);
});
