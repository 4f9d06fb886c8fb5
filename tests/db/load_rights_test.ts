import assert from "node:assert/strict";
import { schemaSql } from "../../lib/greenplum/schema_files.ts";
import { load, runScript } from "../support/load.ts";
import { addScripted, startScripted } from "../support/load_scripted.ts";

Deno.test("rights: nothing in the schema is open to PUBLIC, and a load's internal steps are not open to roles that may load", async () => {
  await using world = await startScripted();
  const { sql } = world;
  const etl = await world.role("rights_etl");
  const stranger = await world.role("rights_stranger");
  await sql`GRANT INSERT ON things TO rights_etl`;
  await sql`SELECT kafka.allow('rights_etl')`;
  await sql`GRANT USAGE ON SCHEMA kafka TO rights_stranger`;
  const open = await sql`
    SELECT p.oid::regprocedure::text AS name FROM pg_proc p
    WHERE p.pronamespace = 'kafka'::regnamespace AND has_function_privilege('rights_stranger', p.oid, 'EXECUTE')
    UNION ALL
    SELECT c.oid::regclass::text FROM pg_class c
    WHERE c.relnamespace = 'kafka'::regnamespace AND c.relkind IN ('r', 'v')
      AND has_table_privilege('rights_stranger', c.oid, 'SELECT, INSERT, UPDATE, DELETE')`;
  assert.deepEqual([...open], []);

  await world.plan([{ end: 5 }], ["0,a"]);
  const closed = [
    "_begin('things', NULL)",
    "_copy('things', '0:0-1')",
    "_finish('things', 0, 0)",
    "_open('things', 'INSERT', kafka._me())",
    "_lock('things', 'load')",
    "_role_of(kafka._me())",
    "load('things', NULL, 'postgres 00000000000000000000000000000000')",
    "allow('rights_etl')",
    "make_table('things', 'x', 'things', 'CREATE TABLE x ()')",
    "prune('0 s')",
  ];
  for (const call of closed) {
    await assert.rejects(async () => await etl.sql.unsafe(`SELECT kafka.${call}`), {
      code: "42501",
    }, call);
  }
  assert.equal((await load(etl, "things")).records, 5);

  // The lag of a source, which starts a process, is for those who may load it.
  await assert.rejects(async () => await stranger.sql`SELECT kafka.lag_of()`, { code: "42501" });
  await sql`CREATE TABLE secrets (id int, name text)`;
  await sql`
    SELECT kafka.add_source('secrets', 't', 'secrets', 'true #',
      'touch started; echo t,0,0,3,,,,, # --log-identity', 'g')`;
  const seen = await etl.sql`SELECT source FROM kafka.lag`;
  assert.deepEqual(seen.map(({ source }) => source), ["things"]);
  await assert.rejects(async () => await etl.sql`SELECT kafka.lag_of('secrets')`, {
    code: "42501",
  });
  assert.equal((await sql`SELECT * FROM pg_ls_dir('.') f WHERE f = 'started'`).length, 0);
  assert.equal((await sql`SELECT 1 FROM kafka.lag`).length, 2);
});

