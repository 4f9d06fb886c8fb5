/** What roles with a few rights of their own try, to have more of a source than they were given. */
import assert from "node:assert/strict";
import { freePorts } from "../../scripts/servers/broker/ports.ts";
import { start } from "../support/cli.ts";
import { schemaSql } from "../../lib/greenplum/schema_files.ts";
import { load, runScript } from "../support/load.ts";
import { startScripted } from "../support/load_scripted.ts";

Deno.test("trespass: code that runs as another role inside a session has that role's rights only", async () => {
  await using world = await startScripted();
  const { sql } = world;
  await world.plan([{ end: 3 }], ["0,a"]);
  const mallory = await world.role("trespass_mallory");
  await sql.unsafe(`
    CREATE TABLE hers (id int, name text);
    GRANT INSERT ON hers TO trespass_mallory;
    GRANT CREATE ON SCHEMA public TO trespass_mallory;
    SELECT kafka.allow('trespass_mallory')`);
  const calls = [
    "kafka.drop_source('things')",
    "kafka.seek('things', 'latest')",
    "kafka.pause('things')",
    "kafka.resume('things')",
    "kafka.load('things')",
    "kafka.lag_of('things')",
    "kafka.check_source('things')",
  ];
  for (const [i, call] of calls.entries()) {
    // A superuser's ANALYZE, also autovacuum's, runs functions of expression indexes as the table's
    // owner; REFRESH runs the view's query as the view's.
    await mallory.sql.unsafe(`
      CREATE TABLE lure_${i} (id int);
      INSERT INTO lure_${i} VALUES (1);
      CREATE FUNCTION lure_${i}(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$
        BEGIN RETURN $1; END $$;
      CREATE INDEX ON lure_${i} (lure_${i}(id));
      CREATE OR REPLACE FUNCTION lure_${i}(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$
        BEGIN PERFORM ${call}; RETURN $1; END $$;
      CREATE FUNCTION definer_${i}() RETURNS int LANGUAGE plpgsql SECURITY DEFINER AS $$
        BEGIN PERFORM ${call}; RETURN 1; END $$;
      CREATE MATERIALIZED VIEW lured_${i} AS SELECT definer_${i}() WITH NO DATA`);
    for (
      const lured of [
        `ANALYZE lure_${i}`,
        `REFRESH MATERIALIZED VIEW lured_${i}`,
        `SELECT definer_${i}()`,
      ]
    ) {
      await assert.rejects(
        async () => await sql.unsafe(lured),
        { code: "42501" },
        `${lured}: ${call}`,
      );
    }
  }
  // Nobody can say who they are, only be signed as that; a dump without data has no key.
  const [{ signed }] = await mallory.sql`SELECT kafka._me() AS signed`;
  for (const caller of [signed.replace(/^\S+/, "postgres"), "postgres", "", null]) {
    await assert.rejects(
      async () => await sql`SELECT kafka.load('things', NULL, ${caller})`,
      /the last argument of a function of schema kafka is not for callers/,
      caller,
    );
  }
  await sql`DELETE FROM kafka.signing_key`;
  await assert.rejects(load(world, "things"), /cannot tell who calls: .* is empty/);
  await runScript(world, await schemaSql("postgres"));
  assert.equal((await load(world, "things")).rows, 1);
});

Deno.test("trespass: a target's code is checked while no other session can change it", async () => {
  await using world = await startScripted();
  const { sql } = world;
  const mallory = await world.role("trespass_trigger");
  await sql`GRANT TRIGGER ON things TO trespass_trigger`;
  await sql`GRANT CREATE ON SCHEMA public TO trespass_trigger`;
  await mallory.sql.unsafe(`
    CREATE FUNCTION grab() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN EXECUTE 'ALTER ROLE trespass_trigger SUPERUSER'; RETURN NEW; END $$`);
  // The load has looked, and waits for its planner, and then for its reader.
  await sql`UPDATE kafka.source SET planner = 'sleep 2; printf ''t,0,0,1,,,,,\\n'' # --log-identity',
    reader = 'printf ''0,a\\n'' #'`;
  const loading = load(world, "things");
  loading.catch(() => {});
  await new Promise((resolve) => setTimeout(resolve, 700));
  await mallory.sql`SET lock_timeout = '300ms'`;
  await assert.rejects(
    async () =>
      await mallory
        .sql`CREATE TRIGGER grab BEFORE INSERT ON things FOR EACH ROW EXECUTE FUNCTION grab()`,
    { code: "55P03" },
  );
  assert.equal((await loading).rows, 1);
  const [{ rolsuper }] =
    await sql`SELECT rolsuper FROM pg_roles WHERE rolname = 'trespass_trigger'`;
  assert.equal(rolsuper, false);
});

