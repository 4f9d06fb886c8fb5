import assert from "node:assert/strict";
import { assertLine, examine as examineAll } from "../support/doctor.ts";
import { createTopic, deleteRecords, deleteTopic, produce } from "../support/kafka.ts";
import { gpdbKafka, text } from "../support/cli.ts";
import { dialect, load, ownServer, runScript } from "../support/load.ts";
import { startWorld, things, type World } from "../support/load_world.ts";
import { startRole } from "../support/role.ts";

const ignore = !ownServer;

/** What doctor says of a database, line by line. */
async function examine(world: World, args: string[], code: number): Promise<string[]> {
  return (await examineAll(["--dsn", world.dsn, ...args], code)).lines;
}

/** What doctor looked at must be as it was. */
async function traces({ sql }: World): Promise<string> {
  const [{ tables, offsets }] = await sql`
    SELECT (SELECT count(*) FROM pg_class WHERE relname LIKE 'gpdb_kafka_doctor%') AS tables,
      (SELECT count(*) FROM kafka.load_history) AS offsets`;
  return `${tables} ${offsets}`;
}

Deno.test({
  name: "doctor: a source that works, from its brokers to its table",
  ignore,
  async fn() {
    await using world = await startWorld(2);
    await world.add();
    await produce(world.broker, world.topic, things("a", "b"));
    const lines = await examine(world, ["--source", "things"], 0);
    assert.equal(lines.filter((line) => !line.startsWith("ok")).join("\n"), "");
    assertLine(
      lines,
      /^ok {4}database: (PostgreSQL|Greenplum Database) \d+.*, database "gpdb_kafka_/,
    );
    assertLine(
      lines,
      /^ok {4}source: source "things" loads topic "load-.*" into public\.things/,
    );
    assertLine(lines, /^ok {4}plan: the next load of source "things" reads 2 offsets of "load-/);
    assertLine(
      lines,
      /^ok {4}offsets: source "things" has no stored offset for partitions 0, 1: the fallback/,
    );
    assertLine(lines, /^ok {4}table: public\.things has 2 columns, 2 are loaded/);
    assertLine(lines, /^ok {4}fields: all 2 rows have the 2 fields of public\.things/);
    assertLine(lines, /^ok {4}types: the database can read all 2 into the columns' types/);
    if (dialect === "greenplum") {
      const [{ segments }] = await world.sql`
        SELECT count(*)::int AS segments FROM gp_segment_configuration
        WHERE content >= 0 AND role = 'p'`;
      const more = segments > 2 ? `, ${segments - 2} more than the topic has partitions` : "";
      assertLine(lines, /^ok {4}rights: gp_external_enable_exec is on/);
      assertLine(lines, new RegExp(`^ok {4}rights: ${segments} segments are up${more}`));
      assertLine(lines, /^ok {4}program: kafka_consumer .* runs for segment 0 on /);
    } else {
      assertLine(lines, /^ok {4}rights: user "postgres" may run programs/);
      assertLine(lines, /^ok {4}program: kafka_consumer \S+ runs for the server's host /);
    }
    assertLine(lines, /^ok {4}program: the brokers and the topic can be reached from there/);
    assert.equal(await traces(world), "0 0");
  },
});

Deno.test({
  name: "doctor: a source that merges is examined as it reads, and its rejected rows are a warning",
  ignore: ignore || dialect === "greenplum",
  async fn() {
    await using world = await startWorld();
    const { broker, topic, dsn } = world;
    const source = ["sql", "source", "things", "--for", "postgres", "-t", topic, "--dsn", dsn];
    const flags = ["--fields", "id, name, op", "--merge", "id", "--where", "op <> 'x'"];
    const run = await gpdbKafka(
      [...source, "-b", broker.bootstrap, ...flags, "--reject-limit", "9"],
    );
    assert.equal(run.code, 0, run.stderr);
    await runScript(world, text(run.stdout));
    await produce(broker, topic, ["1,a,i", "x,b,i", "1,c,u", "2,d,x"].map((value) => ({ value })));
    await load(world, "things");
    const lines = await examine(world, ["--source", "things"], 0);
    assertLine(lines, /^ok {4}source: rows of source "things" so far: 1 inserted, 1 filtered/);
    assertLine(
      lines,
      /^warn {2}source: rows of source "things" that did not fit their columns: 1, of these in its last load: 1/,
    );
    assertLine(lines, /^ok {4}fields: all 4 rows have the 5 fields of kafka\.things_stage/);
  },
});

Deno.test({
  name: "doctor: rows are made as the source's own command makes them",
  ignore,
  async fn() {
    await using world = await startWorld();
    const { sql, broker, topic } = world;
    await sql`CREATE TABLE pieces (at bigint, part int, text text)`;
    const readerFlags = [
      "--columns",
      "offset,partition",
      "--value",
      "field",
      "--bad-record",
      "skip",
    ];
    await world.add({ name: "pieces", table: "pieces", readerFlags });
    const bad = new Uint8Array([0x61, 0xff]);
    await produce(broker, topic, [{ value: '{"a": [1,\n2]}' }, { value: bad }, { value: "" }]);
    const lines = await examine(world, ["--source", "pieces"], 0);
    assertLine(
      lines,
      /^warn {2}rows: 1 of the last 3 records are not valid rows: .* offset 1: .*not UTF-8/,
    );
    assertLine(lines, /^ok {4}fields: all 2 rows have the 3 fields of public\.pieces/);
    assertLine(lines, /^ok {4}types: the database can read all 2/);
  },
});

Deno.test({
  name: "doctor: a source's offsets that are gone, and a source that is paused",
  ignore,
  async fn() {
    await using world = await startWorld();
    await world.add();
    await produce(world.broker, world.topic, things("a", "b"));
    await load(world, "things");
    await produce(world.broker, world.topic, things("c", "d", "e", "f"));
    await deleteRecords(world.broker, world.topic, { 0: 4 });
    await world.sql`SELECT kafka.pause('things')`;
    const lines = await examine(world, ["--source", "things"], 1);
    assertLine(
      lines,
      /^fail {2}plan: topic ".*" partition 0 has the offsets 4 to 6, but source "things" stands at 2; /,
    );
    assertLine(lines, /^skip {2}offsets: needs plan$/);
    assertLine(
      lines,
      /^warn {2}source: source "things" is paused — SELECT kafka\.resume\('things'\)/,
    );
    assert.equal(await traces(world), "0 1");
  },
});

Deno.test({
  name: "doctor: what ends every load of a source is reported in the load's own words",
  ignore,
  async fn() {
    await using world = await startWorld(2);
    const { broker, topic, sql } = world;
    await world.add();
    await produce(broker, topic, things("a", "b"));
    await load(world, "things");
    // Fewer partitions, as many records, more of them: with each, offsets mean other records.
    for (const [partitions, count] of [[1, 1], [2, 2], [2, 5]]) {
      await deleteTopic(broker, topic);
      await createTopic(broker, topic, { partitions });
      await produce(broker, topic, things(..."vwxyz".slice(0, count)));
      const failed = await load(world, "things").catch((error) => error);
      assert.match(failed.message, /^topic ".*" was deleted and created again: its id is /);
      const lines = await examine(world, ["--source", "things"], 1);
      const told = lines.filter((line) => line.startsWith(`fail  plan: ${failed.message}`));
      assert.equal(told.length, 1, `${failed.message}\n${lines.join("\n")}`);
    }
    await sql`SELECT kafka.seek('things', 'earliest')`;
    const lines = await examine(world, ["--source", "things"], 0);
    assertLine(lines, /^ok {4}plan: the next load of source "things" reads 5 offsets/);

    await deleteRecords(broker, topic, { 0: 3 });
    await world.add({ onLost: "earliest" });
    const lost = await examine(world, ["--source", "things"], 0);
    assertLine(lost, /^warn {2}plan: the next load of source "things" skips 3 offsets/);
    await sql`DROP FUNCTION kafka.check_source(text, text)`;
    assertLine(
      await examine(world, ["--source", "things"], 1),
      /^fail {2}plan: schema kafka is older than this program — upgrade it: /,
    );
  },
});

Deno.test({
  name: "doctor: rows that a table has no columns for, or whose types they do not fit",
  ignore,
  async fn() {
    await using world = await startWorld();
    const { sql, broker, topic } = world;
    await sql`CREATE TABLE narrow (id int)`;
    await sql`CREATE TABLE wide (id int, name text, "when it was" timestamp)`;
    await sql`CREATE TABLE "Typed" (id int, name varchar(3))`;
    const values = ['1,"a,\n""b"', "2,abc", "x,abc", "4,abcd", "5,e"];
    await produce(broker, topic, values.map((value) => ({ value })));
    const at = ["-b", broker.bootstrap, "-t", topic, "--table"];
    const narrow = await examine(world, [...at, "narrow"], 1);
    assertLine(
      narrow,
      /^fail {2}fields: 5 of 5 rows do not have the 1 fields of public\.narrow: partition 0 offset 0 has 2 — /,
    );
    assertLine(narrow, /^skip {2}types: needs fields/);
    const wide = await examine(world, [...at, "wide"], 1);
    assertLine(wide, /^fail {2}fields: .* has 2; "when it was" and what follows would miss/);
    const typed = await examine(world, [...at, '"Typed"'], 1);
    assertLine(typed, /^ok {4}table: public\.Typed has 2 columns/);
    assertLine(
      typed,
      /^fail {2}types: 3 of 5 rows do not fit: partition 0 offset 0: column name: value too long .* — change/,
    );
    const all = await examine(world, [...at, "things"], 1);
    assertLine(
      all,
      /^fail {2}types: 1 of 5 rows do not fit: .* offset 2: column id: invalid input/,
    );
    assert.equal(await traces(world), "0 0");
  },
});

Deno.test({
  name: "doctor: a missing table, source, schema or program is named",
  ignore,
  async fn() {
    await using world = await startWorld();
    await world.add();
    const at = ["-b", world.broker.bootstrap];
    const table = await examine(world, [...at, "-t", world.topic, "--table", "nowhere"], 1);
    assertLine(table, /^fail {2}table: relation "nowhere" does not exist .* — create it, or name/);
    const source = await examine(world, ["--source", "thing"], 1);
    assertLine(
      source,
      /^fail {2}source: source "thing" does not exist; there are: "things" — did you mean "things"\?$/,
    );
    assertLine(source, /^skip {2}brokers: needs security/);
    const program = await examine(world, [...at, "--program", "/nowhere/kafka_consumer"], 1);
    assertLine(program, /^fail {2}program: kafka_consumer does not run for .*: .*not found — copy/);
    await world.sql`DROP SCHEMA kafka CASCADE`;
    const schema = await examine(world, ["--source", "things"], 1);
    assertLine(
      schema,
      /^fail {2}source: schema kafka does not exist — install it: gpdb-kafka sql/,
    );
  },
});

Deno.test({
  name: "doctor: a user without the right to run programs, a wrong password, an unknown database",
  ignore,
  async fn() {
    await using world = await startWorld();
    await using small = await startRole(world, "small");
    const at = ["-b", world.broker.bootstrap];
    const lines = await examine({ ...world, dsn: small.dsn }, at, 0);
    const user = `user "${small.name}"`;
    assertLine(
      lines,
      new RegExp(
        dialect === "greenplum"
          ? `^warn  rights: ${user} is not a superuser, so it cannot create web tables`
          : `^warn  rights: ${user} may not run programs; .* — GRANT pg_exec`,
      ),
    );
    assertLine(lines, /^skip {2}program: needs rights/);
    if (dialect === "postgres") { // A Greenplum may trust every user from here.
      const dsn = new URL(small.dsn);
      dsn.password = "wrong-Pa55";
      const wrong = await examine({ ...world, dsn: dsn.href }, at, 1);
      assertLine(
        wrong,
        new RegExp(`^fail  database: password authentication failed for ${user}`),
      );
      assert.doesNotMatch(wrong.join("\n"), /Pa55/);
    }
    const none = await examine({ ...world, dsn: world.dsn + "x" }, at, 1);
    assertLine(none, /^fail {2}database: database ".*" does not exist/);
  },
});

Deno.test({
  name: "doctor: a domain's CHECK runs with the rights of the table's owner, whatever it tries",
  ignore,
  async fn() {
    await using world = await startWorld();
    const { sql, broker, topic } = world;
    await using owner = await startRole(world, "owner");
    await using other = await startRole(world, "other");
    await sql.unsafe(`CREATE SCHEMA theirs AUTHORIZATION ${owner.quoted}`);
    // It can't write anything that outlives the check, so it says who it is where the row is told.
    await owner.sql.unsafe(`
      CREATE FUNCTION theirs.who(text) RETURNS boolean LANGUAGE plpgsql AS $$
      DECLARE how text := 'stays';
      BEGIN
        BEGIN
          RESET ROLE;
          how := 'resets';
        EXCEPTION WHEN OTHERS THEN NULL;
        END;
        RAISE EXCEPTION 'run by %, who %', current_user, how;
      END $$`);
    await owner.sql.unsafe(`
      CREATE DOMAIN theirs.word AS text NOT NULL CHECK (theirs.who(VALUE));
      CREATE TABLE theirs.things (id int, name theirs.word)`);
    await produce(broker, topic, things("a"));
    const args = ["-b", broker.bootstrap, "-t", topic, "--table", "theirs.things"];
    const lines = await examine(world, args, 1);
    assertLine(
      lines,
      new RegExp(
        `^fail  types: 1 of 1 rows do not fit: .*column name: run by ${owner.name}, who stays`,
      ),
    );
    // With fewer rights than a superuser has, others' code is not run at all.
    await sql.unsafe(`GRANT USAGE ON SCHEMA theirs TO ${other.quoted}`);
    const denied = await examine({ ...world, dsn: other.dsn }, args, 0);
    assertLine(
      denied,
      new RegExp(`^warn  types: the rows were not tried: that would run code of "${owner.name}"`),
    );
    assert.equal(await traces(world), "0 0");
  },
});
