/** Merges: the last row of each key, replayed against a model. */
import assert from "node:assert/strict";
import { type Scripted, startScripted } from "../support/load_scripted.ts";
import { addShaped, loadCounts, shapeOf } from "../support/load_shaped.ts";
import { type Batch, History } from "../support/merge_model.ts";
import { Random } from "../support/random.ts";

Deno.test("merge: the last record of a key wins, deletes delete, and each is counted", async () => {
  await using world = await startScripted();
  const { sql } = world;
  await sql`ALTER TABLE things ADD PRIMARY KEY (id)`;
  await addShaped(world, {
    shape: shapeOf("id integer, name text, op text", {
      merge: ["id"],
      deleteWhen: "op = 'd'",
      where: "name <> 'TEST'",
    }),
  });
  await world.plan([{ end: 5 }], [
    "0,0,1,a,i",
    "0,1,1,b,u",
    "0,2,2,x,i",
    "0,3,3,TEST,i",
    "0,4,4,,d",
  ]);
  assert.deepEqual(await loadCounts(world), {
    rows: 2,
    inserted: 2,
    updated: 0,
    deleted: 0,
    filtered: 1,
    rejected: 0,
    records: 5,
    rows_read: 5,
  });
  await world.plan([{ end: 9 }], ["0,5,1,c,u", "0,6,2,,d", "0,7,5,y,i", "0,8,5,,d"]);
  assert.deepEqual(await loadCounts(world), {
    rows: 1,
    inserted: 0,
    updated: 1,
    deleted: 1,
    filtered: 0,
    rejected: 0,
    records: 4,
    rows_read: 4,
  });
  const rows = await sql`SELECT * FROM things ORDER BY id`;
  assert.deepEqual(rows.map((row) => ({ ...row })), [{ id: 1, name: "c" }]);
});

/** Field `amount` is text where it is read: a delete has none. */
const shape = shapeOf("id integer, part text, name text, amount text, op text", {
  tombstones: true,
  selects: [{ column: "amount", expression: "amount::integer * 2 -- doubled" }],
  where: "name IS DISTINCT FROM 'TEST'",
  merge: ["id", "part"],
  deleteWhen: "op = 'd'",
});

async function tableOf(world: Scripted): Promise<unknown[]> {
  const rows = await world.sql`
    SELECT id, part, name, amount FROM merged ORDER BY id, part COLLATE "C"`;
  return rows.map((row) => ({ ...row }));
}