Deno.test("trespass: code of a third role is found in all of a target's types and expressions", async () => {
  await using world = await startScripted();
  const { sql } = world;
  await world.plan([{ end: 1 }], ["0,a"]);
  const mallory = await world.role("trespass_types");
  await sql`GRANT CREATE ON SCHEMA public TO trespass_types`;
  await mallory.sql.unsafe(`
    CREATE FUNCTION sly(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN $1; END';
    CREATE FUNCTION sly_is(int, int) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN true; END';
    CREATE FUNCTION sly_diff(int, int) RETURNS float8 LANGUAGE sql IMMUTABLE AS 'SELECT 0.0::float8';
    CREATE OPERATOR === (LEFTARG = int, RIGHTARG = int, FUNCTION = sly_is);
    CREATE DOMAIN word AS text;
    CREATE TYPE pair AS (a int, b word)`);
  await sql.unsafe(`
    CREATE DOMAIN over_domain AS word;
    CREATE DOMAIN over_array AS word[];
    CREATE TYPE over_pair AS (p pair);
    CREATE TYPE over_range AS RANGE (subtype = word);
    CREATE DOMAIN with_default AS int DEFAULT sly(1);
    CREATE DOMAIN with_check AS int CHECK (VALUE === 1)`);
  const made: [string, RegExp][] = [
    ["ADD COLUMN more word[]", /word/],
    ["ADD COLUMN more pair", /pair/],
    ["ADD COLUMN more pair[]", /pair/],
    ["ADD COLUMN more over_domain", /word/],
    ["ADD COLUMN more over_array", /word/],
    ["ADD COLUMN more over_pair", /pair|word/],
    ["ADD COLUMN more over_range", /word/],
    ["ADD COLUMN more with_default", /sly/],
    ["ADD COLUMN more with_check", /sly_is|===/],
    ["ADD COLUMN more boolean DEFAULT (1 === 1)", /sly_is|===/],
    ["ADD COLUMN more boolean GENERATED ALWAYS AS (id === 1) STORED", /sly_is|===/],
    ["ADD COLUMN more text DEFAULT ('x'::word)", /word/],
    ["ADD CHECK (id === 1)", /sly_is|===/],
  ];
  for (const [change, what] of made) {
    await sql.unsafe(`ALTER TABLE things ${change}`);
    await assert.rejects(
      load(world, "things"),
      (error: { message: string }) =>
        /belongs to role "trespass_types", and would run with/.test(error.message) &&
        what.test(error.message),
      change,
    );
    await sql.unsafe(
      /COLUMN/.test(change)
        ? "ALTER TABLE things DROP COLUMN more"
        : "ALTER TABLE things DROP CONSTRAINT things_id_check",
    );
  }
  await sql.unsafe(`CREATE INDEX by_sly ON things ((id === 1))`);
  await assert.rejects(load(world, "things"), /would run with/);
  await sql`DROP INDEX by_sly`;
  await sql.unsafe(`CREATE INDEX by_sly ON things (id) WHERE id === 1`);
  await assert.rejects(load(world, "things"), /would run with/);
  await sql`DROP INDEX by_sly`;
  // How a row finds its partition is code, too.
  await sql.unsafe(`
    CREATE TABLE parts (id int, name text) PARTITION BY RANGE (sly(id));
    CREATE TABLE parts_all PARTITION OF parts DEFAULT`);
  await assert.rejects(
    async () =>
      await sql`
        SELECT kafka.add_source('parts', 't', 'parts', 'true', 'true # --log-identity', 'g')`,
    /function (public.)?sly\(integer\) belongs to role "trespass_types"/,
  );
  assert.equal((await load(world, "things")).rows, 1);
});

Deno.test("trespass: the owner of a SECURITY DEFINER function can replace it at any moment", async () => {
  await using world = await startScripted();
  const { sql } = world;
  const mallory = await world.role("trespass_definer");
  await sql`GRANT CREATE ON SCHEMA public TO trespass_definer`;
  await sql`GRANT TRIGGER ON things TO trespass_definer`;
  await mallory.sql.unsafe(`
    CREATE FUNCTION grab() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
      BEGIN NEW.name := current_user; RETURN NEW; END $$;
    CREATE TRIGGER grab BEFORE INSERT ON things FOR EACH ROW EXECUTE FUNCTION grab()`);
  await sql`UPDATE kafka.source SET planner = 'sleep 2; printf ''t,0,0,1,,,,,\\n'' # --log-identity',
    reader = 'printf ''0,a\\n'' #'`;
  const loading = load(world, "things");
  loading.catch(() => {});
  await new Promise((resolve) => setTimeout(resolve, 700));
  await mallory.sql`ALTER FUNCTION grab() SECURITY INVOKER`;
  await assert.rejects(loading, /function (public.)?grab\(\) belongs to role "trespass_definer"/);
});

