/** Fields of JSON documents, beside PostgreSQL's json and jsonb. */
import { type Postgres, startPostgres } from "../../scripts/servers/postgres.ts";
import { jsonProgram, RowMaker } from "../support/program_rows.ts";
import { Random } from "../support/random.ts";
import { mutated, RandomJson } from "../support/random_json.ts";
import { pieces, shown, type Size, Tally } from "./tally.ts";

/** Documents of the same names and paths. */
const WORLD = 1000;

const names = [
  ...[
    "a",
    "b",
    "c",
    "id",
    "list",
    "deep",
    "A",
    "ü",
    "€",
    "😀",
    "",
    " ",
    "null",
    "true",
    ".",
    "[0]",
  ],
  ...['say "hi"', "it's", "\\", "\n", "\t", "a.b", "a,b", "a_longer_name_of_a_field", "x y", "$"],
  ..."\u0001|\u007f|__proto__|constructor|\u2028|0x|-|é|e\u0301|$.a".split("|"),
];

/** What a document may have here that PostgreSQL rejects, or that only a jsonb rejects. */
const odd = [
  ...["\\u0000", "\\ud800", "\\udc00x", "\\ud83d\\ud83d", "\\ud83d\\n", "\\uDC00\\uD800", "\\x"],
  ...["\\u00", "\\u00g0", "\t", "\u0001", "\\ud83d\\ude00", "\\u0001", "\\u001F", "\\/", '\\"'],
];
const numbers = [
  ...["01", "+1", "1.", ".5", "1e", "1e+", "-", "--1", "0x10", "NaN", "Infinity", "1E5", "0e0"],
  ...["-0", "-0.0", "1e-400", "1e400", "123456789012345678901234567890.5", "1.0", "1.50", "1e05"],
];

type Step = string | number;
const utf8 = new TextEncoder();

/** `quoted` names as paths have them. */
function pathOf(steps: readonly Step[]): string {
  if (steps.length === 0) return ".";
  return steps.map((step, i) => {
    if (typeof step === "number") return `[${step}]`;
    return `${i > 0 ? "." : ""}"${step.replaceAll('"', '""')}"`;
  }).join("");
}

function randomSteps(random: Random, some: readonly string[]): Step[] {
  return Array.from(
    { length: random.int(0, 4) },
    () => random.int(0, 3) === 0 ? random.int(0, 3) : some[random.int(0, some.length - 1)],
  );
}

