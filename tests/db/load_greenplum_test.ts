/**
 * Greenplum's text of schema kafka, on PostgreSQL: tables stand where Greenplum has web tables. What
 * its segments make of the statements needs a Greenplum.
 */
import assert from "node:assert/strict";
import { queryRanges } from "../../lib/consume/query_ranges.ts";
import { schemaSql } from "../../lib/greenplum/schema_files.ts";
import { queryPlans } from "../../lib/load/query_plan.ts";
import { startBroker } from "../../scripts/servers/broker.ts";
import { type Postgres, startPostgres } from "../../scripts/servers/postgres.ts";
import { ABSENT, shapeSource } from "../../lib/greenplum/shape.ts";
import { gpdbKafka, text } from "../support/cli.ts";
import { createTopic, produce, uniqueName } from "../support/kafka.ts";
import { load, runScript } from "../support/load.ts";
import { clientSession } from "../support/load_client.ts";
import { loadCounts, shapeOf } from "../support/load_shaped.ts";
import { startRole } from "../support/role.ts";

const add = (pg: Postgres, name = "things") =>
  pg.sql`
    SELECT kafka.add_source(${name}, 'topic', 'things', 'kafka.things_reader',
      'kafka.things_planner', 'group')`;

async function setUp(): Promise<Postgres> {
  const pg = await startPostgres();
  await runScript(pg, await schemaSql("greenplum"));
  await pg.sql.unsafe(`
    CREATE SCHEMA fake;
    CREATE TABLE fake.pg_exttable (reloid regclass, execlocation text[], command text,
      rejectlimit integer);
    CREATE TABLE fake.errors (exttable text);
    CREATE FUNCTION fake.gp_read_error_log(text) RETURNS SETOF fake.errors LANGUAGE sql
      AS 'SELECT * FROM fake.errors WHERE exttable = $1';
    ALTER FUNCTION kafka._web_table(regclass) SET search_path = pg_catalog, fake;
    ALTER FUNCTION kafka._logged(text, text) SET search_path = pg_catalog, fake;
    CREATE TABLE things (id int, name text);
    CREATE TABLE kafka.things_reader (id int, name text);
    CREATE TABLE kafka.things_planner (topic text, partition_no integer, earliest bigint,
      end_offset bigint, at_offset bigint, cluster_id text, topic_id text, leader_epoch integer,
      epoch_end bigint);
    INSERT INTO fake.pg_exttable VALUES
      ('kafka.things_reader', '{ALL_SEGMENTS}', 'kafka_consumer --ranges-from-query', 10)`);
  return pg;
}

Deno.test("greenplum: a load reads the plan, inserts and counts what was rejected", async () => {
  await using pg = await setUp();
  await add(pg);
  await pg
    .sql`INSERT INTO kafka.things_planner VALUES ('topic', 1, 5, 7), ('topic', 0, 0, 1)`;
  await pg.sql`INSERT INTO kafka.things_reader VALUES (1, 'a'), (2, 'b')`;
  // The log has rows of other loads, and grows by one while the rows are read.
  await pg.sql.unsafe(`
    INSERT INTO fake.errors VALUES ('kafka.things_reader'), ('kafka.things_reader');
    CREATE FUNCTION fake.reject() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN INSERT INTO fake.errors VALUES ('kafka.things_reader'); RETURN NULL; END $$;
    CREATE TRIGGER reject AFTER INSERT ON things EXECUTE FUNCTION fake.reject()`);
  const answer = await load(pg, "things");
  assert.deepEqual(answer, { rows: 2, records: 3, lag: 0, reason: "end", load_no: 1 });
  const [history] = await pg.sql`SELECT * FROM kafka.load_history`;
  assert.deepEqual([history.ranges, Number(history.rejected)], ["0:0-1,1:5-7", 1]);
  assert.deepEqual(history.next_offsets.map(Number), [1, 7]);
  assert.equal((await load(pg, "things")).records, 0);

  // Somebody truncates the log during a load.
  await pg.sql.unsafe(`
    UPDATE kafka.things_planner SET end_offset = 10 WHERE partition_no = 1;
    CREATE FUNCTION fake.truncate() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN DELETE FROM fake.errors; RETURN NULL; END $$;
    CREATE TRIGGER truncate AFTER INSERT ON things EXECUTE FUNCTION fake.truncate()`);
  await load(pg, "things");
  const [last] = await pg.sql`SELECT rejected::int FROM kafka.load_history WHERE load_no = 2`;
  assert.equal(last.rejected, 0);
  await pg.sql`DROP TRIGGER truncate ON things`;

  // A reader that gives more than it was asked for.
  await pg.sql`UPDATE kafka.things_planner SET end_offset = 11 WHERE partition_no = 1`;
  await assert.rejects(load(pg, "things"), /source "things" returned 3 rows for 1 records/);
  // A planner of another topic, or without a partition.
  await pg.sql`DELETE FROM kafka.things_planner WHERE partition_no = 0`;
  await assert.rejects(
    load(pg, "things"),
    /answered for topic "topic" partition 1 .* not for .* partition 0/,
  );
  await pg.sql`DELETE FROM kafka.things_planner`;
  await assert.rejects(load(pg, "things"), /topic "topic" has 0 partitions, but .* loaded 2/);
});

