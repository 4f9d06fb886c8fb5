import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { join } from "node:path";
import { Failure } from "../../lib/failure.ts";
import { generateRows } from "../../scripts/generate_rows.ts";
import { type Postgres, startPostgres } from "../../scripts/servers/postgres.ts";

const CRIMES_SQL = new URL("../../sql/crimes/postgres.sql", import.meta.url);

/** Programs and files are only there for a server that is started here. */
const ownServer = !Deno.env.get("DATABASE_URL");

async function countCrimes(pg: Postgres): Promise<number> {
  const [{ count }] = await pg.sql`SELECT count(*)::int FROM crimes`;
  return count;
}

for (const newlines of [false, true]) {
  Deno.test(`generated rows fit the crimes table, newlines: ${newlines}`, async () => {
    await using pg = await startPostgres();
    await pg.runFile(CRIMES_SQL);
    await pg.copyIn("COPY crimes FROM STDIN (FORMAT csv)", generateRows({ rows: 1000, newlines }));
    assert.equal(await countCrimes(pg), 1000);

    const types = await pg.sql`
      SELECT column_name AS name, data_type AS type FROM information_schema.columns
      WHERE table_name = 'crimes' ORDER BY ordinal_position`;
    assert.equal(types.length, 22);
    const names = types.filter(({ type }) => type.startsWith("timestamp")).map(({ name }) => name);
    assert.deepEqual(names, ["crime_date", "record_update_date"]);

    const [seen] = await pg.sql`
      SELECT count(DISTINCT id)::int AS ids, min(id) AS first, max(id) AS last,
        bool_and(crime_date < record_update_date
          AND extract(year FROM crime_date) = crime_year) AS dated,
        bool_and((district IS NULL) = (latitude IS NULL)) AS located,
        count(*) FILTER (WHERE latitude IS NULL)::int AS nowhere,
        count(*) FILTER (WHERE location_desc IS NULL)::int AS unknown,
        count(*) FILTER (WHERE location_desc = '')::int AS empty,
        count(*) FILTER (WHERE location_desc = 'CTA "L" TRAIN')::int AS quoted,
        count(*) FILTER (WHERE description LIKE E'%\n%')::int AS broken
      FROM crimes`;
    assert.deepEqual([seen.ids, seen.first, seen.last], [1000, 1, 1000]);
    assert.ok(seen.dated && seen.located);
    assert.ok(seen.nowhere > 50 && seen.unknown > 0 && seen.empty > 0 && seen.quoted > 0);
    assert.equal(seen.broken > 0, newlines);
  });
}

Deno.test("a row that does not fit fails the copy, and the client works on", async () => {
  await using pg = await startPostgres();
  await pg.runFile(CRIMES_SQL);
  const copy = "COPY crimes FROM STDIN (FORMAT csv)";
  await assert.rejects(pg.copyIn(copy, [new TextEncoder().encode("1,2\n")]), /missing data/);
  await assert.rejects(pg.copyIn("COPY nothing FROM STDIN", []), /"nothing" does not exist/);
  assert.equal(await countCrimes(pg), 0);
});

Deno.test({
  name: "the view reads every slot's program, with its place among the slots",
  ignore: !ownServer,
  async fn() {
    await using pg = await startPostgres();
    const file = join(pg.home!, "rows.csv");
    await Deno.writeFile(file, Buffer.concat([...generateRows({ rows: 1000, newlines: true })]));
    await pg.sql.unsafe("CREATE TABLE crimes_kafka_other (id int)"); // not ours: left alone
    await pg.runFile(CRIMES_SQL); // four slots; the next run takes two of them away
    await pg.runFile(CRIMES_SQL, {
      "gpdb_kafka.command":
        `cat "$HOME/rows.csv"; echo "$GP_SEGMENT_ID,$GP_SEGMENT_COUNT"",,,,,,,,,,,,,,,,,,,,"`,
      "gpdb_kafka.slots": "2",
    });
    const tables = await pg
      .sql`SELECT relname FROM pg_class WHERE relname ~ '^crimes_kafka' ORDER BY 1`;
    assert.deepEqual(tables.map(({ relname }) => relname), [
      "crimes_kafka",
      "crimes_kafka_0",
      "crimes_kafka_1",
      "crimes_kafka_other",
    ]);
    await pg.sql`INSERT INTO crimes SELECT * FROM crimes_kafka`;
    assert.equal(await countCrimes(pg), 2 * 1001);
    const slots = await pg
      .sql`SELECT id, case_number FROM crimes WHERE crime_date IS NULL ORDER BY 1`;
    assert.deepEqual([...slots], [{ id: 0, case_number: "2" }, { id: 1, case_number: "2" }]);

    await pg.sql.unsafe(`TRUNCATE crimes; COPY crimes FROM PROGRAM 'cat ${file}' (FORMAT csv)`);
    assert.equal(await countCrimes(pg), 1000);
  },
});

Deno.test({
  name: "a program that fails, fails the statement",
  ignore: !ownServer,
  async fn() {
    await using pg = await startPostgres();
    await pg.runFile(CRIMES_SQL, { "gpdb_kafka.command": "exit 69" });
    await assert.rejects(
      async () => await pg.sql`INSERT INTO crimes SELECT * FROM crimes_kafka`,
      { detail: "child process exited with exit code 69" },
    );
  },
});

