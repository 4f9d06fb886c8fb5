/** Merges: the last row of each key, replayed against a model. */
import assert from "node:assert/strict";
import { startScripted } from "../support/load_scripted.ts";
import { addShaped, loadCounts, shapeOf } from "../support/load_shaped.ts";

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
  await world.plan([{ end: 5 }], ["0,0,1,a,i", "0,1,1,b,u", "0,2,2,x,i", "0,3,3,TEST,i", "0,4,4,,d"]);
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