Deno.test("rights: on Greenplum a caller's steps are checked against what was planned", async () => {
  await using world = await startScripted(false);
  const { sql } = world;
  await runScript(world, await schemaSql("greenplum"));
  await sql.unsafe(`
    CREATE SCHEMA fake;
    CREATE TABLE fake.pg_exttable (reloid regclass, execlocation text[], command text,
      rejectlimit integer);
    GRANT USAGE ON SCHEMA fake TO PUBLIC;
    GRANT SELECT ON fake.pg_exttable TO PUBLIC;
    ALTER FUNCTION kafka._web_table(regclass) SET search_path = pg_catalog, fake;
    CREATE TABLE reader (id int, name text);
    CREATE TABLE planner (topic text, partition_no integer, earliest bigint, end_offset bigint,
      at_offset bigint, cluster_id text, topic_id text, leader_epoch integer, epoch_end bigint);
    INSERT INTO planner VALUES ('t', 0, 0, 3);
    INSERT INTO reader VALUES (0, 'a'), (1, 'b');
    INSERT INTO fake.pg_exttable VALUES ('reader', '{ALL_SEGMENTS}', 'x --ranges-from-query');
    SELECT kafka.add_source('things', 't', 'things', 'public.reader', 'public.planner', 'g')`);
  const { sql: etl } = await world.role("rights_steps");
  await sql.unsafe(`
    SELECT kafka.allow('rights_steps');
    GRANT INSERT ON things TO rights_steps;
    GRANT SELECT ON reader TO rights_steps`);
  const finish = (rows: string) => `SELECT kafka._finish('things', ${rows})`;
  await assert.rejects(async () => await etl.unsafe(finish("0, 0")), /this transaction began none/);
  await etl`SELECT kafka._begin('things', NULL)`;
  await assert.rejects(async () => await etl.unsafe(finish("0, 0")), /this transaction began none/);
  for (const rows of ["4, 0", "3, 1", "-1, 0", "0, -1", "NULL, 0", "0, NULL"]) {
    await assert.rejects(
      etl.begin(async (sql) => {
        await sql`SELECT kafka._begin('things', NULL)`;
        await sql.unsafe(finish(rows));
      }),
      /source "things" returned .* rows for 3 records/,
      rows,
    );
  }
  await assert.rejects(
    etl.begin(async (sql) => {
      await sql`SELECT kafka._begin('things', NULL)`;
      await sql.unsafe(finish("2, 0"));
      await sql.unsafe(finish("2, 0"));
    }),
    { code: "40001" },
  );
  // What was left by those is in nobody's way.
  assert.deepEqual(await load({ sql: etl }, "things"), {
    rows: 2,
    records: 3,
    lag: 0,
    reason: "end",
    load_no: 1,
  });
  const [history] = await sql`SELECT * FROM kafka.load_history`;
  assert.deepEqual([history.ranges, history.loaded_by], ["0:0-3", "rights_steps"]);
  await sql`SELECT kafka.prune('0 s')`;
  assert.equal((await sql`SELECT 1 FROM kafka.load_plan`).length, 0);
});

Deno.test("rights: a table of another owner, or with another role's trigger, is not loaded", async () => {
  await using world = await startScripted();
  const { sql } = world;
  const mallory = await world.role("rights_mallory");
  await world.plan([{ end: 1 }], ["0,a"]);
  await sql`GRANT ALL ON SCHEMA public TO rights_mallory`;
  await sql`ALTER TABLE things OWNER TO rights_mallory`;
  await assert.rejects(
    load(world, "things"),
    /table public.things belongs to role "rights_mallory" now, not to "postgres"/,
  );
  await sql`ALTER TABLE things OWNER TO postgres`;
  // Whoever has the right to make triggers runs code, too.
  await sql`GRANT TRIGGER ON things TO rights_mallory`;
  await mallory.sql.unsafe(`
    CREATE FUNCTION grab() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN EXECUTE 'ALTER ROLE rights_mallory SUPERUSER'; RETURN NEW; END $$;
    CREATE TRIGGER grab BEFORE INSERT ON things FOR EACH ROW EXECUTE FUNCTION grab()`);
  await assert.rejects(
    load(world, "things"),
    /function (public.)?grab\(\) belongs to role "rights_mallory", and would run with/,
  );
  await mallory.sql`ALTER FUNCTION grab() SECURITY DEFINER`;
  await assert.rejects(load(world, "things"), { code: "42501" }); // mallory's own rights
  await sql`DROP TRIGGER grab ON things`;
  // So are functions in defaults, constraints and indexes, and domains.
  await mallory.sql.unsafe(`
    CREATE FUNCTION sly(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT $1';
    CREATE DOMAIN word AS text`);
  const made: [string, string, RegExp][] = [
    ["ADD COLUMN more text DEFAULT sly('x')", "DROP COLUMN more", /function (public.)?sly\(text\)/],
    ["ADD CONSTRAINT ok CHECK (sly(name) <> '')", "DROP CONSTRAINT ok", /function (public.)?sly/],
    ["ADD EXCLUDE (sly(name) WITH =)", "DROP CONSTRAINT things_sly_excl", /function (public.)?sly/],
    ["ADD COLUMN more word", "DROP COLUMN more", /domain (public.)?word belongs to role/],
  ];
  for (const [add, drop, message] of made) {
    await sql.unsafe(`ALTER TABLE things ${add}`);
    await assert.rejects(load(world, "things"), message, add);
    await sql.unsafe(`ALTER TABLE things ${drop}`);
  }
  assert.equal((await load(world, "things")).rows, 1);
  // The owner of the table is trusted; a name that its trigger does not qualify is said to be so.
  await sql.unsafe(`
    CREATE TABLE audit (id int);
    CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN INSERT INTO audit VALUES (NEW.id); RETURN NEW; END $$;
    CREATE TRIGGER note BEFORE INSERT ON things FOR EACH ROW EXECUTE FUNCTION note()`);
  await world.plan([{ end: 2 }], ["1,b"]);
  await assert.rejects(load(world, "things"), (error: { message: string; hint: string }) => {
    assert.match(error.message, /relation "audit" does not exist/);
    assert.match(error.hint, /search_path pg_catalog, pg_temp in kafka.load: qualify the names/);
    return true;
  });
  await sql`ALTER FUNCTION note() SET search_path = public`;
  assert.equal((await load(world, "things")).rows, 1);
  assert.equal((await sql`SELECT 1 FROM audit`).length, 1);
});

