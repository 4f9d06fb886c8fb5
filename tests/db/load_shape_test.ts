/** Mapping and filter: which of a record's fields a table has, and what is computed of them. */
import assert from "node:assert/strict";
import { text } from "../support/cli.ts";
import { gpdbKafka } from "../support/cli.ts";
import { produce } from "../support/kafka.ts";
import { ownServer, runScript } from "../support/load.ts";
import { startScripted } from "../support/load_scripted.ts";
import { dialect } from "../support/load.ts";
import { addShaped, canReject, loadCounts, shapeOf } from "../support/load_shaped.ts";
import { startWorld } from "../support/load_world.ts";

Deno.test("shape: fields, computed columns and a filter, with the functions of the installer's search path", async () => {
  await using world = await startScripted();
  const { sql } = world;
  await sql.unsafe(`
    CREATE SCHEMA "Lib";
    CREATE FUNCTION "Lib".tidy(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT upper($1)';
    CREATE TABLE orders (total numeric(10,2), id int, name varchar(5), at date, loaded timestamptz)`);
  await sql`ALTER DATABASE ${sql((await sql`SELECT current_database() AS d`)[0].d)}
    SET search_path = public, "Lib"`;
  const installer = world.session();
  await addShaped(installer, {
    name: "things",
    table: "orders",
    shape: shapeOf("id integer, name text, amount numeric, at date, status text", {
      selects: [
        { column: "total", expression: "amount * 1.19 -- with tax" },
        { column: "name", expression: "tidy(name)" },
        { column: "loaded", expression: "now()" },
      ],
      where: "status <> 'TEST' -- orders of the shop itself",
    }),
  });
  await world.plan([{ end: 4 }], [
    "0,0,1,ann,10,2026-01-31,ok",
    "0,1,2,bob,no number,2026-01-31,TEST",
    "0,2,3,,5,,",
    '0,3,4,"c ""d""",,2026-02-01,ok',
  ]);
  const counts = await loadCounts(world);
  assert.deepEqual([counts.rows, counts.inserted, counts.filtered, counts.rows_read], [2, 2, 2, 4]);
  const rows = await sql`
    SELECT total::text, id, name, at::text, loaded > now() - interval '1 min' AS loaded
    FROM orders ORDER BY id`;
  assert.deepEqual(rows.map((row) => Object.values(row)), [
    ["11.90", 1, "ANN", "2026-01-31", true],
    [null, 4, 'C "D"', "2026-02-01", true],
  ]);
  const [status] = await sql`SELECT * FROM kafka.status`;
  assert.deepEqual(
    [status.rows_loaded, status.rows_inserted, status.rows_filtered, status.offsets_without_row],
    ["2", "2", "2", "0"],
  );
});

Deno.test("shape: a value or an expression that fails names its record and field, and nothing is loaded", async () => {
  await using world = await startScripted();
  const { sql } = world;
  await sql`CREATE TABLE orders (id int, share int CHECK (share < 90), name varchar(3))`;
  await addShaped(world, {
    table: "orders",
    shape: shapeOf("id integer, part integer, whole integer, name text", {
      selects: [{ column: "share", expression: "100 * part / whole" }],
    }),
  });
  const rows = Array.from({ length: 300 }, (_, i) => `${i % 2},${i >> 1},${i},1,2,abc`);
  const cases: [row: string, message: RegExp, code: string][] = [
    ["0,0,x,1,2,abc", /partition 0 offset 0: field "id": invalid input .*: "x"$/, "22P02"],
    ["1,149,9,1,0,abc", /partition 1 offset 149: column "share": division by zero$/, "22012"],
    ["1,77,9,1,2,abcd", /partition 1 offset 77: value too long for .*varying\(3\)$/, "22001"],
    ["0,77,9,95,100,abc", /partition 0 offset 77: new row for .* violates check/, "23514"],
    [
      "0,99,99999999999,1,2,",
      /partition 0 offset 99: field "id": value ".*" is out of range/,
      "22003",
    ],
  ];
  for (const [bad, message, code] of cases) {
    const [partition, offset] = bad.split(",");
    const place = `${partition},${offset},`;
    await world.plan(
      [{ end: 150 }, { end: 150 }],
      rows.map((row) => row.startsWith(place) ? bad : row),
    );
    await assert.rejects(loadCounts(world), (error: { message: string; code: string }) => {
      assert.match(error.message, message);
      assert.match(error.message, /^cannot load source "things": topic "t" partition /);
      assert.equal(error.code, code);
      return true;
    });
    assert.equal((await sql`SELECT 1 FROM orders`).length, 0);
  }
  // A row with a field too few, or too many.
  for (const bad of ["1,3,9,1,2", "1,3,9,1,2,a,b"]) {
    await world.plan([{ end: 1 }, { end: 4 }], ["0,0,1,1,2,abc", bad]);
    await assert.rejects(
      loadCounts(world),
      /cannot load source "things": topic "t" partition 1 offset 3: (missing|extra) data/,
    );
  }
  await world.plan([{ end: 150 }, { end: 150 }], rows);
  assert.equal((await loadCounts(world)).rows, 300);
});