Deno.test("greenplum: a reader that would not read everything, or not these offsets, is rejected", async () => {
  await using pg = await setUp();
  const cases: [string[] | null, string | null, RegExp][] = [
    [["TOTAL_SEGS:2"], "x --ranges-from-query", /must be ON ALL, not TOTAL_SEGS:2/],
    [["PER_HOST"], "x --ranges-from-query", /must be ON ALL, not PER_HOST/],
    [["MASTER_ONLY"], "x --ranges-from-query", /must be ON ALL, not MASTER_ONLY/],
    [["ALL_SEGMENTS"], "kafka_consumer --commit yes", /lacks --ranges-from-query/],
    [["ALL_SEGMENTS"], null, /is not a web table with EXECUTE/],
  ];
  for (const [place, command, message] of cases) {
    await pg.sql`UPDATE fake.pg_exttable SET execlocation = ${place}, command = ${command}`;
    await assert.rejects(async () => await add(pg), message);
  }
  await pg.sql`DELETE FROM fake.pg_exttable`;
  await assert.rejects(async () => await add(pg), /is not a web table with EXECUTE/);
});

Deno.test("greenplum: the comment fits into what segments see of a statement, whatever the topic", async () => {
  await using pg = await setUp();
  for (const topic of ["t", "t".repeat(249)]) {
    const [{ room }] = await pg.sql`SELECT kafka._room(${topic}) AS room`;
    const ranges = "9".repeat(room);
    const widest = "999999999:999999999999999-999999999999999";
    const told = `log=${"f".repeat(32)} mirror=yes stand=${ranges}`;
    const plan = `/* kafka-plan topic=${topic} at=9999999999999 ${told} */`;
    assert.ok(`/* kafka-ranges topic=${topic} ${ranges} */`.length < 1023);
    assert.ok(plan.length < 1023);
    assert.ok(widest.length < room);
  }
});

Deno.test("greenplum: a catalog that has web tables as a function only is read, too", async () => {
  await using pg = await setUp();
  await add(pg);
  await pg.sql.unsafe(`
    ALTER TABLE fake.pg_exttable RENAME TO web_tables;
    CREATE FUNCTION fake.pg_exttable() RETURNS SETOF fake.web_tables LANGUAGE sql
      AS 'SELECT * FROM fake.web_tables'`);
  await add(pg, "more");
  await pg.sql`UPDATE fake.web_tables SET command = 'kafka_consumer'`;
  await assert.rejects(async () => await add(pg), /lacks --ranges-from-query/);
  await pg.sql`DELETE FROM fake.web_tables`;
  await assert.rejects(async () => await add(pg), /is not a web table with EXECUTE/);
});

