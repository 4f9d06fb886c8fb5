/** What a load of a source that gpdb-kafka reads itself does when something is wrong with it. */
import assert from "node:assert/strict";
import { Failure } from "../../lib/failure.ts";
import { databaseProblem } from "../../lib/load/errors.ts";
import { start } from "../support/cli.ts";
import { produce } from "../support/kafka.ts";
import { dialect } from "../support/load.ts";
import { clientSession } from "../support/load_client.ts";
import { startWorld, things, type World } from "../support/load_world.ts";

const ignore = dialect === "greenplum";

async function nothing({ sql }: World): Promise<void> {
  const [left] = await sql`
    SELECT (SELECT count(*)::int FROM things) AS rows,
      (SELECT count(*)::int FROM kafka.load_history WHERE reason <> 'seek') AS loads,
      (SELECT count(*)::int FROM pg_stat_activity
        WHERE application_name LIKE 'gpdb-kafka load%' AND datname = current_database()
          AND xact_start IS NOT NULL) AS open`;
  assert.deepEqual({ ...left }, { rows: 0, loads: 0, open: 0 });
}

Deno.test({
  name: "client: a record that is not a valid row is named, and nothing of its load stays",
  ignore,
  async fn() {
    await using world = await startWorld(2);
    const { broker, topic, sql } = world;
    await using client = clientSession(world.dsn);
    await world.add({ via: "client" });
    await produce(broker, topic, things(...Array.from({ length: 3000 }, (_, i) => `row ${i}`)), 0);
    // It would end the data of a COPY.
    await produce(broker, topic, [{ value: "1,a" }, { value: "\\." }], 1);
    const bad = await client.load("things").catch((error) => error);
    assert.ok(bad instanceof Failure);
    assert.equal(bad.kind, "record");
    assert.match(bad.message, new RegExp(`topic "?${topic}"? partition 1 offset 1: `));
    assert.equal(databaseProblem(bad)!.passing, false);
    await nothing(world);
    // A value that does not fit its column: the database says where.
    await world.add({ via: "client", readerFlags: ["--bad-record", "skip"] });
    await sql`ALTER TABLE things ALTER COLUMN name TYPE int USING 1`;
    await assert.rejects(client.load("things"), (error) => {
      const { kind, message, context } = databaseProblem(error)!;
      assert.equal(kind, "record");
      assert.match(message, /^invalid input syntax for type integer: "row \d+"/);
      assert.match(context!, /^COPY things, line \d+, column name: "row \d+"$/);
      return true;
    });
    await nothing(world);
    await sql`ALTER TABLE things ALTER COLUMN name TYPE text`;
    assert.equal((await client.load("things")).rows, 3001);
    assert.match(client.said.join("\n"), /partition 1 offset 1: .*; left out/);
  },
});

Deno.test({
  name: "client: an error after the last row, and one at the commit, end the load as others do",
  ignore,
  async fn() {
    await using world = await startWorld();
    const { broker, topic, sql } = world;
    await using client = clientSession(world.dsn);
    await world.add({ via: "client" });
    await produce(broker, topic, things("a", "b"));
    await sql.unsafe(`
      CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'refused at the end'; END $$;
      CREATE TRIGGER refuse AFTER INSERT ON things EXECUTE FUNCTION refuse()`);
    await assert.rejects(client.load("things"), /refused at the end/);
    await nothing(world);
    await sql.unsafe(`
      DROP TRIGGER refuse ON things;
      CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON things DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION refuse()`);
    await assert.rejects(client.load("things"), /refused at the end/);
    await nothing(world);
    // A trigger that leaves rows out: what counts is what the table has.
    await sql.unsafe(`
      DROP TRIGGER refuse ON things;
      CREATE FUNCTION half() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RETURN CASE WHEN NEW.id = 1 THEN NEW END; END $$;
      CREATE TRIGGER half BEFORE INSERT ON things FOR EACH ROW EXECUTE FUNCTION half()`);
    const { rows, records } = await client.load("things");
    assert.deepEqual([rows, records, await world.names()], [1, 2, "b"]);
  },
});

