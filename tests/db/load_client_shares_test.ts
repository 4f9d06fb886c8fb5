/** Sources that gpdb-kafka reads itself, loaded by several connections: a share of the partitions each. */
import assert from "node:assert/strict";
import postgres from "postgres";
import { PartlyLoaded } from "../../lib/load/database.ts";
import { start } from "../support/cli.ts";
import { until } from "../support/group.ts";
import { produce } from "../support/kafka.ts";
import { dialect } from "../support/load.ts";
import { clientSession } from "../support/load_client.ts";
import { shapeOf } from "../support/load_shaped.ts";
import { startWorld, type World } from "../support/load_world.ts";

const ignore = dialect === "greenplum";

/** Writes rows with these ids to a partition. */
async function write(
  { broker, topic }: World,
  partition: number,
  from: number,
  count: number,
  name = "row",
) {
  const ids = Array.from({ length: count }, (_, i) => from + i);
  await produce(broker, topic, ids.map((id) => ({ value: `${id},${name} ${id}` })), partition);
}

async function ids({ sql }: World): Promise<number[]> {
  const rows = await sql`SELECT id FROM things ORDER BY id`;
  return rows.map(({ id }) => id);
}

const upTo = (count: number) => Array.from({ length: count }, (_, i) => i);

Deno.test({
  name: "shares: each connection loads some partitions, and has a row in the history",
  ignore,
  async fn() {
    await using world = await startWorld(5);
    const { sql, topic } = world;
    await world.add({ via: "client" });
    await using client = clientSession(world.dsn, 3);
    await write(world, 0, 0, 3000);
    await write(world, 1, 3000, 1500);
    await write(world, 3, 4500, 1500);
    await write(world, 4, 6000, 500);
    const first = await client.load("things");
    assert.deepEqual({ ...first, seconds: 0, loadNo: 0 }, {
      ...{ rows: 6500, updated: 0, deleted: 0, filtered: 0, rejected: 0, rowsRead: 6500 },
      ...{ records: 6500, lag: 0, lost: 0, reason: "end", seconds: 0, loadNo: 0, shares: 3 },
      topics: [{ topic, records: 6500, lag: 0 }],
    });
    assert.deepEqual(await ids(world), upTo(6500));
    const history = await sql`
      SELECT load_no::int, ranges, rows::int, lag::int, topic_lags::int[], next_offsets::int[]
      FROM kafka.load_history ORDER BY load_no`;
    assert.deepEqual(history.map(({ load_no }) => load_no), [1, 2, 3]);
    assert.deepEqual(history.map(({ ranges }) => ranges).sort(), [
      "0:0-3000",
      "1:0-1500,4:0-500",
      "3:0-1500",
    ]);
    let left = 6500;
    for (const { rows, lag, topic_lags } of history) {
      left -= rows;
      assert.deepEqual([lag, topic_lags], [left, [left]]);
    }
    assert.deepEqual(history.at(-1)!.next_offsets, [3000, 1500, 0, 1500, 500]);
    const [status] = await sql`
      SELECT loads::int, rows_loaded::int, lag_then::int, partitions FROM kafka.status`;
    assert.deepEqual({ ...status }, { loads: 3, rows_loaded: 6500, lag_then: 0, partitions: 5 });
    // Little is one load; so is what one partition has.
    await write(world, 0, 6500, 500);
    await write(world, 2, 7000, 500);
    assert.equal((await client.load("things")).shares, undefined);
    await write(world, 2, 7500, 3000);
    assert.equal((await client.load("things")).shares, undefined);
    assert.equal((await client.load("things")).records, 0);
    assert.deepEqual(await ids(world), upTo(10_500));
  },
});

Deno.test({
  name: "shares: what one of them cannot load does not keep the others from it",
  ignore,
  async fn() {
    await using world = await startWorld(3);
    const { broker, topic, sql } = world;
    await world.add({ via: "client" });
    await using client = clientSession(world.dsn, 8);
    for (let i = 0; i < 3; i++) await write(world, i, i * 1500, 1500);
    await produce(broker, topic, [{ value: "\\." }], 1);
    const error = await client.load("things").catch((error) => error);
    assert.ok(error instanceof PartlyLoaded);
    assert.deepEqual([error.loaded.rows, error.loaded.lag], [3000, 1501]);
    assert.match((error.cause as Error).message, /partition 1 offset 1500: /);
    assert.deepEqual(await ids(world), [...upTo(1500), ...upTo(4500).slice(3000)]);
    await sql`SELECT kafka.pause('things')`;
    await assert.rejects(client.load("things"), /is paused/);
    await sql`SELECT kafka.resume('things')`;
    await world.add({ via: "client", readerFlags: ["--bad-record", "skip"] });
    await write(world, 2, 4500, 1500);
    const second = await client.load("things");
    assert.deepEqual([second.rows, second.shares, second.lag], [3000, 2, 0]);
    assert.deepEqual(await ids(world), upTo(6000));
  },
});