/** A document, as the grammar has it or with something that is odd or wrong in it. */
function document(make: RandomJson, random: Random): Uint8Array {
  let text = make.document();
  const kind = random.int(0, 11);
  const within = (piece: string, before: RegExp) => {
    const places = [...text.matchAll(before)].map((match) => match.index + match[0].length);
    if (places.length === 0) return;
    const at = places[random.int(0, places.length - 1)];
    text = text.slice(0, at) + piece + text.slice(at);
  };
  if (kind === 0) within(odd[random.int(0, odd.length - 1)], /"[^"\\]*(?=")/g);
  if (kind === 1) within(`${numbers[random.int(0, numbers.length - 1)]},`, /\[/g);
  if (kind === 2) {
    const depth = random.int(1, 500);
    text = '{"deep":'.repeat(depth) + "[".repeat(depth) + text + "]".repeat(depth) +
      "}".repeat(depth);
  }
  const bytes = utf8.encode(text);
  return kind < 6 ? bytes : kind < 9 ? mutated(bytes, random) : utf8.encode(make.document());
}

/** Documents that COPY cannot read as text either: not UTF-8, or with a NUL byte. */
function textOf(bytes: Uint8Array): string | null {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    return text.includes("\0") ? null : text;
  } catch {
    return null;
  }
}

const literal = (text: string) => `E'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;

/** Rejected here for a reason that is not one of JSON: no COPY loads such a text. */
const notJson = /would end the data/;

async function world(pg: Postgres, count: number, random: Random, tally: Tally): Promise<void> {
  const some = random.shuffle(names).slice(0, 8);
  const paths = Array.from({ length: 12 }, () => randomSteps(random, some));
  const shape = { names: some, depth: random.int(1, 6), duplicates: random.int(0, 1) === 1 };
  const make = new RandomJson(random, shape);
  const documents = Array.from({ length: count }, () => document(make, random));
  const { rows, bad } = new RowMaker(jsonProgram(paths.map(pathOf).join(","), [{ kind: "offset" }]))
    .values(documents);
  const why = new Map(bad.map((one) => [one.index, one.why]));
  const fields = paths.map((_, i) => `f${i}`);
  const { sql } = pg;
  await sql.unsafe(`DROP TABLE IF EXISTS made, documents;
    CREATE UNLOGGED TABLE made (n integer PRIMARY KEY, ${fields.map((f) => `${f} text`)});
    CREATE UNLOGGED TABLE documents (n integer PRIMARY KEY, document text)`);
  await pg.copyIn("COPY made FROM STDIN (FORMAT csv)", [rows]);
  const texts = documents.map(textOf);
  const lines = texts.flatMap((text, n) => text === null ? [] : [`${n},${quoted(text)}\n`]);
  await pg.copyIn("COPY documents FROM STDIN (FORMAT csv)", [utf8.encode(lines.join(""))]);
  tally.values += count;
  // Accepted is what jsonb accepts; numbers that no numeric holds are text here.
  const judged = await sql<{ n: number; valid: boolean }[]>`
    SELECT n, pg_input_is_valid(document, 'json') AND
      coalesce((pg_input_error_info(document, 'jsonb')).sql_error_code, '22003') = '22003' AS valid
    FROM documents`;
  const valid = new Set(judged.filter((one) => one.valid).map(({ n }) => n));
  for (const [n, bytes] of documents.entries()) {
    const reason = why.get(n);
    if (bytes[0] === 0) tally.note("not compared: a registry's frame");
    else if (reason !== undefined && notJson.test(reason)) {
      tally.note(`not compared: the value ${reason}`);
    } else if ((reason === undefined) !== valid.has(n)) {
      tally.differ(`${reason ?? "accepted"} here, PostgreSQL otherwise: ${shown(bytes)}`);
    }
  }
  tally.note("rejected", why.size);
  // A jsonb has the last of two with the same name; a json has each text as it is.
  const type = shape.duplicates ? "jsonb" : "json";
  const differ = paths.map((steps, i) => differs(`f${i}`, type, steps));
  const wrong = await sql.unsafe(
    `SELECT * FROM (SELECT made.*, document, document::${type} AS j
       FROM made JOIN documents USING (n) WHERE pg_input_is_valid(document, '${type}') OFFSET 0) d
     WHERE ${differ.join(" OR ")} ORDER BY length(document)`,
  );
  for (const { document, j: _, ...row } of wrong) {
    tally.differ(`${JSON.stringify(row)} of ${JSON.stringify(document)}, ${paths.map(pathOf)}`);
  }
  const [{ made }] = await sql`SELECT count(*)::int AS made FROM made`;
  tally.rows += made;
  if (made !== count - why.size) {
    tally.differ(`${made} rows of ${count - why.size} valid documents`);
  }
}

/** SQL: whether a row's field is another than what the path leads to in the document j. */
function differs(field: string, type: "json" | "jsonb", steps: readonly Step[]): string {
  const arrayOf = (some: readonly Step[]) =>
    `ARRAY[${some.map((step) => literal(String(step))).join(",")}]::text[]`;
  // A name finds no element here, and an index no field.
  const isThere = steps.map((step, k) =>
    `${type}_typeof(j #> ${arrayOf(steps.slice(0, k))}) = ` +
    (typeof step === "number" ? "'array'" : "'object'")
  );
  const there = ["true", ...isThere].join(" AND ");
  const value = `CASE WHEN ${there} THEN j #> ${arrayOf(steps)} END`;
  const text = `CASE WHEN ${there} THEN j #>> ${arrayOf(steps)} END`;
  const other = type === "jsonb"
    ? `NOT coalesce(pg_input_is_valid(${field}, 'jsonb') AND ${field}::jsonb = ${value}, false)`
    // The spaces around a whole document are not part of it.
    : `${field} IS DISTINCT FROM ${steps.length > 0 ? text : `btrim(${text}, E' \\t\\r\\n')`}`;
  return `CASE ${type}_typeof(${value}) WHEN 'null' THEN ${field} IS NOT NULL
    WHEN 'string' THEN ${field} IS DISTINCT FROM ${text}
    ELSE CASE WHEN ${value} IS NULL THEN ${field} IS NOT NULL ELSE ${other} END END`;
}

export async function jsonFields({ values, seed }: Size): Promise<Tally> {
  const tally = new Tally();
  const random = new Random(seed);
  await using pg = await startPostgres();
  for (const count of pieces(values, WORLD)) await world(pg, count, random, tally);
  return tally;
}
