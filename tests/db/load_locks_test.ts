import assert from "node:assert/strict";
import { startLoad } from "../../lib/load/database.ts";
import { load } from "../support/load.ts";
import { addScripted, startScripted } from "../support/load_scripted.ts";

/** Waits until a session has said so. */
async function heard(notices: string[], pattern: RegExp): Promise<void> {
  for (let i = 0; !notices.some((notice) => pattern.test(notice)); i++) {
    if (i === 1500) throw new Error(`not heard ${pattern}: ${notices}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

Deno.test("load: a source is not changed while it is loaded, and a load of a changed one fails", async () => {
  await using world = await startScripted();
  const { sql } = world;
  await world.plan([{ end: 2 }], ["0,a", "1,b"]);
  const other = world.session();
  let changing: Promise<unknown>;
  await sql.begin(async (sql) => {
    assert.equal((await load({ sql }, "things")).rows, 2);
    changing = addScripted(other, { topic: "other" }).catch((error) => error);
    await heard(other.notices, /source "things" is in use by another session: waiting/);
  });
  // Only now it sees that the source stands in topic t.
  assert.match(
    `${await changing!}`,
    /topic of source "things": its offsets belong to another topic/,
  );
  const [{ topic }] = await sql`SELECT topic FROM kafka.source`;
  assert.equal(topic, "t");

  // Somebody changes it all the same, in this very transaction: every field counts.
  await world.plan([{ end: 3 }], ["2,c"]);
  for (const change of ["topic = 'u'", "columns = '{name,id}'", "group_name = 'h'"]) {
    await sql.unsafe(`
      CREATE OR REPLACE FUNCTION change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN UPDATE kafka.source SET ${change}; RETURN NULL; END $$;
      DROP TRIGGER IF EXISTS change ON things;
      CREATE TRIGGER change AFTER INSERT ON things EXECUTE FUNCTION change()`);
    await assert.rejects(load(world, "things"), /the source was changed meanwhile/, change);
  }
  assert.equal((await sql`SELECT 1 FROM things`).length, 2);
});

Deno.test("load: the error names a source that was dropped while a load waited for it", async () => {
  await using world = await startScripted();
  const other = world.session();
  let waiting: Promise<unknown>;
  await world.sql.begin(async (sql) => {
    await sql`SELECT kafka.drop_source('things')`;
    waiting = load(other, "things").catch((error) => error);
    await heard(other.notices, /waiting for it/);
  });
  assert.match(`${await waiting!}`, /source "things" was dropped while this session waited for it/);
  await assert.rejects(load(other, "things"), /source "things" does not exist/);
});

Deno.test("load: no other role can hold the lock of a source", async () => {
  await using world = await startScripted();
  await world.plan([{ end: 1 }], ["0,a"]);
  const mallory = await world.role("lock_mallory");
  const held = await mallory.sql.reserve();
  await held`SELECT pg_advisory_lock(1262503489, hashtext('things'))`;
  await assert.rejects(async () => await held`SELECT 1 FROM kafka.source FOR UPDATE`, {
    code: "42501",
  });
  assert.equal((await load(world.session({ statement_timeout: "20s" }), "things")).rows, 1);
  held.release();
});

Deno.test("load: only under READ COMMITTED, because it must see what others have loaded", async () => {
  await using world = await startScripted();
  const { sql } = world;
  await world.plan([{ end: 1 }], ["0,a"]);
  const calls = [
    "kafka.load('things')",
    "kafka.seek('things', 'earliest')",
    "kafka.pause('things')",
    "kafka.resume('things')",
    "kafka.drop_source('things')",
    "kafka.prune('0 s')",
    "kafka.add_source('things', 't', 'things', 'true #', 'true # --log-identity', 'g')",
  ];
  for (const level of ["REPEATABLE READ", "SERIALIZABLE"]) {
    for (const call of calls) {
      await assert.rejects(
        sql.begin(`ISOLATION LEVEL ${level}`, (sql) => sql.unsafe(`SELECT ${call}`)),
        (error: { message: string; hint: string }) => {
          assert.match(error.message, new RegExp(`in a ${level} transaction: `), call);
          assert.match(error.hint, /READ COMMITTED/);
          return true;
        },
      );
    }
  }
  assert.equal((await sql`SELECT 1 FROM kafka.load_history`).length, 0);
  // gpdb-kafka load does not depend on the default.
  const strict = world.session({ default_transaction_isolation: "serializable" });
  assert.equal((await startLoad(strict.sql, "things", null).done).rows, 1);
});

Deno.test("load: without its table a source can be paused, moved and dropped", async () => {
  await using world = await startScripted();
  const { sql } = world;
  const etl = await world.role("table_etl");
  await sql`GRANT INSERT ON things TO table_etl`;
  await sql`SELECT kafka.allow('table_etl')`;
  await world.plan([{ end: 2 }], ["0,a", "1,b"]);
  assert.equal((await load(etl, "things")).rows, 2);
  await sql`DROP TABLE things`;
  for (const caller of [world, etl]) {
    await assert.rejects(
      load(caller, "things"),
      /source "things": its table public.things was dropped/,
    );
  }
  // Another table of that name is not the one that was added.
  await sql`CREATE TABLE things (id int, name text)`;
  await assert.rejects(load(world, "things"), /its table public.things was dropped/);
  await assert.rejects(async () => await etl.sql`SELECT kafka.pause('things')`, { code: "42501" });
  await sql`SELECT kafka.pause('things')`;
  await sql`SELECT kafka.resume('things')`;
  assert.equal((await sql`SELECT kafka.seek('things', '0:1')`).length, 1);
  const [lag] = await sql`SELECT lag::int FROM kafka.lag`;
  assert.equal(lag.lag, 1);
  await addScripted(world);
  await world.plan([{ end: 2 }], ["1,b"]);
  assert.equal((await load(world, "things")).rows, 1);
  await sql`DROP TABLE things`;
  await sql`SELECT kafka.drop_source('things')`;
  assert.equal((await sql`SELECT 1 FROM kafka.source`).length, 0);
});