Deno.test("shape: what a source cannot mean is refused when it is made, in one line", async () => {
  await using world = await startScripted();
  const { sql } = world;
  await sql`CREATE TABLE others (n int)`;
  await sql`CREATE FUNCTION two(int) RETURNS SETOF int LANGUAGE sql AS 'VALUES ($1), ($1)'`;
  const fields = "id integer, name text";
  const select = (expression: string, column = "name") => ({ selects: [{ column, expression }] });
  const cases: [Parameters<typeof shapeOf>[1], RegExp][] = [
    [select("upper(name"), /syntax error/],
    [select("id +"), /syntax error/],
    [select("nope"), /column "nope" does not exist/],
    [select("nope(id)"), /function nope\(integer\) does not exist/],
    [{ where: "id" }, /argument of IS TRUE must be type boolean, not type integer/],
    [select("'x'), ('y'"), /an expression is a list, not one value/],
    [select("(SELECT n::text FROM others)"), /an expression has a subquery/],
    [{ where: "id IN (SELECT n FROM others)" }, /an expression has a subquery/],
    [select("two(id)", "id"), /an expression has a function that returns several rows/],
    [select("row_number() OVER ()", "id"), /an expression has a window function/],
    [select("count(*)", "id"), /must appear in the GROUP BY|aggregate/],
    [select("1", "nope"), /table (public\.)?things has no column "nope", which --select names/],
    [{ merge: ["nope"] }, /--merge: "nope" is not one of the fields, and no --select computes/],
    [{ merge: ["id"], mergeOrder: "at" }, /--merge-order: "at" is not one of the fields/],
    [
      { merge: ["id"], ...select("id * 1.5", "id") },
      /merge key "id" is numeric, but column "id" of (public\.)?things is integer/,
    ],
  ];
  for (const [more, message] of cases) {
    await assert.rejects(
      addShaped(world, { shape: shapeOf(fields, more) }),
      (error: { message: string }) => {
        assert.match(error.message, message);
        assert.doesNotMatch(error.message, /\n/);
        return true;
      },
      JSON.stringify(more),
    );
  }
  await assert.rejects(
    addShaped(world, { shape: shapeOf("id integer, id integer") }),
    /field "id" is given twice|column "id" specified more than once/,
  );
  await assert.rejects(
    addShaped(world, { shape: shapeOf("x integer") }),
    /no field has the name of a column of (public\.)?things/,
  );
  // The error has the flag, and where in its text.
  const failed = await addShaped(world, { shape: shapeOf(fields, select("id +")) })
    .catch((error) => error);
  assert.match(failed.internal_query, /--select name \*\/ \(id \+\n\)/);
  assert.ok(Number(failed.internal_position) > 20);
  // What was there before is there still.
  assert.equal((await sql`SELECT stage FROM kafka.source`)[0].stage, null);
});

