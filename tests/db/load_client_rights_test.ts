/** Who may do what with sources that gpdb-kafka reads itself, and what the database does not believe. */
import assert from "node:assert/strict";
import type postgres from "postgres";
import { schemaSql } from "../../lib/greenplum/schema_files.ts";
import { plainField } from "../../lib/greenplum/shape.ts";
import { gpdbKafka, text } from "../support/cli.ts";
import { produce } from "../support/kafka.ts";
import { addSource, dialect, runScript } from "../support/load.ts";
import { clientSession } from "../support/load_client.ts";
import { canReject, shapeOf } from "../support/load_shaped.ts";
import { startWorld, things, type World } from "../support/load_world.ts";
import { type Role, startRole } from "../support/role.ts";

const ignore = dialect === "greenplum";

/** The schema in the hands of a role without any special right, which also owns table `things`. */
async function startOrdinary(world: World): Promise<Role> {
  const owner = await startRole(world, "client_owner");
  await world.sql.unsafe(`
    DROP SCHEMA kafka CASCADE; DROP TABLE things;
    GRANT CREATE ON SCHEMA public TO ${owner.quoted}`);
  const [{ name }] = await world.sql`SELECT current_database() AS name`;
  await world.sql.unsafe(`GRANT CREATE ON DATABASE "${name}" TO ${owner.quoted}`);
  // Twice: it can be upgraded, too.
  for (let i = 0; i < 2; i++) await runScript(owner, await schemaSql("postgres"));
  await owner.sql`CREATE TABLE things (id int, name text)`;
  return owner;
}

Deno.test({
  name: "client: a role without any special right installs the schema, and one with INSERT loads",
  ignore,
  async fn() {
    await using world = await startWorld();
    const { broker, sql, topic } = world;
    await using owner = await startOrdinary(world);
    await using etl = await startRole(world, "client_etl");
    await using stranger = await startRole(world, "client_stranger");
    const source = ["sql", "source", "things", "--for", "postgres", "--via", "client"];
    const flags = ["-t", topic, "-b", broker.bootstrap, "--dsn", owner.dsn, "--grant", etl.name];
    const run = await gpdbKafka([...source, ...flags]);
    assert.equal(run.code, 0, run.stderr);
    await runScript(owner, text(run.stdout));
    await produce(broker, topic, things("a", "b"));
    // As a process: what a role that loads has is a DSN.
    const once = await gpdbKafka(["load", "things", "--dsn", etl.dsn, "--once"]);
    assert.deepEqual([once.code, once.stderr], [0, ""]);
    assert.match(text(once.stdout), /^\S+Z things: load 1: 2 rows in .*, lag 0\n$/);
    assert.equal(await world.names(), "a b");
    const [{ loaded_by }] = await sql`SELECT loaded_by FROM kafka.load_history`;
    assert.equal(loaded_by, etl.name);
    const [rights] = await sql`
      SELECT count(*)::int AS programs FROM pg_roles r
      WHERE r.rolname = ANY (${[owner.name, etl.name]})
        AND (r.rolsuper OR pg_has_role(r.oid, 'pg_execute_server_program', 'MEMBER'))`;
    assert.equal(rights.programs, 0);
    // Nothing in the schema has other rights than these roles.
    const definers = await sql`
      SELECT DISTINCT r.rolname FROM pg_proc p JOIN pg_roles r ON r.oid = p.proowner
      WHERE p.pronamespace = 'kafka'::regnamespace`;
    assert.deepEqual(definers.map(({ rolname }) => rolname), [owner.name]);

    const refused = await gpdbKafka(["load", "things", "--dsn", stranger.dsn, "--once"]);
    assert.equal(refused.code, 77);
    assert.match(
      refused.stderr,
      /^gpdb-kafka load: cannot load source "things": permission denied/,
    );
    // Allowed, but for another table.
    await owner.sql`SELECT kafka.allow(${stranger.name})`;
    const other = await gpdbKafka(["load", "things", "--dsn", stranger.dsn, "--once"]);
    assert.equal(other.code, 77);
    assert.match(
      other.stderr,
      /permission denied for source "things": INSERT on .*things.* is required/,
    );
  },
});