/** What a client hands over of three partitions that end there. */
function planOf({ topic }: World, end: number): string {
  const rows = [0, 1, 2].map((partition_no) => ({
    ...{ topic, partition_no, earliest: 0, end_offset: end },
  }));
  return JSON.stringify({ source: "things", rows });
}

/** A session that is at the end of a share of table `things`, before its commit. */
async function share(world: World, parts: number[], end: number, stood: number) {
  await using stack = new AsyncDisposableStack();
  const sql = postgres(world.dsn, { max: 1, onnotice: () => {} });
  stack.defer(() => sql.end({ timeout: 1 }));
  const names = parts.map((part) => `${world.topic}:${part}`);
  await sql.unsafe("BEGIN");
  const [step] = await sql`
    SELECT * FROM kafka._client_begin('things', NULL, ${planOf(world, end)}, share := ${names},
      stood := ${stood})`;
  for (const part of parts) await sql`INSERT INTO things VALUES (${end}, ${`p${part}`})`;
  const opened = stack.move();
  const count = parts.length;
  return {
    step,
    finish: () =>
      sql`SELECT kafka._client_finish('things', ${count}, 0, 0, 0, 0, ${count}) AS no`.execute(),
    commit: () => sql`COMMIT`,
    rollback: () => sql`ROLLBACK`,
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

Deno.test({
  name: "shares: each row of the history goes on from the one before, whatever ends first",
  ignore,
  async fn() {
    await using world = await startWorld(3);
    const { sql } = world;
    await world.add({ via: "client" });
    const places = async () => {
      const rows =
        await sql`SELECT next_offset::int AS o FROM kafka.load_offset ORDER BY partition_no`;
      return rows.map(({ o }) => o);
    };
    // Of a source that has loaded nothing.
    {
      await using a = await share(world, [0], 10, 0);
      await using b = await share(world, [1, 2], 10, 0);
      assert.equal(a.step.ranges, "0:0-10");
      assert.equal((await b.finish())[0].no, "1");
      // Its number is taken, or may be.
      const finished = a.finish();
      await b.commit();
      assert.equal((await finished)[0].no, "2");
      assert.deepEqual(await places(), [0, 10, 10]);
      await a.commit();
      assert.deepEqual(await places(), [10, 10, 10]);
    }
    // One that is rolled back leaves its number to the other one.
    {
      await using a = await share(world, [0], 20, 2);
      await using b = await share(world, [1], 20, 2);
      await b.finish();
      const finished = a.finish();
      await b.rollback();
      assert.equal((await finished)[0].no, "3");
      await a.commit();
      assert.deepEqual(await places(), [20, 10, 10]);
    }
    // Two have read the same: only one of them may end.
    {
      await using a = await share(world, [1], 20, 3);
      await using b = await share(world, [1, 2], 20, 3);
      await a.finish();
      const finished = assert.rejects(
        async () => await b.finish(),
        { code: "40001", message: /another session has loaded or moved it meanwhile/ },
      );
      await a.commit();
      await finished;
      assert.deepEqual(await places(), [20, 20, 10]);
    }
    // A share of what was planned before somebody else has loaded.
    await assert.rejects(share(world, [2], 30, 3), { code: "40001" });
    // What nobody keeps the source locked for: it was moved, changed or dropped meanwhile.
    const changes: [() => Promise<unknown>, RegExp][] = [
      [
        () =>
          sql.begin(async (tx) => {
            await tx`SELECT set_config('kafka.plan', ${planOf(world, 30)}, true)`;
            await tx`SELECT kafka.seek('things', '2:0')`;
          }),
        /has loaded or moved it meanwhile/,
      ],
      [() => sql`SELECT kafka.pause('things')`, /was changed meanwhile/],
      [
        () => sql`SELECT kafka.drop_source('things')`,
        /source "things" does not exist/,
      ],
    ];
    for (const [change, message] of changes) {
      const [{ stood }] = await sql`SELECT max(load_no) AS stood FROM kafka.load_history`;
      await using a = await share(world, [2], 30, stood);
      await change();
      await assert.rejects(async () => await a.finish(), { message });
      await sql`UPDATE kafka.source SET paused = false`;
    }
    const rows =
      await sql`SELECT name, max(id) AS id, count(*)::int AS n FROM things GROUP BY 1 ORDER BY 1`;
    assert.deepEqual(rows.map((row) => Object.values(row)), [["p0", 20, 2], ["p1", 20, 2], [
      "p2",
      10,
      1,
    ]]);
  },
});

Deno.test({
  name: "shares: SIGTERM ends all of them, and other loads and changes wait for them",
  ignore,
  async fn() {
    await using world = await startWorld(3);
    const { sql, dsn } = world;
    await world.add({ via: "client" });
    for (let i = 0; i < 3; i++) await write(world, i, i * 1500, 1500);
    const open = async () => {
      const rows = await sql`
        SELECT state, wait_event_type AS waits FROM pg_stat_activity
        WHERE application_name = 'gpdb-kafka load things' AND datname = current_database()
          AND xact_start IS NOT NULL ORDER BY 1`;
      return rows.map(({ state, waits }) => `${state}: ${waits}`);
    };
    await sql.begin(async (tx) => {
      await tx`LOCK TABLE things IN ACCESS EXCLUSIVE MODE`;
      const child = start("main", ["load", "things", "--dsn", dsn, "--every", "1s", "--jobs", "3"]);
      const output = child.output();
      await until("all wait for the table", 30_000, async () => (await open()).length === 4);
      await until(
        "all wait for the table",
        30_000,
        async () => (await open()).filter((one) => one === "active: Lock").length === 3,
      );
      assert.equal((await open()).at(-1), "idle in transaction: Client");
      for (const call of ["kafka.pause('things')", "kafka.drop_source('things')"]) {
        await assert.rejects(
          sql.begin(async (other) => {
            await other`SET LOCAL lock_timeout = 300`;
            await other.unsafe(`SELECT ${call}`);
          }),
          { code: "55P03" },
          call,
        );
      }
      await using client = clientSession(dsn, 2);
      const second = client.start("things");
      const waiting = assert.rejects(second.done, { code: "57014" });
      await until(
        "it waits",
        30_000,
        () => Promise.resolve(client.said.some((line) => /in use by another session/.test(line))),
      );
      second.cancel();
      await waiting;
      const from = performance.now();
      child.kill("SIGTERM");
      const { code, stderr } = await output;
      assert.equal(code, 143, new TextDecoder().decode(stderr));
      // 3 s to end by themselves, 1 s to be cancelled: the rest is for a busy machine.
      assert.ok(performance.now() - from < 30_000);
      await until("all have ended", 30_000, async () => (await open()).length === 0);
    });
    assert.equal((await sql`SELECT 1 FROM kafka.load_history`).length, 0);
    await using client = clientSession(dsn, 3);
    assert.equal((await client.load("things")).shares, 3);
    assert.deepEqual(await ids(world), upTo(4500));
  },
});

Deno.test({
  name: "shares: a source that maps or merges has one connection, and one line says so",
  ignore,
  async fn() {
    await using world = await startWorld(2);
    const { sql, dsn } = world;
    await sql`ALTER TABLE things ADD PRIMARY KEY (id)`;
    await world.add({
      via: "client",
      readerFlags: ["--columns", "partition,offset"],
      shape: shapeOf("id integer, name text", { merge: ["id"] }),
    });
    // The same keys in both partitions: of each the row of the second one is the last.
    await write(world, 0, 0, 3000);
    await write(world, 1, 0, 3000, "last");
    const child = await start("main", ["load", "things", "--dsn", dsn, "--once", "--jobs", "4"])
      .output();
    const stderr = new TextDecoder().decode(child.stderr);
    assert.equal(child.code, 0, stderr);
    assert.equal(stderr.match(/is loaded by one connection/g)?.length, 1, stderr);
    assert.match(
      stderr,
      /^--jobs: source "things" is loaded by one connection, because it maps, filters or merges its rows$/m,
    );
    const rows = await sql`SELECT name FROM things ORDER BY id`;
    assert.deepEqual(rows.map(({ name }) => name), upTo(3000).map((id) => `last ${id}`));
    assert.equal((await sql`SELECT 1 FROM kafka.load_history`).length, 1);
  },
});
