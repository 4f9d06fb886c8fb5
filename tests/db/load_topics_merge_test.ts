/** Sources of several topics whose planner and reader are the test's: merges, errors, seeks. */
import assert from "node:assert/strict";
import { shapeSource, TOPIC } from "../../lib/greenplum/shape.ts";
import { load, runScript } from "../support/load.ts";
import { type Planned, type Scripted, startScripted } from "../support/load_scripted.ts";
import { canReject, loadCounts, shapeOf } from "../support/load_shaped.ts";

/** A shape of several topics. */
function shapeOfTopics(fields: string, more: Parameters<typeof shapeOf>[1] = {}) {
  const shape = shapeOf(fields, more);
  const [partition, offset, ...rest] = shape.readerColumns;
  return { ...shape, readerColumns: [partition, offset, { name: TOPIC, type: "text" }, ...rest] };
}

/** Makes source `things` one of topics a and b, or of those of a pattern. */
async function addTopics(
  { sql }: Scripted,
  shape: ReturnType<typeof shapeOf> | null,
  { rejectLimit = null, pattern = null }: { rejectLimit?: string | null; pattern?: string | null } =
    {},
): Promise<void> {
  const topics = pattern === null ? "topics := ARRAY['a', 'b']" : `topic_pattern := '${pattern}'`;
  await runScript(
    { sql },
    `BEGIN;
    SELECT kafka.add_source('things', NULL, 'things', 'true #', 'true # --log-identity', 'g',
      ${topics});
    ${shape ? shapeSource("things", shape, rejectLimit) : ""}
    COMMIT`,
  );
}

/** Partition 0 of each of these topics ends there. */
function ends(topics: Record<string, number>): Planned[] {
  return Object.entries(topics).map(([topic, end]) => ({
    ...{ topic, partition: 0, end, clusterId: "c", topicId: `id-${topic}`, epoch: 1 },
  }));
}

async function failure(query: PromiseLike<unknown>): Promise<string> {
  try {
    await query;
  } catch (error) {
    const { message, hint } = error as { message: string; hint?: string };
    return hint === undefined ? message : `${message} — ${hint}`;
  }
  return "no error";
}

async function table({ sql }: Scripted): Promise<string> {
  const rows = await sql`SELECT id || name AS row FROM things ORDER BY id, name`;
  return rows.map(({ row }) => row).join(" ");
}

Deno.test("topics: of a key in several topics the largest merge order wins, then topic, partition and offset; tombstones too", async () => {
  await using world = await startScripted();
  const shape = shapeOfTopics("at integer, id integer, name text", {
    tombstones: true,
    merge: ["id"],
    mergeOrder: "at",
  });
  await addTopics(world, shape);
  await world.plan(ends({ a: 4, b: 4 }), [
    ...["0,0,a,f,5,1,a-newer", "0,0,b,f,4,1,b-older"], // by the order
    ...["0,1,a,f,7,2,a-first", "0,1,b,f,7,2,b-same"], // equal: the topic decides, not what came last
    ...["0,2,b,f,1,3,b-row", "0,2,a,t,2,3,"], // a tombstone of one topic deletes the other's row
    ...["0,3,a,t,1,4,", "0,3,b,f,2,4,b-after"], // and not a newer one
  ]);
  const counts = await loadCounts(world);
  assert.deepEqual([counts.inserted, counts.deleted, counts.rows_read], [3, 0, 8]);
  assert.equal(await table(world), "1a-newer 2b-same 4b-after");
  // In another order of arrival, and from b alone.
  await world.plan(ends({ a: 4, b: 6 }), ["0,5,b,t,9,1,", "0,4,b,f,9,2,b-next"]);
  const later = await loadCounts(world);
  assert.deepEqual([later.updated, later.deleted], [1, 1]);
  assert.equal(await table(world), "2b-next 4b-after");
});

Deno.test("topics: errors and rejected rows name the topic of their record", async () => {
  await using world = await startScripted();
  const { sql } = world;
  await addTopics(
    world,
    shapeOfTopics("id integer, name text", { merge: ["id"], mergeOrder: "id" }),
  );
  // Partition and offset are the same in both.
  await world.plan(ends({ a: 3, b: 3 }), ["0,0,a,1,x", "0,0,b,one,y", "0,1,a,2,z"]);
  assert.match(
    await failure(load(world, "things")),
    /topic "b" partition 0 offset 0: field "id": invalid input syntax for type integer: "one"/,
  );
  await world.plan(ends({ a: 3, b: 3 }), ["0,2,a,1,x", "0,1,b,,y"]);
  assert.match(
    await failure(load(world, "things")),
    /topic "b" partition 0 offset 1: the merge key \(id\) is null/,
  );
  await world.plan(ends({ a: 3, b: 3 }), ["0,2,a,1,x,more"]);
  assert.match(await failure(load(world, "things")), /topic "a" partition 0 offset 2: extra data/);
  if (!await canReject(world)) return;
  await addTopics(world, shapeOfTopics("id integer, name text"), { rejectLimit: "3 ROWS" });
  await world.plan(ends({ a: 3, b: 3 }), ["0,0,a,1,x", "0,0,b,one,y", "0,1,a,two,z", "0,1,b,2,v"]);
  const { rows, rejected } = await loadCounts(world);
  assert.deepEqual([rows, rejected], [2, 2]);
  assert.equal(await table(world), "1x 2v");
  const listed = await sql`
    SELECT topic, partition_no, "offset"::int FROM kafka.rejected ORDER BY topic`;
  assert.deepEqual(listed.map((row) => Object.values(row)), [["a", 0, 1], ["b", 0, 0]]);
});