Deno.test({
  name:
    "client: one source is loaded by one session at a time, a paused one and a changed one by none",
  ignore,
  async fn() {
    await using world = await startWorld();
    const { broker, topic, sql } = world;
    await using client = clientSession(world.dsn);
    await world.add({ via: "client" });
    await produce(broker, topic, things("a"));
    await sql`SELECT kafka.pause('things')`;
    await assert.rejects(client.load("things"), /source "things" is paused/);
    await sql`SELECT kafka.resume('things')`;
    let loading: Promise<unknown> = Promise.resolve();
    await sql.begin(async (tx) => {
      await tx`SELECT 1 FROM kafka.source FOR UPDATE`;
      loading = client.load("things");
      while (!client.said.some((line) => /in use by another session/.test(line))) {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      await tx`UPDATE kafka.source SET paused = true`;
    });
    await assert.rejects(loading, /source "things" is paused/);
    await sql`SELECT kafka.resume('things')`;
    // From a client to a program and back: it goes on where it stands.
    assert.equal((await client.load("things")).rows, 1);
    await world.add({ via: null });
    const way = async () => (await sql`SELECT via FROM kafka.status`)[0].via;
    assert.equal(await way(), "program");
    await assert.rejects(client.load("things"), /reads source "things" itself: call kafka.load/);
    await world.add({ via: "client" });
    assert.equal(await way(), "client");
    assert.equal((await sql`SELECT 1 FROM pg_class WHERE relname = 'things_peek'`).length, 0);
    await produce(broker, topic, [{ value: "1,b" }]);
    assert.equal((await client.load("things")).rows, 1);
    assert.equal(await world.names(), "a b");
  },
});

Deno.test({
  name: "client: without brokers, or with files that are not there, one line says so",
  ignore,
  async fn() {
    await using world = await startWorld();
    await using client = clientSession(world.dsn);
    const cases: [Parameters<World["add"]>[0], string, boolean, RegExp][] = [
      [{ brokers: "127.0.0.1:1" }, "broker", true, /127\.0\.0\.1:1/],
      [{ topic: "no-such-topic" }, "broker", true, /topic "no-such-topic"/],
      [{ configFile: "/nonexistent/kafka.properties" }, "usage", false, /--config: cannot read/],
      [{ readerFlags: ["--value", "what"] }, "usage", false, /--value: "what" is not one of/],
      // A database does not decide over the files of this machine.
      [{ readerFlags: ["--log-file", "/tmp/x"] }, "usage", false, /unknown flag --log-file/],
    ];
    for (const [source, kind, passing, message] of cases) {
      await world.add({ via: "client", ...source });
      const problem = databaseProblem(await client.load("things").catch((error) => error))!;
      assert.match(problem.message, message);
      assert.deepEqual([problem.kind, problem.passing], [kind, passing], problem.message);
    }
    await nothing(world);
  },
});

Deno.test({
  name: "client: SIGTERM ends a load that waits in the database, and its session and locks",
  ignore,
  async fn() {
    await using world = await startWorld();
    const { broker, topic, sql, dsn } = world;
    await world.add({ via: "client" });
    await produce(broker, topic, things("a"));
    await sql.begin(async (tx) => {
      await tx`LOCK TABLE things IN ACCESS EXCLUSIVE MODE`;
      const child = start("main", ["load", "things", "--dsn", dsn, "--every", "1s"]);
      const output = child.output();
      const waiting = () =>
        sql`
        SELECT 1 FROM pg_stat_activity WHERE application_name = 'gpdb-kafka load things'
          AND wait_event_type = 'Lock'`;
      while ((await waiting()).length === 0) {
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      const from = performance.now();
      child.kill("SIGTERM");
      const { code, stderr } = await output;
      assert.equal(code, 143, new TextDecoder().decode(stderr));
      // 3 s to end by itself, 1 s to be cancelled: the rest is for a busy machine.
      assert.ok(performance.now() - from < 30_000);
      while ((await waiting()).length > 0) await new Promise((resolve) => setTimeout(resolve, 50));
    });
    await nothing(world);
    await using client = clientSession(dsn);
    assert.equal((await client.load("things")).rows, 1);
  },
});

Deno.test({
  name: "shares: one that cannot begin holds up the others, and the source, for some seconds only",
  ignore,
  async fn() {
    await using world = await startWorld(2);
    await world.add({ via: "client" });
    await using client = clientSession(world.dsn, 3);
    const names = Array.from({ length: 3000 }, (_, i) => `row ${i}`);
    const rows = things(...names);
    await produce(world.broker, world.topic, rows.slice(0, 1500), 0);
    await produce(world.broker, world.topic, rows.slice(1500), 1);
    // As a change of the schema does, which waits behind the transaction that keeps the source locked.
    const held = await world.sql.reserve();
    try {
      await held`BEGIN`;
      await held`LOCK TABLE kafka.load_plan IN ACCESS EXCLUSIVE MODE`;
      const started = performance.now();
      await assert.rejects(client.load("things"), { code: "55P03" });
      assert.ok(performance.now() - started < 25_000);
    } finally {
      await held`ROLLBACK`;
      held.release();
    }
    assert.equal((await client.load("things")).rows, 3000);
    const [{ ids }] = await world.sql`SELECT count(DISTINCT id)::int AS ids FROM things`;
    assert.equal(ids, 3000);
  },
});