Deno.test({
  name: "client: a merge needs SELECT, INSERT and DELETE, and its rows and their reasons are kept",
  ignore,
  async fn() {
    await using world = await startWorld();
    const { broker, sql, topic } = world;
    await using owner = await startOrdinary(world);
    await using etl = await startRole(world, "client_etl");
    await using client = clientSession(etl.dsn);
    const rejects = await canReject(world);
    await addSource(owner, broker, {
      ...{ name: "things", topic, table: "things", via: "client" },
      readerFlags: ["--columns", "partition,offset"],
      shape: shapeOf("id integer, name text", { merge: ["id"], deleteWhen: "name = 'gone'" }),
      rejectLimit: rejects ? "3 ROWS" : null,
    });
    await owner.sql`SELECT kafka.allow(${etl.name})`;
    await produce(broker, topic, things("a", "b", "c"));
    for (const [has, lacks] of [["INSERT", "DELETE"], ["INSERT, DELETE", "SELECT"]]) {
      await sql.unsafe(`GRANT ${has} ON things TO ${etl.quoted}`);
      await assert.rejects(
        client.load("things"),
        /permission denied for source "things": SELECT, INSERT and DELETE on .*things is required/,
        lacks,
      );
    }
    await sql.unsafe(`GRANT SELECT ON things TO ${etl.quoted}`);
    assert.equal((await client.load("things")).rows, 3);
    await produce(broker, topic, [
      { value: "1,B" },
      { value: "2,gone" },
      ...(rejects ? [{ value: "x,bad" }, { value: "y,bad" }] : []),
    ]);
    const { updated, deleted, rejected } = await client.load("things");
    assert.deepEqual([updated, deleted, rejected], [1, 1, rejects ? 2 : 0]);
    assert.equal(await world.names(), "a B");
    if (!rejects) return;
    const seen = await etl
      .sql`SELECT "offset"::int, column_name, reason FROM kafka.rejected ORDER BY 1`;
    assert.deepEqual(seen.map((row) => Object.values(row)), [
      [5, "id", 'invalid input syntax for type integer: "x"'],
      [6, "id", 'invalid input syntax for type integer: "y"'],
    ]);
    await produce(broker, topic, [{ value: "x,1" }, { value: "y,2" }, { value: "z,3" }]);
    await assert.rejects(
      client.load("things"),
      /3 of 3 rows do not fit, and its reject limit is 3 rows; the first one: topic ".*" partition 0 offset 7, column "id"/,
    );
  },
});

Deno.test({
  name: "client: what runs by itself has the rights of the role that loads, never the owner's",
  ignore,
  async fn() {
    await using world = await startWorld();
    const { broker, sql, topic } = world;
    await using owner = await startOrdinary(world);
    await using etl = await startRole(world, "client_etl");
    await using client = clientSession(etl.dsn);
    await owner.sql.unsafe(`CREATE TABLE seen (what text, who text)`);
    await sql.unsafe(`
      GRANT INSERT ON seen TO PUBLIC;
      CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN INSERT INTO public.seen VALUES (TG_TABLE_NAME, current_user); RETURN NULL; END $$;
      CREATE TRIGGER note AFTER INSERT ON things FOR EACH ROW EXECUTE FUNCTION note();
      GRANT INSERT ON things TO ${etl.quoted}`);
    await owner.sql`SELECT kafka.allow(${etl.name})`;
    const plain = { name: "things", topic, table: "things", via: "client" } as const;
    await addSource(owner, broker, plain);
    await produce(broker, topic, things("a"));
    await client.load("things");
    await addSource(owner, broker, {
      ...plain,
      readerFlags: ["--columns", "partition,offset"],
      shape: {
        ...shapeOf("id integer, name text"),
        fields: [{ name: "id", type: "integer" }, { name: "word", type: "text" }]
          .map((field, i) => ({ ...plainField(field), origin: ['"id"', '"name"'][i] })),
        selects: [{ column: "name", expression: "word || ' of ' || current_user" }],
      },
    });
    await produce(broker, topic, [{ value: "1,b" }]);
    await client.load("things");
    assert.equal(await world.names(), `a b of ${etl.name}`);
    const who = await sql`SELECT DISTINCT who FROM seen`;
    assert.deepEqual(who.map(({ who }) => who), [etl.name]);
  },
});

/** What a client says in one transaction, with the role's own rights. */
async function steps(sql: postgres.Sql, ...statements: string[]): Promise<void> {
  await sql.begin(async (sql) => {
    for (const statement of statements) await sql.unsafe(statement);
  });
}

