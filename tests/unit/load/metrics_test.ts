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
  const metrics = new LoadMetrics("crimes", 5000);
  const get = (path: string, method = "GET") =>
    metrics.answer(new Request(`http://127.0.0.1${path}`, { method }));
  assert.equal((await get("/healthz")).status, 200);
  metrics.loaded(load);
  metrics.loaded(load);
  const text = await (await get("/metrics")).text();
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
  metrics.failed();
  const after = Date.now();
  await new Promise((resolve) => setTimeout(resolve, 5));
  metrics.failed();
  const sick = await get("/healthz");
  const [, since] = /^the last load failed; loads have failed since (\S+); see the log\n$/
    .exec(await sick.text())!;
  assert.equal(sick.status, 503);
  // Of the first one that failed.
  assert.ok(Date.parse(since) >= before && Date.parse(since) <= after, since);
  metrics.loaded(load);
  assert.equal((await get("/healthz")).status, 200);
  assert.equal((await get("/")).status, 404);
  assert.equal((await get("/metrics", "POST")).status, 405);
});

Deno.test("metrics: a number that is not a count ends nothing, and counts nothing", async () => {
  const metrics = new LoadMetrics("crimes", 5000);
  metrics.loaded({
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
  const answer = await metrics.answer(new Request("http://127.0.0.1/metrics"));
  const text = await answer.text();
  for (const name of ["rows_total", "rejected_rows_total", "records_total", "lag_records"]) {
    assert.ok(text.includes(`gpdb_kafka_${name}{source="crimes"} 0\n`), name);
  }
  assert.ok(text.includes('gpdb_kafka_loads_total{source="crimes"} 1\n'));
});

Deno.test("the documents list all metrics, and no others", async () => {
  const answer = await new LoadMetrics("crimes", 0).answer(new Request("http://x/metrics"));
  const served = (await answer.text()).matchAll(/^# TYPE (\w+)/gm);
  const path = new URL("../../../docs/exactly-once.md", import.meta.url);
  const listed = (await Deno.readTextFile(path)).matchAll(/^\| `(gpdb_kafka_\w+)`/gm);
  const names = (found: Iterable<RegExpMatchArray>) => [...found].map(([, name]) => name).sort();
  assert.deepEqual(names(listed), names(served));
});