Deno.test("shape: an expression has the rights of the role that loads, and no code of a third role", async () => {
  await using world = await startScripted();
  const { sql } = world;
  const mallory = await world.role("shape_mallory");
  await sql`GRANT CREATE ON SCHEMA public TO shape_mallory`;
  await mallory.sql.unsafe(`
    CREATE FUNCTION sly(text) RETURNS text LANGUAGE plpgsql AS $$
      BEGIN EXECUTE 'ALTER ROLE shape_mallory SUPERUSER'; RETURN $1; END $$;
    CREATE FUNCTION sly_is(int, int) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN RETURN true; END';
    CREATE OPERATOR === (LEFTARG = int, RIGHTARG = int, FUNCTION = sly_is)`);
  const refused = /belongs to role "shape_mallory", and would run with/;
  for (
    const more of [
      { selects: [{ column: "name", expression: "sly(name)" }] },
      { where: "id === 1" },
      { merge: ["id"], deleteWhen: "sly(name) = 'd'" },
    ]
  ) {
    await assert.rejects(
      addShaped(world, { shape: shapeOf("id integer, name text", more) }),
      refused,
    );
  }
  // A function that was given to another role since.
  await sql.unsafe(
    `CREATE FUNCTION fair(text) RETURNS text LANGUAGE plpgsql AS 'BEGIN RETURN $1; END'`,
  );
  await addShaped(world, {
    shape: shapeOf("id integer, name text", {
      selects: [{ column: "name", expression: "fair(name)" }],
    }),
  });
  await world.plan([{ end: 1 }], ["0,0,1,a"]);
  assert.equal((await loadCounts(world)).rows, 1);
  await sql`ALTER FUNCTION fair(text) OWNER TO shape_mallory`;
  await world.plan([{ end: 2 }], ["0,1,1,a"]);
  await assert.rejects(loadCounts(world), refused);
  // Nobody but the schema's owner has a right to the tables and views of a source.
  for (const part of ["stage", "fields", "shape"]) {
    await sql`GRANT USAGE ON SCHEMA kafka TO shape_mallory`;
    await assert.rejects(
      async () => await mallory.sql.unsafe(`SELECT * FROM kafka.things_${part}`),
      { code: "42501" },
    );
  }
});

Deno.test("shape: a source can be changed and dropped, and leaves nothing", async () => {
  await using world = await startScripted();
  const { sql } = world;
  const parts = async () =>
    (await sql`SELECT relname AS name FROM pg_class
      WHERE relnamespace = 'kafka'::regnamespace AND relname ~ '^(things|[0-9a-f]{32})_' ORDER BY 1`)
      .map(({ name }) => name);
  const rejects = await canReject(world);
  await addShaped(world, {
    shape: shapeOf("id integer, name text", { merge: ["id"] }),
    rejectLimit: rejects ? "10 ROWS" : null,
  });
  assert.deepEqual(await parts(), [
    "things_fields",
    "things_latest",
    "things_shape",
    "things_stage",
    ...(rejects ? ["things_unfit"] : []),
  ]);
  // What somebody has put into the stage is not loaded.
  await sql`INSERT INTO kafka.things_stage VALUES (0, 7, '7', 'not of the topic')`;
  await world.plan([{ end: 1 }], ["0,0,1,a"]);
  assert.equal((await loadCounts(world)).rows, 1);
  await sql`SELECT kafka.seek('things', 'earliest')`;

  await addShaped(world, { shape: shapeOf("name text, id integer", { where: "id > 0" }) });
  assert.deepEqual(await parts(), ["things_fields", "things_shape", "things_stage"]);
  await sql`SELECT kafka.add_source('things', 't', 'things', 'true #', 'true # --log-identity', 'g')`;
  assert.deepEqual(await parts(), []);
  const long = "x".repeat(60);
  await addShaped(world, { name: long, shape: shapeOf("id integer") });
  await addShaped(world, { name: `${long}y`, shape: shapeOf("id integer") });
  assert.equal((await parts()).length, 6);
  const hostile = `*/ "; DROP TABLE things; -- $(x) \\ ü`;
  await sql.unsafe(`CREATE TABLE hostile ("${hostile.replaceAll('"', '""')}" text, id int)`);
  await addShaped(world, {
    name: hostile,
    table: "hostile",
    shape: shapeOf("id integer", {
      merge: ["id"],
      selects: [{ column: hostile, expression: `'*/ "' || id` }],
    }),
  });
  await world.plan([{ end: 1 }], ["0,0,1"], hostile);
  assert.equal((await loadCounts(world, hostile)).inserted, 1);
  assert.deepEqual(Object.values((await sql`SELECT * FROM hostile`)[0]), ['*/ "1', 1]);
  await sql`SELECT kafka.drop_source(name) FROM kafka.source`;
  assert.deepEqual(await parts(), []);
});