Deno.test("greenplum: a client loads and merges by the same steps, without web tables", async () => {
  await using pg = await setUp();
  await using broker = await startBroker();
  const { sql } = pg;
  await using etl = await startRole(pg, "etl");
  const topic = uniqueName("greenplum");
  await createTopic(broker, topic, { partitions: 2 });
  await sql.unsafe(
    `DROP TABLE kafka.things_reader, kafka.things_planner; DROP SCHEMA fake CASCADE`,
  );
  const source = [
    "sql",
    "source",
    "things",
    "-t",
    topic,
    "-b",
    broker.bootstrap,
    "--via",
    "client",
  ];
  const add = async (...flags: string[]) => {
    const run = await gpdbKafka([...source, "--dsn", pg.dsn, "--grant", etl.name, ...flags]);
    assert.equal(run.code, 0, run.stderr);
    await runScript(pg, text(run.stdout));
  };
  await using client = clientSession(etl.dsn);
  await add();
  await produce(broker, topic, [{ value: "1,a" }, { value: "2,b" }], 1);
  assert.equal((await client.load("things")).rows, 2);
  await add("--fields", "id, name, op", "--merge", "id", "--delete-when", "op = 'd'");
  await produce(broker, topic, [{ value: "1,c,u" }, { value: "2,,d" }, { value: "3,d,i" }], 1);
  const { rows, updated, deleted } = await client.load("things");
  assert.deepEqual([rows, updated, deleted], [2, 1, 1]);
  const names = await sql`SELECT name FROM things ORDER BY id`;
  assert.deepEqual(names.map(({ name }) => name), ["c", "d"]);
  await produce(broker, topic, [{ value: "x,a,i" }], 0);
  await assert.rejects(
    client.load("things"),
    /partition 0 offset 0: field "id": invalid input syntax/,
  );
  await assert.rejects(load(etl, "things"), /cannot load source "things" with kafka.load/);
});

Deno.test("greenplum: a role merges with its own rights, through tables that the reader's readers share", async () => {
  await using pg = await setUp();
  const { sql } = pg;
  await using etl = await startRole(pg, "etl");
  await sql.unsafe(`
    CREATE TABLE kafka.merge_reader ("kafka$partition" int, "kafka$offset" bigint, id int, name text,
      op text, lacks text);
    INSERT INTO fake.pg_exttable VALUES
      ('kafka.merge_reader', '{ALL_SEGMENTS}', 'kafka_consumer --ranges-from-query');
    GRANT SELECT ON kafka.merge_reader TO ${etl.quoted};
    GRANT SELECT, INSERT, DELETE ON things TO ${etl.quoted};
    GRANT SELECT ON fake.pg_exttable TO PUBLIC; GRANT USAGE ON SCHEMA fake TO PUBLIC`);
  const plain = shapeOf("id integer, name text, op text", {
    selects: [{ column: "name", expression: "upper(name) || ' of ' || current_user" }],
    where: "op <> 'TEST'",
    merge: ["id"],
    deleteWhen: "op = 'd'",
  });
  const shape = {
    ...plain,
    readerColumns: [...plain.readerColumns, { name: "lacks", type: "text" }],
    fields: [...plain.fields, { name: ABSENT, type: "text[]", origin: '"lacks"' }],
  };
  await runScript(
    pg,
    `BEGIN;
    SELECT kafka.add_source('merge', 'topic', 'things', 'kafka.merge_reader',
      'kafka.things_planner', 'group');
    ${shapeSource("merge", shape, null)}
    SELECT kafka.allow('${etl.name}');
    SELECT kafka.share_source('merge');
    COMMIT`,
  );
  // The stage has the reader's types: what does not fit is rejected there.
  const types = await sql`
    SELECT string_agg(format_type(atttypid, atttypmod), ' ' ORDER BY attnum) AS types FROM pg_attribute
    WHERE attrelid = 'kafka.merge_stage'::regclass AND attnum > 0`;
  assert.equal(types[0].types, "integer bigint integer text text text");
  const round = async (end: number, rows: string) => {
    await sql.unsafe(`DELETE FROM kafka.things_planner; DELETE FROM kafka.merge_reader;
      INSERT INTO kafka.things_planner VALUES ('topic', 0, 0, ${end});
      INSERT INTO kafka.merge_reader VALUES ${rows}`);
    const { inserted, updated, deleted, filtered } = await loadCounts(etl, "merge");
    return [inserted, updated, deleted, filtered];
  };
  const first = await round(
    4,
    "(0,0,1,'a','i'), (0,1,2,'b','i'), (0,2,1,'c','u'), (0,3,3,'x','TEST')",
  );
  assert.deepEqual(first, [2, 0, 0, 1]);
  assert.deepEqual(await round(6, "(0,4,1,'d','u'), (0,5,2,null,'d')"), [0, 1, 1, 0]);
  assert.deepEqual(await round(7, "(0,6,1,null,'u','{name}')"), [0, 1, 0, 0]);
  const [row, more] = await sql`SELECT id, name FROM things`;
  assert.deepEqual([row.id, row.name, more], [1, `D of ${etl.name}`, undefined]);
  await assert.rejects(
    round(8, "(0,7,null,'x','u')"),
    /partition 0 offset 7: the merge key \(id\) is null/,
  );
  await sql.unsafe(`REVOKE DELETE ON things FROM ${etl.quoted}`);
  await assert.rejects(round(9, "(0,8,1,'x','u')"), /INSERT and DELETE on .*things is required/);
});

