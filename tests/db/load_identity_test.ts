import assert from "node:assert/strict";
import { load } from "../support/load.ts";
import { addScripted, startScripted } from "../support/load_scripted.ts";

const log = { clusterId: "c1", topicId: "t1", epoch: 5 };

Deno.test("identity: another log under the topic's name is rejected, and only seek accepts it", async () => {
  await using world = await startScripted();
  const { sql } = world;
  await addScripted(world, { onLost: "earliest" }); // it has no say in this
  await world.plan([{ end: 3, ...log }], ["0,a", "1,b", "2,c"]);
  assert.equal((await load(world, "things")).rows, 3);
  const [{ cluster_id, topic_ids, leader_epochs }] = await sql`SELECT * FROM kafka.load_history`;
  assert.deepEqual([cluster_id, topic_ids, leader_epochs], ["c1", ["t1"], [5]]);
  for (const end of [2, 3, 5]) {
    const recreated = { end, ...log, topicId: "t2", epoch: 0 };
    const cases: [object, RegExp][] = [
      [
        recreated,
        /topic "t" was deleted and created again: its id is t2, but source "things" has loaded t1/,
      ],
      [
        { ...recreated, clusterId: "c2" },
        /topic "t" now belongs to cluster c2, but source "things" has loaded it from cluster c1/,
      ],
      [ // brokers without topic ids
        { ...recreated, topicId: "", epochEnd: 0 },
        /partition 0 was truncated: what it has of leader epoch 5 ends at offset 0, .* stands at 3/,
      ],
    ];
    for (const [found, message] of cases) {
      await world.plan([found as { end: number }], ["0,new"]);
      await assert.rejects(load(world, "things"), (error: { message: string; hint: string }) => {
        assert.match(error.message, message);
        assert.match(error.hint, /kafka\.seek\('things', 'earliest'\) accepts the present log/);
        return true;
      });
      const [lag] = await sql`SELECT * FROM kafka.lag`;
      assert.match(lag.error, message);
    }
  }
  assert.equal((await sql`SELECT 1 FROM kafka.load_history`).length, 1);

  await world.plan([{ end: 2, ...log, topicId: "t2", epoch: 0 }], ["0,new", "1,newer"]);
  await sql`SELECT kafka.seek('things', 'earliest')`;
  assert.equal((await load(world, "things")).rows, 2);
  assert.equal((await load(world, "things")).records, 0);
  const [last] = await sql`SELECT * FROM kafka.load_history ORDER BY load_no DESC LIMIT 1`;
  assert.deepEqual([last.topic_ids[0], last.leader_epochs, last.next_offsets.map(Number)], [
    "t2",
    [0],
    [2],
  ]);
});

Deno.test("identity: a truncated partition is named; seek goes to where the logs differ", async () => {
  await using world = await startScripted();
  const { sql } = world;
  await world.plan([{ end: 1, ...log }, { end: 9, ...log }], ["0,a"]);
  await load(world, "things");
  // The same leader, and a new one that has everything.
  await world.plan([{ end: 1, ...log }, { end: 9, ...log, epoch: 6, epochEnd: 9 }]);
  assert.equal((await load(world, "things")).records, 0);
  await world.plan([{ end: 1, ...log }, { end: 12, ...log, epoch: 7, epochEnd: 7 }], ["7,x"]);
  await assert.rejects(
    load(world, "things"),
    /topic "t" partition 1 was truncated: what it has of leader epoch 5 ends at offset 7, but source "things" stands at 9 in it/,
  );
  const moved = await sql`SELECT next_offset::int FROM kafka.seek('things', '0:0')`;
  assert.deepEqual(moved.map(({ next_offset }) => next_offset), [0, 7]);
  await world.plan([{ end: 1, ...log }, { end: 12, ...log, epoch: 7 }], ["7,x"]);
  assert.equal((await load(world, "things")).records, 6);

  // Without epochs, an end before where the source stands says so, whatever on_lost is.
  await addScripted(world, { onLost: "latest" });
  await world.plan([{ end: 1 }, { end: 11 }]);
  await assert.rejects(
    load(world, "things"),
    /partition 1 has the offsets 0 to 11, but source "things" stands at 12: .* truncated, or/,
  );
});

Deno.test("identity: what is not known is not compared, and kept once it is", async () => {
  await using world = await startScripted();
  await world.plan([{ end: 1 }], ["0,a"]);
  assert.equal((await load(world, "things")).rows, 1);
  await world.plan([{ end: 2, ...log }], ["1,b"]);
  assert.equal((await load(world, "things")).rows, 1);
  await world.plan([{ end: 3, ...log, topicId: "t2" }], ["2,c"]);
  await assert.rejects(load(world, "things"), /its id is t2/);
});

Deno.test("lost: skipped offsets are counted, warned of and kept; lag counts none that are gone", async () => {
  await using world = await startScripted();
  const { sql } = world;
  const { sql: session, notices } = world.session();
  await world.plan([{ end: 2 }, { end: 5 }], ["0,a"]);
  await load(world, "things");
  await addScripted(world, { onLost: "earliest" });
  const gone = [{ end: 2, earliest: 2 }, { end: 50, earliest: 30 }];
  await world.plan(gone, ["1,b"]);
  const lag = async () =>
    (await sql`SELECT lag::int, next_offset::int FROM kafka.lag`).map((row) => [
      row.next_offset,
      row.lag,
    ]);
  assert.deepEqual(await lag(), [[2, 0], [5, 20]]);
  const [answer] = await session`SELECT lost::int, records::int FROM kafka.load('things', 1)`;
  assert.deepEqual({ ...answer }, { lost: 25, records: 1 });
  assert.deepEqual(notices, [
    'source "things", topic "t" partition 1: offsets 5 to 30 are skipped (on_lost is earliest)',
  ]);
  await addScripted(world, { onLost: "latest" });
  await world.plan([{ end: 2, earliest: 2 }, { end: 60, earliest: 40 }]);
  await load(world, "things");
  const [status] = await sql`
    SELECT last_lost::int, offsets_lost::int, offsets_without_row::int FROM kafka.status`;
  assert.deepEqual({ ...status }, { last_lost: 29, offsets_lost: 54, offsets_without_row: 6 });
  assert.deepEqual(await lag(), [[2, 0], [60, 0]]);
});
