/** Merges of sources that gpdb-kafka reads itself, replayed against a model, with failures between. */
import assert from "node:assert/strict";
import { databaseProblem } from "../../lib/load/errors.ts";
import { produce } from "../support/kafka.ts";
import { clientSession } from "../support/load_client.ts";
import { mergedSource } from "../support/load_shaped.ts";
import { startWorld, type World } from "../support/load_world.ts";
import { History, recordsOf } from "../support/merge_model.ts";
import { Random } from "../support/random.ts";

async function tableOf({ sql }: World): Promise<unknown[]> {
  const rows = await sql`
    SELECT id, part, name, amount FROM merged ORDER BY id, part COLLATE "C"`;
  return rows.map((row) => ({ ...row }));
}

/** A load that does not come to its end, in one way or another; returns whether it did after all. */
async function disturb(world: World, random: Random, how: number): Promise<boolean> {
  const { sql, dsn } = world;
  await using client = clientSession(dsn);
  const running = client.start("merged");
  const ended = running.done.then(() => true, (error) => {
    // An answer, or the loss of the connection, in any of its forms; never a mistake of ours.
    assert.notEqual(databaseProblem(error), null, String(error));
    return false;
  });
  await new Promise((resolve) => setTimeout(resolve, random.int(0, 250)));
  if (how === 0) running.cancel();
  else {
    const call = how === 1 ? "pg_terminate_backend" : "pg_cancel_backend";
    await sql.unsafe(`
      SELECT ${call}(pid) FROM pg_stat_activity
      WHERE application_name LIKE 'gpdb-kafka load%' AND datname = current_database()`);
  }
  return await ended;
}

for (const seed of [1, 2]) {
  Deno.test(`client: merged random histories equal their model after every load, with failures between (seed ${seed})`, async () => {
    await using world = await startWorld(3);
    const { sql, broker, topic } = world;
    // Greenplum distributes it by its key.
    await sql`
      CREATE TABLE merged (note text, name text, id int, amount int, part text, PRIMARY KEY (id, part))`;
    await world.add({ ...mergedSource, name: "merged", table: "merged", via: "client" });
    const history = new History(seed);
    const random = new Random(seed + 1000);
    await using client = clientSession(world.dsn);
    for (let load = 0; load < 8; load++) {
      const batch = history.next(random.int(1, 60));
      const before = await tableOf(world);
      for (const [partition, records] of recordsOf(batch).entries()) {
        if (records?.length > 0) await produce(broker, topic, records, partition);
      }
      let isLoaded = false;
      for (let tries = random.int(0, 2); tries > 0 && !isLoaded; tries--) {
        const how = random.int(0, 3);
        if (how < 3) isLoaded = await disturb(world, random, how);
        else if (batch.expected.inserted + batch.expected.updated > 0) {
          await sql`ALTER TABLE merged ADD CONSTRAINT no CHECK (id < 0) NOT VALID`;
          await assert.rejects(client.load("merged"), /violates check/);
          await sql`ALTER TABLE merged DROP CONSTRAINT no`;
        }
        assert.deepEqual(await tableOf(world), isLoaded ? batch.table : before, `load ${load}`);
      }
      if (!isLoaded) {
        const { rows, updated, deleted, filtered, rowsRead } = await client.load("merged");
        const counted = {
          ...{ inserted: rows - updated, updated, deleted, filtered },
          rows_read: rowsRead,
        };
        assert.deepEqual(counted, batch.expected, `load ${load}`);
      }
      assert.deepEqual(await tableOf(world), batch.table, `load ${load}`);
      assert.equal((await client.load("merged")).records, 0);
    }
    for (const part of ["stage", "latest"]) {
      assert.equal((await sql.unsafe(`SELECT 1 FROM kafka.merged_${part}`)).length, 0);
    }
  });
}