Deno.test("greenplum: several topics are named in the comments, of which each has room for its own", async () => {
  await using pg = await setUp();
  const { sql } = pg;
  const topics = ["b", "a".repeat(249)];
  await sql`
    SELECT kafka.add_source('things', NULL, 'things', 'kafka.things_reader',
      'kafka.things_planner', 'group', topics := ${topics})`;
  // What is executed inside of a function is in the context of what it calls.
  await sql.unsafe(`
    ALTER TABLE kafka.things_planner RENAME TO plan_rows;
    CREATE TABLE fake.statements (id serial, text text);
    CREATE FUNCTION fake.note() RETURNS boolean LANGUAGE plpgsql AS $$
      DECLARE context text;
      BEGIN
        GET DIAGNOSTICS context = PG_CONTEXT;
        INSERT INTO fake.statements (text) VALUES (substring(context FROM '"(/[*] kafka-.*[*]/)'));
        RETURN true;
      END $$;
    CREATE FUNCTION fake.inserted() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN PERFORM fake.note(); RETURN NULL; END $$;
    CREATE TRIGGER note AFTER INSERT ON things EXECUTE FUNCTION fake.inserted();
    CREATE VIEW kafka.things_planner AS SELECT p.* FROM (SELECT fake.note() AS noted OFFSET 0) n
      JOIN kafka.plan_rows p ON n.noted`);
  const partitions = 40;
  const [start, end] = [100_000_000_000, 100_000_000_007];
  for (const topic of topics) {
    for (let p = 0; p < partitions; p++) {
      await sql`
        INSERT INTO kafka.plan_rows VALUES
          (${topic}, ${p}, ${start}, ${end}, NULL, 'c', ${`id-${topic[0]}`}, 3)`;
    }
  }
  const statements = async () => {
    const rows = await sql`SELECT text FROM fake.statements ORDER BY id`;
    await sql`TRUNCATE fake.statements`;
    for (const { text } of rows) assert.ok(text.length < 1023, text);
    return rows.map(({ text }) => text as string);
  };
  assert.equal((await load(pg, "things")).records, 2 * partitions * 7);
  const [plan, ...reads] = await statements();
  assert.equal(plan, "/* kafka-plan */");
  assert.ok(reads.length > 2);
  const names = topics.flatMap((topic) =>
    Array.from({ length: partitions }, (_, p) => `${topic}/${p}`)
  ).sort();
  const ranges = reads.flatMap((text) => queryRanges(text, null));
  assert.deepEqual(ranges.map(({ topic, partition }) => `${topic}/${partition}`).sort(), names);
  assert.ok(ranges.every(({ from, to }) => from === start && to === end));

  assert.equal((await load(pg, "things")).records, 0);
  const plans = (await statements()).map((text) => queryPlans(text));
  assert.ok(plans.length > 2);
  assert.ok(plans.every(({ mirror }) => mirror));
  const offsets = plans.flatMap(({ offsets }) => offsets);
  assert.deepEqual(offsets.map(({ topic, partition }) => `${topic}/${partition}`).sort(), names);
  assert.ok(offsets.every(({ offset, leaderEpoch }) => offset === end && leaderEpoch === 3));
  assert.equal(new Set(offsets.map(({ log }) => log)).size, 2);

  // A planner that knows one of them no more.
  await sql`DELETE FROM kafka.plan_rows WHERE topic = 'b'`;
  await sql`INSERT INTO kafka.plan_rows VALUES ('b', -1, 0, 0)`;
  await assert.rejects(load(pg, "things"), /topic "b" of source "things" does not exist any more/);
});