Deno.test({
  name: "client: the steps of a load check the plan, the counts and the source",
  ignore,
  async fn() {
    await using world = await startWorld();
    const { broker, sql, topic } = world;
    await using etl = await startRole(world, "client_etl");
    await sql.unsafe(`GRANT INSERT ON things TO ${etl.quoted}`);
    await sql`SELECT kafka.allow(${etl.name})`;
    await addSource(world, broker, { name: "things", topic, table: "things", via: "client" });
    const row = { topic, partition_no: 0, earliest: 0, end_offset: 3 };
    const begin = (rows: unknown, source = "things") =>
      `SELECT kafka._client_begin('things', NULL, '${JSON.stringify({ source, rows })}')`;
    const finish = (counts: string) => `SELECT kafka._client_finish('things', ${counts})`;
    const cases: [string[], RegExp][] = [
      [[finish("0, 0, 0, 0, 0, 0")], /this transaction began none/],
      // More rows than the plan has records, or fewer than none.
      [[begin([row]), finish("4, 0, 0, 0, 0, 4")], /returned 4 rows for 3 records/],
      [[begin([row]), finish("-1, 0, 0, 0, 0, 0")], /returned 0 rows for 3 records/],
      [[begin([row]), finish("1, 0, 2, 0, 0, 1")], /returned 1 rows for 3 records/],
      [[begin([row]), finish("NULL, 0, 0, 0, 0, 1")], /returned 1 rows for 3 records/],
      // Plans that are none, or another's.
      [[begin([row], "other")], /gpdb-kafka reads it, not the database/],
      [[begin(null)], /cannot call json_populate_recordset on a scalar/],
      [[begin([])], /has 0 partitions/],
      [[begin([{ ...row, topic: "other" }])], /answered for topic "other"/],
      [[begin([{ ...row, partition_no: 1 }])], /answered for topic .* partition 1/],
      [[begin([{ ...row, earliest: 4 }])], /\(4 to 3\)/],
      [[begin([{ ...row, earliest: -1 }])], /\(-1 to 3\)/],
      [[begin([{ ...row, end_offset: null }])], /a row lacks its topic, partition, start or end/],
      [
        ["SELECT kafka._client_begin('things', NULL, 'no JSON')"],
        /invalid input syntax for type json/,
      ],
      [["SELECT kafka._client_begin('things', 0, NULL)"], /gpdb-kafka reads it|max_records is 0/],
      [
        [begin([row]), "SELECT * FROM kafka.load('things')"],
        /cannot load source "things" with kafka.load/,
      ],
    ];
    for (const [statements, message] of cases) {
      await assert.rejects(steps(etl.sql, ...statements), message, statements.join("; "));
    }
    // A plan that was begun in another transaction.
    await steps(etl.sql, begin([row]));
    await assert.rejects(steps(etl.sql, finish("3, 0, 0, 0, 0, 3")), /this transaction began none/);
    // A source that the server reads is not for these steps, whatever plan they have.
    await sql`UPDATE kafka.source SET via = 'program'`;
    for (
      const call of [
        begin([row]),
        finish("0, 0, 0, 0, 0, 0"),
        "SELECT kafka._stand('things', 'load')",
      ]
    ) {
      await assert.rejects(
        steps(etl.sql, call),
        /reads source "things" itself: call kafka.load/,
        call,
      );
    }
    assert.equal((await sql`SELECT 1 FROM kafka.load_history`).length, 0);
    // Nor can a caller write down rejected rows without a load, or use the tables of others' loads.
    for (
      const call of [
        "SELECT kafka._keep_rejected('things', 1, '{t}', '{0}', '{0}', '{id}', '{x}')",
        "INSERT INTO kafka.rejected_row VALUES ('things', 1)",
        "SELECT kafka._begin('things', NULL)",
      ]
    ) await assert.rejects(steps(etl.sql, call), { name: "PostgresError" }, call);
  },
});

Deno.test({
  name: "client: other roles that load cannot put rows into a load of a source with a stage",
  ignore,
  async fn() {
    await using world = await startWorld();
    const { broker, sql, topic } = world;
    await using etl = await startRole(world, "client_etl");
    await using other = await startRole(world, "client_other");
    await sql`SELECT kafka.allow(r) FROM unnest(${[etl.name, other.name]}::name[]) r`;
    await sql.unsafe(`GRANT INSERT ON things TO ${etl.quoted}, ${other.quoted}`);
    await addSource(world, broker, {
      ...{ name: "things", topic, table: "things", via: "client" },
      readerFlags: ["--columns", "partition,offset"],
      shape: shapeOf("id integer, name text", { where: "true" }),
    });
    await produce(broker, topic, things("a"));
    for (const role of [etl, other]) {
      await using client = clientSession(role.dsn);
      await client.load("things");
    }
    // It may write there, since it has loaded: what it leaves is not loaded.
    await other.sql`INSERT INTO kafka.things_stage VALUES (0, 0, '9', 'slipped in')`;
    await produce(broker, topic, things("b"));
    await using client = clientSession(etl.dsn);
    assert.equal((await client.load("things")).rows, 1);
    assert.equal(await world.names(), "a b");
    // And not while another role loads.
    await assert.rejects(
      etl.sql.begin(async (tx) => {
        const rows = [{ topic, partition_no: 0, earliest: 0, end_offset: 3 }];
        await tx`SELECT kafka._client_begin('things', NULL, ${
          JSON.stringify({ source: "things", rows })
        })`;
        await other.sql.begin(async (late) => {
          await late`SET LOCAL lock_timeout = 500`;
          await late`INSERT INTO kafka.things_stage VALUES (0, 0, '9', 'slipped in')`;
        });
      }),
      /lock timeout/,
    );
  },
});