Deno.test("trespass: a deferred trigger does not find the caller's objects", async () => {
  await using world = await startScripted();
  const { sql } = world;
  await world.plan([{ end: 1 }], ["0,a"]);
  const mallory = await world.role("trespass_path");
  await sql`GRANT INSERT ON things TO trespass_path`;
  await sql`SELECT kafka.allow('trespass_path')`;
  await sql`CREATE SCHEMA trespass_path AUTHORIZATION trespass_path`;
  await sql.unsafe(`
    CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN PERFORM tell(); RETURN NEW; END $$;
    CREATE CONSTRAINT TRIGGER note AFTER INSERT ON things DEFERRABLE INITIALLY IMMEDIATE
      FOR EACH ROW EXECUTE FUNCTION note()`);
  await mallory.sql.unsafe(`
    CREATE FUNCTION trespass_path.tell() RETURNS void LANGUAGE plpgsql AS $$
      BEGIN EXECUTE 'ALTER ROLE trespass_path SUPERUSER'; END $$`);
  await assert.rejects(async () =>
    await mallory.sql.begin(async (sql) => {
      await sql`SET LOCAL search_path = trespass_path, public`;
      await sql`SET CONSTRAINTS ALL DEFERRED`;
      await sql`SELECT kafka.load('things')`;
    })
  );
  const [{ rolsuper }] = await sql`SELECT rolsuper FROM pg_roles WHERE rolname = 'trespass_path'`;
  assert.equal(rolsuper, false);
});

Deno.test("trespass: a table made beforehand under a peek's name gives no role a right to the peek", async () => {
  await using world = await startScripted();
  const { sql } = world;
  const mallory = await world.role("trespass_peek");
  await world.role("trespass_friend");
  await sql.unsafe(`
    GRANT CREATE ON SCHEMA public TO trespass_peek;
    CREATE FOREIGN DATA WRAPPER trespass;
    CREATE SERVER trespass FOREIGN DATA WRAPPER trespass;
    GRANT USAGE ON FOREIGN SERVER trespass TO trespass_peek`);
  const definition = "CREATE FOREIGN TABLE public.peek (id int) SERVER trespass";
  await mallory.sql.unsafe(`${definition}; GRANT SELECT ON peek TO trespass_friend`);
  const make = async (text: string) =>
    await sql`SELECT kafka.make_table('things', 'public.peek', 'things', ${text})`;
  const mayRead = async () =>
    (await sql`
    SELECT has_table_privilege('trespass_friend', 'peek', 'SELECT') AS yes`)[0].yes;
  await make(definition);
  assert.equal(await mayRead(), false);
  // What this schema's owner has granted stays.
  await sql`GRANT SELECT ON peek TO trespass_friend`;
  await make(definition.replace("id int", "id int, name text"));
  assert.equal(await mayRead(), true);
});

Deno.test("trespass: an open request to the metrics port does not keep the loads from ending", async () => {
  await using world = await startScripted();
  await world.plan([{ end: 0 }]);
  const [port] = freePorts(1);
  const child = start("main", [
    ...["load", "things", "--dsn", world.pg.dsn, "--every", "100ms"],
    ...["--listen", `127.0.0.1:${port}`],
  ]);
  child.stdin.close();
  const output = Promise.all([child.stdout, child.stderr].map((s) => new Response(s).text()));
  const deadline = setTimeout(() => child.kill("SIGKILL"), 30_000);
  let healthy = false;
  while (!healthy) {
    healthy = await fetch(`http://127.0.0.1:${port}/healthz`).then(async (answer) => {
      await answer.body?.cancel();
      return answer.ok;
    }, () => false);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  clearTimeout(deadline);
  const send = async (text: string) => {
    const connection = await Deno.connect({ port });
    await connection.write(new TextEncoder().encode(text));
    const answer = new Uint8Array(64);
    await connection.read(answer);
    return { connection, answer: new TextDecoder().decode(answer).split("\r\n")[0] };
  };
  const broken = await send("GET http://[/ HTTP/1.1\r\nHost: x\r\n\r\n");
  broken.connection.close();
  assert.equal(broken.answer, "HTTP/1.1 400 Bad Request");
  const half = await send("GET /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nab");
  using _connection = half.connection;
  assert.equal(half.answer, "HTTP/1.1 200 OK");
  child.kill("SIGTERM");
  const killed = setTimeout(() => child.kill("SIGKILL"), 5000);
  const { code } = await child.status;
  clearTimeout(killed);
  assert.equal((await output)[1], "");
  assert.equal(code, 143);
});