Deno.test({
  name: "the server can run a Deno program with its modules, packages and files",
  ignore: !ownServer,
  async fn() {
    const folder = await Deno.makeTempDir(); // closed to other users, as a checkout may be
    try {
      const files = {
        "deno.json": '{ "imports": { "csv-parse/sync": "npm:csv-parse@7.0.3/sync" } }',
        "words.txt": "file",
        "lib/word.ts": 'export const word: string = "module";',
        "lib/later.ts": 'export const word: string = "later";',
        "main.ts": `
          import { parse } from "csv-parse/sync";
          import { word } from "./lib/word.ts";
          const later = (await import("./lib/later.ts")).word;
          const file = Deno.readTextFileSync(new URL("./words.txt", import.meta.url));
          const words = [...parse("package")[0], word, later, file, Deno.env.get("GIVEN")];
          console.log([...words, ...Deno.args].join(" "));`,
      };
      await Deno.mkdir(join(folder, "lib"));
      for (const [name, text] of Object.entries(files)) {
        await Deno.writeTextFile(join(folder, name), text);
      }
      await using pg = await startPostgres();
      const entry = join(folder, "main.ts");
      const options = { name: "say", entry, env: { GIVEN: "it's" }, include: ["words.txt"] };
      assert.equal(await pg.installProgram(options), join(pg.home!, "say"));
      await pg.sql`CREATE TABLE said (words text)`;
      const said = async () => {
        await pg.sql.unsafe(`TRUNCATE said; COPY said FROM PROGRAM '$HOME/say "an argument" 2>&1'`);
        return (await pg.sql`SELECT words FROM said`).map(({ words }) => words);
      };
      assert.deepEqual(await said(), ["package module later file it's an argument"]);

      await Deno.writeTextFile(join(folder, "lib/word.ts"), 'export const word = "changed";');
      await pg.installProgram(options);
      assert.deepEqual(await said(), ["package changed later file it's an argument"]);

      await Deno.writeTextFile(entry, 'import "./missing.ts";');
      await assert.rejects(pg.installProgram(options), /missing\.ts/);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

Deno.test({
  name: "stopping removes everything, even while a program runs",
  ignore: !ownServer,
  async fn() {
    const pg = await startPostgres({ settings: { work_mem: "5MB" } });
    assert.equal((await pg.sql`SHOW work_mem`)[0].work_mem, "5MB");
    await pg.sql`CREATE TABLE lines (line text)`;
    const waiting = pg.sql.unsafe("COPY lines FROM PROGRAM 'sleep 2'").catch(() => {});
    await pg.sql`SELECT pg_sleep(0.2)`;
    const pid = (await Deno.readTextFile(join(pg.dataDir!, "postmaster.pid"))).split("\n")[0];
    await Promise.all([pg.stop(), pg.stop(), waiting]);
    await assert.rejects(Deno.stat(pg.dataDir!), Deno.errors.NotFound);
    await assert.rejects(Deno.stat(`/proc/${pid}`), Deno.errors.NotFound);
  },
});

Deno.test({
  name: "the server ends with the process that started it, however that ends",
  ignore: !ownServer,
  async fn() {
    const script = new URL("../../scripts/servers/postgres.ts", import.meta.url).href;
    const code = `
      const { startPostgres } = await import(${JSON.stringify(script)});
      const pg = await startPostgres();
      console.log(pg.dataDir);
      Deno.kill(Deno.pid, "SIGKILL");`;
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["eval", code],
      cwd: new URL("../..", import.meta.url),
    }).output();
    const dataDir = new TextDecoder().decode(stdout).trim();
    assert.match(dataDir, /data$/);
    const deadline = Date.now() + 10_000;
    while (await Deno.stat(dataDir).then(() => true, () => false)) {
      assert.ok(Date.now() < deadline, `${dataDir} is still there`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  },
});

Deno.test({
  name: "a server that does not start says why and where its log is",
  ignore: !ownServer,
  async fn() {
    const failure = await startPostgres({ settings: { work_mem: "much" } }).catch((error) => error);
    assert.ok(failure instanceof Failure);
    assert.equal(failure.kind, "broker");
    assert.match(failure.message, /^Cannot start PostgreSQL: the server ended at once\n/);
    assert.match(failure.message, /invalid value for parameter "work_mem": "much"/);
    const log = failure.message.match(/Its log: (.*)$/)![1];
    assert.match(await Deno.readTextFile(log), /work_mem/);
    await Deno.remove(log);
  },
});

Deno.test("with DATABASE_URL, that server is used, in a database of its own", async () => {
  await using own = await startPostgres();
  const before = Deno.env.get("DATABASE_URL");
  Deno.env.set("DATABASE_URL", before ?? own.dsn);
  try {
    let name: string;
    {
      await using pg = await startPostgres();
      assert.equal(pg.dataDir, undefined);
      name = (await pg.sql`SELECT current_database()`)[0].current_database;
      assert.match(name, /^gpdb_kafka_/);
      await assert.rejects(pg.installProgram({ name: "x", entry: "x.ts" }), Failure);
    }
    const left = await own.sql`SELECT 1 FROM pg_database WHERE datname = ${name}`;
    assert.equal(left.length, 0);

    Deno.env.set("DATABASE_URL", "host=localhost");
    await assert.rejects(startPostgres(), /DATABASE_URL must be of the form postgres:/);
  } finally {
    if (before) Deno.env.set("DATABASE_URL", before);
    else Deno.env.delete("DATABASE_URL");
  }
});