Deno.test({
  name: "shape: gpdb-kafka sql source maps, filters and merges CSV rows of a real topic",
  ignore: !ownServer,
  async fn() {
    await using world = await startWorld(2);
    const { broker, sql, topic, dsn } = world;
    await sql`CREATE TABLE orders (id int PRIMARY KEY, total numeric, status text, at timestamptz)`;
    const args = ["sql", "source", "orders", "--for", "postgres", "-t", topic, "--dsn", dsn];
    args.push("-b", broker.bootstrap, "--columns", "at=timestamp", "--tombstones", "skip");
    args.push("--fields", "id, amount:numeric(10,2), status", "--select", "total = amount * 1.19");
    args.push("--where", "status <> 'TEST'", "--merge", "id", "--delete-when", "status = 'gone'");
    const run = await gpdbKafka(args);
    assert.equal(run.code, 0, run.stderr);
    for (let i = 0; i < 2; i++) await runScript(world, text(run.stdout));
    const timestamp = Date.UTC(2026, 0, 31, 12);
    const rows = (...values: string[]) =>
      values.map((value) => ({ key: value[0], value, timestamp }));
    await produce(broker, topic, rows("1,100,new", "1,200,paid", "3,1,TEST"), 0);
    await produce(broker, topic, rows("2,50,new", "2,,gone", "4,10.005,new"), 1);
    const first = await loadCounts(world, "orders");
    assert.deepEqual([first.inserted, first.deleted, first.filtered], [2, 0, 1]);
    await produce(broker, topic, rows("1,300,paid", "1,,gone", "5,1,new"), 0);
    const second = await loadCounts(world, "orders");
    assert.deepEqual([second.inserted, second.updated, second.deleted], [1, 0, 1]);
    const table = await sql`SELECT id, total::float, status, at FROM orders ORDER BY id`;
    assert.deepEqual(table.map((row) => Object.values(row)), [
      [4, 11.9119, "new", new Date(timestamp)],
      [5, 1.19, "new", new Date(timestamp)],
    ]);
    // One load late, as the group's copy of the offsets is.
    const peek = await sql`SELECT id, amount::text, at FROM orders_peek WHERE amount IS NOT NULL`;
    assert.deepEqual(peek.map((row) => Object.values(row)), [
      [1, "300.00", new Date(timestamp)],
      [5, "1.00", new Date(timestamp)],
    ]);
    const loaded = await gpdbKafka(["load", "orders", "--dsn", dsn, "--once"]);
    assert.equal(loaded.code, 0, loaded.stderr);
  },
});

Deno.test({
  name: "shape: a key whose collation takes different texts for the same is rejected",
  ignore: dialect !== "postgres",
  async fn() {
    await using world = await startScripted();
    const { sql } = world;
    await sql`
      CREATE COLLATION ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false)`;
    await sql`ALTER TABLE things ALTER id TYPE text COLLATE ci`;
    await assert.rejects(
      addShaped(world, { shape: shapeOf("id text, name text", { merge: ["id"] }) }),
      /merge key "id" has a collation in which texts that differ are equal/,
    );
  },
});