Deno.test("topics: kafka.seek moves one topic or all of them; what it cannot mean is one line", async () => {
  await using world = await startScripted();
  const { sql } = world;
  await addTopics(world, null, { pattern: "^[ab]$" });
  const plan = [
    { topic: "a", partition: 0, earliest: 2, end: 9 },
    { topic: "a", partition: 1, end: 5 },
    { topic: "b", partition: 0, end: 7 },
  ];
  await world.plan(plan);
  const seek = async (position: string) => {
    await sql`SELECT kafka.seek('things', ${position})`;
    const rows =
      await sql`SELECT next_offset::int FROM kafka.load_offset ORDER BY topic, partition_no`;
    return rows.map(({ next_offset }) => next_offset).join(" ");
  };
  assert.equal(await seek("latest"), "9 5 7");
  assert.equal(await seek("a:earliest"), "2 0 7");
  assert.equal(await seek("b:0:3"), "2 0 3");
  assert.equal(await seek("a:1:4,0:8,b:0:1"), "8 4 1");
  assert.equal(await seek("b:latest"), "8 4 7");
  assert.equal(await seek("earliest"), "2 0 0");
  assert.equal(await seek("a:@2026-01-01"), "9 5 0"); // the planner knows no record at or after it
  const [{ lag, topic_lags }] = await sql`
    SELECT lag::int, topic_lags::int[] FROM kafka.load_history ORDER BY load_no DESC LIMIT 1`;
  assert.deepEqual([lag, topic_lags], [7, [0, 7]]);
  const wrong: Record<string, RegExp> = {
    "0:3": /^"0:3": source "things" has several topics — Use TOPIC:PARTITION:OFFSET,…\.$/,
    "c:earliest": /^source "things" does not load topic "c" — kafka\.load_offset has its topics\.$/,
    "c:0:1": /does not load topic "c"/,
    "b:1:0": /^topic "b" has no partition 1$/,
    "b:0:8": /^topic "b" partition 0 has the offsets 0 to 7, not 8$/,
    "a:0:1": /^topic "a" partition 0 has the offsets 2 to 9, not 1$/,
    "b:soon":
      /is not one of earliest, latest, @TIME, PARTITION:OFFSET,…, or one of these after TOPIC:$/,
    "b:": /is not one of earliest/,
    "a b:0:1": /is not one of earliest/,
    "b:@soon": /invalid input syntax for type timestamp/,
  };
  for (const [position, message] of Object.entries(wrong)) {
    assert.match(await failure(sql`SELECT kafka.seek('things', ${position})`), message, position);
  }
  assert.equal(await seek("b:0:0"), "9 5 0");
});

Deno.test("topics: another cluster is accepted for all topics, or not at all", async () => {
  await using world = await startScripted();
  const { sql } = world;
  await addTopics(world, null, { pattern: "." });
  await world.plan(ends({ a: 2, b: 2 }), ["1,x", "2,y"]);
  assert.equal((await load(world, "things")).rows, 2);
  const moved = ends({ a: 3, b: 3 }).map((one) => ({ ...one, clusterId: "d", topicId: "" }));
  await world.plan(moved, ["3,z"]);
  assert.match(
    await failure(load(world, "things")),
    /topic "a" now belongs to cluster d, .* — SELECT kafka\.seek\('things', 'earliest'\) accepts/,
  );
  assert.match(
    await failure(sql`SELECT kafka.seek('things', 'a:earliest')`),
    /cannot seek in some topics .* — SELECT kafka\.seek\('things', 'earliest'\)/,
  );
  await sql`SELECT kafka.seek('things', 'earliest')`;
  assert.equal((await load(world, "things")).records, 6);
});

Deno.test("topics: a planner that answers for other topics, or not for all, is rejected", async () => {
  await using world = await startScripted();
  const { sql } = world;
  await addTopics(world, null);
  await world.plan(ends({ a: 1, c: 1 }), ["1,x"]);
  assert.match(
    await failure(load(world, "things")),
    /answered for topic "c" partition 0 \(0 to 1\), not for one of topics "a", "b"/,
  );
  await world.plan(ends({ b: 1 }), ["1,x"]);
  assert.match(await failure(load(world, "things")), /did not answer for topic "a"/);
  await world.plan([...ends({ a: 1, b: 1 }), { topic: "b", partition: 2, end: 0 }], ["1,x"]);
  assert.match(
    await failure(load(world, "things")),
    /topic "b" partition 2 .* not for topic "b" partition 1/,
  );
  const add = (topics: string) =>
    failure(sql.unsafe(
      `SELECT kafka.add_source('x', ${topics})`.replace(
        "$",
        "'things', 'true #', 'true # --log-identity', 'g'",
      ),
    ));
  assert.match(
    await add("NULL, $, topics := ARRAY['a', 'b c']"),
    /"b c" cannot be the name of a topic/,
  );
  assert.match(await add("NULL, $"), /violates check constraint/);
  assert.match(await add("'a', $, topic_pattern := '.'"), /violates check constraint/);
  assert.match(
    await failure(addTopics(world, shapeOf("id integer, name text"))),
    /it has several topics, and its reader does not print which one a record is of/,
  );
  // One topic in a list is one topic.
  assert.equal(await add("NULL, $, topics := ARRAY['a']"), "no error");
  assert.equal((await sql`SELECT topic FROM kafka.source WHERE name = 'x'`)[0].topic, "a");
});