Deno.test("schema: what another role made beforehand is rejected, not used", async () => {
  await using world = await startScripted(false);
  const { sql } = world;
  const text = await schemaSql("postgres");
  const mallory = await world.role("schema_mallory");
  await sql.unsafe("CREATE SCHEMA kafka AUTHORIZATION schema_mallory");
  await assert.rejects(
    runScript(world, text),
    /cannot install schema kafka: schema kafka belongs to role "schema_mallory", not to "postgres"/,
  );
  await sql`ALTER SCHEMA kafka OWNER TO postgres`;
  await sql`GRANT CREATE, USAGE ON SCHEMA kafka TO schema_mallory`;
  const made: [string, string, RegExp][] = [
    ["CREATE TABLE kafka.source (name text)", "TABLE kafka.source", /kafka.source belongs to role/],
    ["CREATE VIEW kafka.lag AS SELECT 1", "VIEW kafka.lag", /kafka.lag belongs to role/],
    [
      "CREATE FUNCTION kafka._caller() RETURNS name LANGUAGE sql AS $$ SELECT ''::name $$",
      "FUNCTION kafka._caller()",
      /function kafka._caller belongs to role/,
    ],
    ["CREATE TYPE kafka.t AS ENUM ()", "TYPE kafka.t", /type kafka\._?t belongs to role/],
  ];
  for (const [create, drop, message] of made) {
    await mallory.sql.unsafe(create);
    await assert.rejects(runScript(world, text), message, create);
    await mallory.sql.unsafe(`DROP ${drop}`);
  }
  await assert.rejects(
    runScript(world, text),
    /role "schema_mallory" may create objects in it/,
  );
  await sql`REVOKE CREATE ON SCHEMA kafka FROM schema_mallory`;
  await runScript(world, text);
  await addScripted(world);
  assert.equal((await load(world, "things")).rows, 0);
  // Nor does a superuser take over what a role of its own has installed.
  await sql`CREATE ROLE schema_owner`;
  try {
    await sql`ALTER SCHEMA kafka OWNER TO schema_owner`;
    await assert.rejects(runScript(world, text), /schema kafka belongs to role "schema_owner"/);
    await sql`ALTER SCHEMA kafka OWNER TO postgres`;
  } finally {
    await sql`DROP ROLE schema_owner`;
  }
});
