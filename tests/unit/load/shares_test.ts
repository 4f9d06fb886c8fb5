import assert from "node:assert/strict";
import { parseFlags } from "../../../lib/cli/flags.ts";
import { loadFlags, loadOptions } from "../../../lib/cli/flags/load.ts";
import type { Connection } from "../../../lib/load/connection.ts";
import type { Loaded } from "../../../lib/load/database.ts";
import type { TopicPlan } from "../../../lib/load/plan_topic.ts";
import { planParts, shareOut, sumLoaded, usefulShares } from "../../../lib/load/shares.ts";
import { Streams } from "../../../lib/load/streams.ts";

const permissions = "none";

/** A topic whose partitions start and end there. */
function topicPlan(topic: string, ...logs: [earliest: number, end: number][]): TopicPlan {
  const partitions = logs.map(([earliest, end], partition) => ({
    ...{ partition, earliest, end, at: null, leaderEpoch: null, epochEnd: null },
  }));
  return { topic, exists: true, identity: { clusterId: null, topicId: null }, partitions };
}

const at = (topic: string, partition: number, offset: number) => ({
  ...{ topic, partition, offset, leaderEpoch: -1, log: null },
});

Deno.test({ name: "shares: of each partition what a load is to read", permissions }, () => {
  const plans = [topicPlan("a", [0, 10], [5, 9], [0, 4]), topicPlan("b", [7, 7])];
  // Known, deleted unread, past the end, new.
  const stands = [at("a", 0, 4), at("a", 1, 2), at("a", 2, 6)];
  const sizes = (most: number | null) =>
    planParts(plans, stands, most).map(({ name, size }) => `${name} ${size}`);
  assert.deepEqual(sizes(null), ["a:0 6", "a:1 4", "a:2 0", "b:0 0"]);
  assert.deepEqual(sizes(5), ["a:0 5", "a:1 4", "a:2 0", "b:0 0"]);
});

Deno.test({
  name: "shares: as many as partitions with something new, and enough of it",
  permissions,
}, () => {
  const parts = (...sizes: number[]) => sizes.map((size, i) => ({ name: `${i}`, size }));
  const cases: [number[], number][] = [
    [[], 0],
    [[0, 999], 0],
    [[5000, 0, 0], 1],
    [[1999, 1], 2],
    [[1000, 500, 499], 1],
    [[10_000, 1, 1], 3],
  ];
  for (const [sizes, count] of cases) {
    assert.equal(usefulShares(parts(...sizes)), count, `${sizes}`);
  }
  const shares = shareOut(parts(5, 0, 9, 4, 3, 0), 2);
  assert.deepEqual(shares.map((names) => names.toSorted().join()), ["2,4", "0,1,3,5"]);
});

Deno.test({ name: "shares: their sum is what one load would say", permissions }, () => {
  const part = (records: number, more: Partial<Loaded>): Loaded => ({
    ...{ rows: records, updated: 0, deleted: 0, filtered: 0, rejected: 0, rowsRead: records },
    ...{ records, lag: 0, lost: 1, reason: "end", seconds: 1, loadNo: 1 },
    ...more,
  });
  const topics = (...lists: [number, number][]) =>
    lists.map(([records, lag], i) => ({ topic: `t${i}`, records, lag }));
  // 100 in all: each says what would be left if it were the only one.
  const sum = sumLoaded([
    part(50, { lag: 50, loadNo: 8, topics: topics([50, 10], [0, 40]) }),
    part(20, { lag: 80, loadNo: 9, topics: topics([5, 55], [15, 25]), reason: "max_records" }),
    part(10, { lag: 90, loadNo: 7, topics: topics([0, 60], [10, 30]), seconds: 3 }),
  ]);
  assert.deepEqual(sum, {
    ...{ rows: 80, updated: 0, deleted: 0, filtered: 0, rejected: 0, rowsRead: 80, records: 80 },
    ...{ lag: 20, lost: 3, reason: "max_records", seconds: 3, loadNo: 9 },
    topics: topics([55, 5], [25, 15]),
  });
});

Deno.test({
  name: "streams: what is left over is shared out, and connections are used again",
  permissions,
}, async () => {
  let opened = 0;
  let closed = 0;
  const streams = new Streams(3, () => {
    opened++;
    return { close: () => Promise.resolve(closed++) } as unknown as Connection;
  });
  assert.equal(streams.take(0).length, 0);
  assert.equal(streams.take(1).length, 0);
  const a = streams.take(2);
  const b = streams.take(9);
  assert.deepEqual([a.length, b.length, streams.take(2).length], [2, 3, 0]);
  streams.give(a);
  const c = streams.take(9);
  assert.deepEqual(new Set(c), new Set(a));
  streams.give(b);
  streams.give(c);
  assert.equal(streams.take(9).length, 4);
  assert.equal(opened, 5);
  await streams.close();
  assert.equal(closed, 5);
});

Deno.test({
  name: "jobs: each source has one, and what is left over is for shares",
  permissions,
}, () => {
  const cases: [jobs: string | null, sources: number, atOnce: number, left: number][] = [
    [null, 1, 1, 0],
    [null, 2, 2, 0],
    [null, 9, 4, 0],
    ["1", 1, 1, 0],
    ["4", 1, 1, 3],
    ["10", 7, 7, 3],
    ["3", 7, 3, 0],
  ];
  for (const [jobs, sources, atOnce, left] of cases) {
    const flags = ["--all", "--dsn", "postgres://h/d", ...(jobs === null ? [] : ["--jobs", jobs])];
    const options = loadOptions(parseFlags(loadFlags, flags), () => undefined);
    assert.deepEqual(options.jobs(sources), { atOnce, left }, `${jobs} jobs, ${sources} sources`);
  }
});