/** A load of the batch that ends before it is committed, in one way or another. */
async function fail(world: Scripted, batch: Batch, how: number): Promise<void> {
  const { sql } = world;
  const { planned, rows, expected } = batch;
  switch (how) {
    case 0: // rolled back by its caller
      await sql.begin(async (sql) => {
        await sql`SELECT * FROM kafka.load('things')`;
        throw new Error("rolled back");
      }).catch((error) => assert.match(`${error}`, /rolled back/));
      return;
    case 1: { // the reader dies with half of its rows written
      await world.plan(planned, rows.slice(0, rows.length / 2));
      await sql`
        UPDATE kafka.source SET reader = regexp_replace(reader, '#$', '; exit 69 #')`;
      await assert.rejects(loadCounts(world), /the reader of source "things" failed: .*69/);
      return;
    }
    case 2: { // the session is ended while it reads
      await sql`
        UPDATE kafka.source SET reader = regexp_replace(reader, '#$', '; sleep 1 #')`;
      const other = world.session();
      const [{ pid }] = await other.sql`SELECT pg_backend_pid() AS pid`;
      let ended = false;
      const loading = loadCounts(other).then(() => "loaded", (error) => `${error}`)
        .finally(() => ended = true);
      const busy = () =>
        sql`
          SELECT 1 FROM pg_locks
          WHERE pid = ${pid} AND relation = 'kafka.things_stage'::regclass AND granted`;
      while (!ended && (await busy()).length === 0) {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      await sql`SELECT pg_terminate_backend(${pid})`;
      assert.match(await loading, /terminat|CONNECTION|closed|ended/i);
      return;
    }
    default: // the target refuses
      if (expected.inserted + expected.updated === 0) return;
      await sql`ALTER TABLE merged ADD CONSTRAINT no CHECK (id < 0) NOT VALID`;
      await assert.rejects(loadCounts(world), /violates check/);
      await sql`ALTER TABLE merged DROP CONSTRAINT no`;
  }
}

for (const seed of [1, 2, 3]) {
  Deno.test(`merge: random histories equal their model after every load, failed ones between (seed ${seed})`, async () => {
    await using world = await startScripted();
    const { sql } = world;
    await sql`CREATE TABLE merged (note text, name text, id int, amount int, part text)`;
    if (seed !== 2) await sql`ALTER TABLE merged ADD PRIMARY KEY (id, part)`;
    await addShaped(world, { table: "merged", shape });
    const history = new History(seed);
    const random = new Random(seed + 1000);
    for (let load = 0; load < 12; load++) {
      const batch = history.next(random.int(1, 60));
      const before = await tableOf(world);
      for (let tries = random.int(0, 2); tries > 0; tries--) {
        await world.plan(batch.planned, batch.rows);
        await fail(world, batch, random.int(0, 3));
        assert.deepEqual(await tableOf(world), before, `seed ${seed} load ${load}`);
      }
      await world.plan(batch.planned, batch.rows);
      const { inserted, updated, deleted, filtered, rows_read, rows } = await loadCounts(world);
      assert.deepEqual(await tableOf(world), batch.table, `seed ${seed} load ${load}`);
      assert.deepEqual({ inserted, updated, deleted, filtered, rows_read }, batch.expected);
      assert.equal(rows, inserted + updated);
      assert.equal((await loadCounts(world)).records, 0);
    }
    for (const part of ["stage", "latest"]) {
      assert.equal((await sql.unsafe(`SELECT 1 FROM kafka.things_${part}`)).length, 0);
    }
  });
}

Deno.test("merge: columns that the source does not load keep their values; new rows have their defaults", async () => {
  await using world = await startScripted();
  const { sql } = world;
  await sql.unsafe(`CREATE TABLE kept (
    no int GENERATED ALWAYS AS IDENTITY, id int PRIMARY KEY, name text,
    note text NOT NULL DEFAULT 'new', size int GENERATED ALWAYS AS (length(name)) STORED)`);
  await addShaped(world, {
    table: "kept",
    shape: shapeOf("id integer, name text", { merge: ["id"] }),
  });
  await world.plan([{ end: 2 }], ["0,0,1,a", "0,1,2,b"]);
  await loadCounts(world);
  await sql`UPDATE kept SET note = 'seen' WHERE id = 1`;
  await world.plan([{ end: 4 }], ["0,2,1,long", "0,3,3,c"]);
  const { rows, inserted, updated } = await loadCounts(world);
  assert.deepEqual([rows, inserted, updated], [2, 1, 1]);
  const table = await sql`SELECT no, id, name, note, size FROM kept ORDER BY id`;
  assert.deepEqual(table.map((row) => Object.values(row)), [
    [1, 1, "long", "seen", 4],
    [2, 2, "b", "new", 1],
    [3, 3, "c", "new", 1],
  ]);
  // A column that is added later would be lost: the source must be made again.
  await sql`ALTER TABLE kept ADD COLUMN later int DEFAULT 1`;
  await world.plan([{ end: 5 }], ["0,4,1,x"]);
  await assert.rejects(loadCounts(world), /columns of table (public.)?kept have changed since/);
});

Deno.test("merge: the order of a field decides within one load, and offsets where it is equal", async () => {
  await using world = await startScripted();
  await addShaped(world, {
    shape: shapeOf("id integer, name text, at integer", { merge: ["id"], mergeOrder: "at" }),
  });
  await world.plan([{ end: 6 }], [
    "0,0,1,late,9",
    "0,1,1,early,2",
    "0,2,1,unknown,",
    "0,3,2,first,5",
    "0,4,2,second,5",
    "0,5,3,only,",
  ]);
  await loadCounts(world);
  const rows = await world.sql`SELECT name FROM things ORDER BY id`;
  assert.deepEqual(rows.map(({ name }) => name), ["late", "second", "only"]);
});

Deno.test("merge: a null in a key names its record, and nothing is loaded", async () => {
  await using world = await startScripted();
  await addShaped(world, {
    shape: shapeOf("id integer, name text", { merge: ["id"], deleteWhen: "name = 'd'" }),
  });
  await world.plan([{ end: 1 }, { end: 7 }], ["0,0,1,a", "1,5,,x", "1,4,,y"]);
  await assert.rejects(
    loadCounts(world),
    /^PostgresError: cannot load source "things": topic "t" partition 1 offset 4: the merge key \(id\) is null$/,
  );
  await world.plan([{ end: 1 }], ["0,0,,d"]);
  await assert.rejects(loadCounts(world), /partition 0 offset 0: .* is null in a delete$/);
  assert.equal((await world.sql`SELECT 1 FROM things`).length, 0);
});

Deno.test("merge: partitioned tables, keys of types with their own equality, and hostile names", async () => {
  await using world = await startScripted();
  const { sql } = world;
  await sql.unsafe(`
    CREATE TABLE parts (id int, "na""me" text, day date, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
    CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
    CREATE TABLE parts_2 PARTITION OF parts DEFAULT`);
  await addShaped(world, {
    table: "parts",
    shape: shapeOf('id integer, day date, na"me text', { merge: ["id", "day"] }),
  });
  await world.plan([{ end: 3 }], [
    "0,0,1,2026-01-31,a",
    "0,1,1,2026-02-01,b",
    "0,2,1,2026-01-31,c",
  ]);
  assert.equal((await loadCounts(world)).inserted, 2);
  await world.plan([{ end: 4 }], ["0,3,1,2026-01-31,d"]);
  assert.equal((await loadCounts(world)).updated, 1);
  const rows = await sql`SELECT "na""me" AS name FROM parts ORDER BY day`;
  assert.deepEqual(rows.map(({ name }) => name), ["d", "b"]);

  // Whatever the search path: citext is in public.
  const [{ citext }] = await sql`
    SELECT count(*)::int AS citext FROM pg_available_extensions WHERE name = 'citext'`;
  if (citext === 0) return;
  await sql.unsafe("CREATE EXTENSION citext; CREATE TABLE words (word citext, n int)");
  await addShaped(world, {
    name: "words",
    table: "words",
    shape: shapeOf("word public.citext, n integer", { merge: ["word"] }),
  });
  await world.plan([{ end: 3 }], ["0,0,One,1", "0,1,ONE,2", "0,2,two,3"], "words");
  assert.equal((await loadCounts(world, "words")).inserted, 2);
  await world.plan([{ end: 4 }], ["0,3,TWO,4"], "words");
  assert.equal((await loadCounts(world, "words")).updated, 1);
});
