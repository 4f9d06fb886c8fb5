/** What PostgreSQL's COPY makes of bytes. */
import { join } from "node:path";
import type { Postgres } from "../../scripts/servers/postgres.ts";
import { type CsvDialect, standardCsv } from "../../lib/records/dialect.ts";
import { unused } from "./values.ts";

type Fields = (string | null)[];

const LF = Uint8Array.of(10);
/** Values in one call of the server: an aborted COPY leaves dead rows in its table. */
const AT_ONCE = 250;

/** The options of a COPY that reads the dialect; `apart`: whether its delimiter parts fields. */
function optionsOf({ delimiter, quote, escape, null: nil, encoding }: CsvDialect, apart: boolean) {
  const literal = (text: string) => `'${text.replaceAll("'", "''")}'`;
  const marks = quote === null ? [unused.quote, unused.quote] : [quote, escape!];
  return `(FORMAT csv, DELIMITER ${literal(apart ? delimiter : unused.delimiter)}, ` +
    `QUOTE ${literal(marks[0])}, ESCAPE ${literal(marks[1])}, ` +
    `NULL ${literal(apart ? nil : unused.null)}, ENCODING '${encoding}')`;
}

export class Copies {
  readonly #pg: Postgres;
  readonly #folder: string;

  private constructor(pg: Postgres, folder: string) {
    this.#pg = pg;
    this.#folder = folder;
  }

  /** Of a server that was started here: it must read our files. */
  static async open(pg: Postgres): Promise<Copies> {
    await pg.sql.unsafe(`
      CREATE UNLOGGED TABLE lines (n bigserial, line text);
      CREATE FUNCTION alone(file text, options text) RETURNS text[] LANGUAGE plpgsql AS $$
      DECLARE found text[];
      BEGIN
        EXECUTE format('COPY lines (line) FROM %L %s', file, options);
        SELECT array_agg(coalesce(line, '') ORDER BY n) INTO found FROM lines;
        -- Undoes the COPY.
        RAISE EXCEPTION USING errcode = 'P0099';
      EXCEPTION WHEN sqlstate 'P0099' THEN RETURN found;
        WHEN OTHERS THEN RETURN NULL;
      END $$`);
    const folder = await Deno.makeTempDir({ prefix: "gpdb-kafka-copies-" });
    await Deno.chmod(folder, 0o755);
    return new Copies(pg, folder);
  }

  /**
   * The rows that COPY reads of each value between two others, a row as one field; null if it
   * rejects them, or changes the others.
   */
  async between(values: readonly Uint8Array[], csv: CsvDialect): Promise<(string[] | null)[]> {
    const [first, last] = [new TextEncoder().encode("first\n"), new TextEncoder().encode("last\n")];
    const options = optionsOf(csv, false);
    const all: (string[] | null)[] = [];
    for (let from = 0; from < values.length; from += AT_ONCE) {
      const some = values.slice(from, from + AT_ONCE);
      const files = some.map((_, i) => join(this.#folder, `${i}`));
      for (const [i, value] of some.entries()) {
        const whole = new Uint8Array(
          await new Blob([first, value, LF, last] as BlobPart[]).arrayBuffer(),
        );
        Deno.writeFileSync(files[i], whole);
      }
      await this.#pg.sql`TRUNCATE lines`;
      const found = await this.#pg.sql<{ rows: string[] | null }[]>`
        SELECT alone(file, ${options}) AS rows FROM unnest(${files}::text[]) WITH ORDINALITY AS f (file, n)
        ORDER BY n`;
      for (const { rows } of found) {
        const isWhole = rows !== null && rows[0] === "first" && rows.at(-1) === "last";
        all.push(isWhole && rows.length > 1 ? rows.slice(1, -1) : null);
      }
    }
    return all;
  }

  /** The rows that COPY reads of all the bytes, each as one field. */
  async lines(bytes: Uint8Array, csv: CsvDialect = standardCsv): Promise<string[]> {
    await this.#pg.sql`TRUNCATE lines`;
    await this.#pg.copyIn(`COPY lines (line) FROM STDIN ${optionsOf(csv, false)}`, [bytes]);
    const rows = await this.#pg.sql`SELECT line FROM lines ORDER BY n`.values();
    return rows.map(([line]) => line as string);
  }

  /** The rows that COPY reads of all the bytes, in this many fields. */
  async rows(bytes: Uint8Array, fields: number, csv: CsvDialect = standardCsv): Promise<Fields[]> {
    const names = Array.from({ length: fields }, (_, i) => `f${i}`);
    const { sql } = this.#pg;
    await sql.unsafe(`DROP TABLE IF EXISTS fields; CREATE UNLOGGED TABLE fields
      (n bigserial, ${names.map((name) => `${name} text`).join(", ")})`);
    await this.#pg.copyIn(`COPY fields (${names}) FROM STDIN ${optionsOf(csv, true)}`, [bytes]);
    return await sql.unsafe(`SELECT ${names} FROM fields ORDER BY n`).values() as Fields[];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.#folder, { recursive: true });
  }
}
