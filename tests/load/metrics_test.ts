import assert from "node:assert/strict";
import { LoadMetrics } from "../../lib/load/metrics.ts";

const load = {
  rows: 10,
  rejected: 1,
  records: 12,
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
      'gpdb_kafka_rejected_rows_total{source="crimes"} 2',
      'gpdb_kafka_offsets_without_row_total{source="crimes"} 2',
      'gpdb_kafka_lost_offsets_total{source="crimes"} 6',
      'gpdb_kafka_loads_total{source="crimes"} 2',
      'gpdb_kafka_load_errors_total{source="crimes"} 0',
      'gpdb_kafka_lag_records{source="crimes"} 5',
      'gpdb_kafka_up{source="crimes"} 1',
      'gpdb_kafka_load_seconds_count{source="crimes"} 2',
    ]
  ) assert.ok(text.includes(line), `${line} in ${text}`);
  metrics.failed("no broker");
  const sick = await get("/healthz");
  assert.deepEqual([sick.status, await sick.text()], [503, "no broker\n"]);
  metrics.loaded(load);
  assert.equal((await get("/healthz")).status, 200);
  assert.equal((await get("/")).status, 404);
  assert.equal((await get("/metrics", "POST")).status, 405);
});
