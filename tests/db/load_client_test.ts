/** Loads of sources that gpdb-kafka reads itself: what is in the table, and what the database keeps. */
import assert from "node:assert/strict";
import { produce } from "../support/kafka.ts";
import { load } from "../support/load.ts";
import { clientSession } from "../support/load_client.ts";
import { startWorld, things } from "../support/load_world.ts";

Deno.test("client: a load inserts what is new, the next one goes on, and the history has both", async () => {
  await using world = await startWorld(3);
  const { broker, sql, topic } = world;
  await world.add({ via: "client" });
  await using client = clientSession(world.dsn);
  assert.equal((await client.load("things")).records, 0);
  await produce(broker, topic, things("a", "b", "c"), 0);
  await produce(broker, topic, things("x"), 2);
  const first = await client.load("things");
  assert.deepEqual({ ...first, seconds: 0 }, {
    ...{ rows: 4, updated: 0, deleted: 0, filtered: 0, rejected: 0, rowsRead: 4, records: 4 },
    ...{ lag: 0, lost: 0, reason: "end", seconds: 0, loadNo: 2 },
    topics: [{ topic, records: 4, lag: 0 }],
  });
  await produce(broker, topic, [{ value: "7,late" }], 1);
  assert.equal((await client.load("things")).rows, 1);
  assert.equal((await client.load("things")).rows, 0);
  assert.equal(await world.names(), "a x b c late");
  const history =
    await sql`SELECT ranges, rows::int, reason FROM kafka.load_history ORDER BY load_no`;
  assert.deepEqual(history.map((row) => Object.values(row)), [
    ["", 0, "end"],
    ["0:0-3,2:0-1", 4, "end"],
    ["1:0-1", 1, "end"],
  ]);
  await assert.rejects(load(world, "things"), (error: { message: string; hint: string }) => {
    assert.match(
      error.message,
      /^cannot load source "things" with kafka.load: gpdb-kafka reads it/,
    );
    assert.equal(error.hint, "Run gpdb-kafka load things.");
    return true;
  });
});
