import assert from "node:assert/strict";
import { LoadMetrics } from "../../../lib/load/metrics.ts";

const load = {
  rows: 10,
  updated: 4,
  deleted: 2,
  filtered: 3,
  rejected: 1,
  rowsRead: 20,
  records: 22,
  lag: 5,
  lost: 3,
  reason: "end" as const,
  seconds: 0.3,
  loadNo: 1,
};

Deno.test("metrics count loads, rows and errors; health follows the last load", async () => {
  const metrics = new LoadMetrics(5000);
  const crimes = metrics.of("crimes");
  assert.equal(metrics.health().status, 200);
  crimes.loaded!(load);
  crimes.loaded!(load);
  const text = await (await metrics.metrics()).text();
  for (
    const line of [
      'gpdb_kafka_rows_total{source="crimes"} 20',
      'gpdb_kafka_updated_rows_total{source="crimes"} 8',
      'gpdb_kafka_deleted_rows_total{source="crimes"} 4',
      'gpdb_kafka_filtered_rows_total{source="crimes"} 6',
      'gpdb_kafka_rejected_rows_total{source="crimes"} 2',
      'gpdb_kafka_offsets_without_row_total{source="crimes"} 4',
      'gpdb_kafka_lost_offsets_total{source="crimes"} 6',
      'gpdb_kafka_loads_total{source="crimes"} 2',
      'gpdb_kafka_load_errors_total{source="crimes"} 0',
      'gpdb_kafka_lag_records{source="crimes"} 5',
      'gpdb_kafka_up{source="crimes"} 1',
      'gpdb_kafka_load_seconds_count{source="crimes"} 2',
    ]
  ) assert.ok(text.includes(line), `${line} in ${text}`);
  const before = Date.now();
  crimes.failed!("x", 1);
  const after = Date.now();
  await new Promise((resolve) => setTimeout(resolve, 5));
  // What other shares of it have loaded counts, but it has not succeeded.
  crimes.loaded!({ ...load, partly: true });
  crimes.failed!("x", 1);
  const part = await (await metrics.metrics()).text();
  for (const line of ['rows_total{source="crimes"} 30', 'loads_total{source="crimes"} 2']) {
    assert.ok(part.includes(`gpdb_kafka_${line}\n`), `${line} in ${part}`);
  }
  const sick = metrics.health();
  const [, since] = /^the last load failed; loads have failed since (\S+); see the log\n$/
    .exec(await sick.text())!;
  assert.equal(sick.status, 503);
  // Of the first one that failed.
  assert.ok(Date.parse(since) >= before && Date.parse(since) <= after, since);
  crimes.loaded!(load);
  assert.equal(metrics.health().status, 200);
});

Deno.test("metrics: a label for each topic; names that are alike without their signs stay apart", async () => {
  const metrics = new LoadMetrics(5000);
  const orders = metrics.of("orders");
  const topics = ["a.b", "a_b", "a-b"].map((topic, i) => ({ topic, records: 10 + i, lag: i }));
  orders.loaded!({ ...load, topics });
  orders.loaded!({ ...load, topics: topics.slice(0, 2) });
  const text = await (await metrics.metrics()).text();
  const lines = text.split("\n").filter((line) => /^gpdb_kafka_topic/.test(line)).sort();
  assert.deepEqual(lines, [
    // One that is not loaded any more has no lag.
    'gpdb_kafka_topic_lag_records{source="orders",topic="a.b"} 0',
    'gpdb_kafka_topic_lag_records{source="orders",topic="a_b"} 1',
    'gpdb_kafka_topic_records_total{source="orders",topic="a-b"} 12',
    'gpdb_kafka_topic_records_total{source="orders",topic="a.b"} 20',
    'gpdb_kafka_topic_records_total{source="orders",topic="a_b"} 22',
  ]);
});

Deno.test("metrics: each source has its own, from the start; health is that of all", async () => {
  const metrics = new LoadMetrics(5000);
  const [orders, odd] = [metrics.of("orders"), metrics.of('a "b"\\c')];
  orders.loaded!(load);
  odd.failed!("secret", 1);
  const text = await (await metrics.metrics()).text();
  for (
    const line of [
      'gpdb_kafka_rows_total{source="orders"} 10',
      'gpdb_kafka_rows_total{source="a \\"b\\"\\\\c"} 0',
      'gpdb_kafka_up{source="orders"} 1',
      'gpdb_kafka_up{source="a \\"b\\"\\\\c"} 0',
      'gpdb_kafka_load_errors_total{source="orders"} 0',
      'gpdb_kafka_load_errors_total{source="a \\"b\\"\\\\c"} 1',
      'gpdb_kafka_load_seconds_count{source="a \\"b\\"\\\\c"} 0',
    ]
  ) assert.ok(text.includes(`${line}\n`), `${line} in ${text}`);
  const sick = metrics.health();
  assert.equal(sick.status, 503);
  assert.match(await sick.text(), /^1 of 2 sources; of the first: the last load failed; /);
});

Deno.test("metrics: a number that is not a count ends nothing, and counts nothing", async () => {
  const metrics = new LoadMetrics(5000);
  metrics.of("crimes").loaded!({
    ...load,
    rejected: -2654,
    rows: NaN,
    updated: NaN,
    deleted: -1,
    filtered: NaN,
    rowsRead: NaN,
    records: Infinity,
    lag: NaN,
    seconds: NaN,
  });
  const text = await (await metrics.metrics()).text();
  for (const name of ["rows_total", "rejected_rows_total", "records_total", "lag_records"]) {
    assert.ok(text.includes(`gpdb_kafka_${name}{source="crimes"} 0\n`), name);
  }
  assert.ok(text.includes('gpdb_kafka_loads_total{source="crimes"} 1\n'));
});

Deno.test("the documents list all metrics, and no others", async () => {
  const metrics = new LoadMetrics(0);
  metrics.of("crimes");
  const served = (await (await metrics.metrics()).text()).matchAll(/^# TYPE (\w+)/gm);
  const path = new URL("../../../docs/monitoring.md", import.meta.url);
  const listed = (await Deno.readTextFile(path)).matchAll(/^\| `(gpdb_kafka_\w+)`/gm);
  const names = (found: Iterable<RegExpMatchArray>) => [...found].map(([, name]) => name).sort();
  assert.deepEqual(names(listed), names(served));
});
