import assert from "node:assert/strict";
import { type LagPoint, type LagSample, reportLag } from "../../../lib/admin/lag.ts";
import { duration, lagJson, lagLines, lagTable, sparkline } from "../../../lib/admin/lag_text.ts";
import { table } from "../../../lib/admin/table.ts";

const none = { permissions: "none" } as const;

function point(
  partition: number,
  stored: number | null,
  end: number,
  database: number | null = null,
) {
  const log = { start: 0, stable: end, high: end, leaderEpoch: -1 };
  const place = database === null ? null : { offset: database, lag: end - database, lost: 0 };
  return { topic: "t", partition, stored, database: place, log } as LagPoint;
}

function sample(seconds: number, ...points: LagPoint[]): LagSample {
  return { time: seconds * 1000, points };
}

Deno.test("lag: one sample gives no speeds", none, () => {
  const report = reportLag([sample(0, point(0, 5, 8), point(1, 4, 4))], false);
  assert.deepEqual(report.partitions.map(({ lag }) => lag), [3, 0]);
  assert.deepEqual([report.lag, report.databaseLag], [3, null]);
  assert.deepEqual([report.in, report.out, report.catchUp], [null, null, null]);
});

Deno.test(
  "lag: speeds and the time to catch up, between the first and the last sample",
  none,
  () => {
    const samples = [
      sample(0, point(0, 0, 100), point(1, 0, 100), point(2, 50, 50)),
      sample(1, point(0, 0, 110), point(1, 0, 100), point(2, 50, 50)), // it commits now and then
      sample(10, point(0, 60, 120), point(1, 10, 120), point(2, 50, 50)),
    ];
    const report = reportLag(samples, false);
    const speeds = report.partitions.map((p) => [p.in, p.out, p.catchUp]);
    assert.deepEqual(speeds, [[2, 6, 15], [2, 1, Infinity], [0, 0, 0]]);
    assert.deepEqual([report.lag, report.in, report.out, report.catchUp], [170, 4, 7, 170 / 3]);
  },
);

Deno.test("lag: a group that went back has no speed; a new partition has none yet", none, () => {
  const report = reportLag([
    sample(0, point(0, 50, 100), point(1, null, 10)),
    sample(5, point(0, 10, 100), point(1, 10, 20), point(2, null, 7)),
  ], false);
  assert.deepEqual(report.partitions.map(({ out }) => out), [null, 2, null]);
  assert.deepEqual(report.partitions.map(({ lag }) => lag), [90, 10, 7]);
  assert.equal(report.partitions[2].in, null);
});

Deno.test("lag: with a database its offsets count, and Kafka's are shown beside them", none, () => {
  const report = reportLag([
    sample(0, point(0, 0, 100, 20)),
    sample(10, point(0, 20, 100, 40)),
  ], true);
  assert.deepEqual([report.lag, report.databaseLag], [80, 60]);
  assert.deepEqual([report.out, report.catchUp], [2, 30]);
  const json = JSON.parse(lagJson("g", "s", report));
  assert.deepEqual(json, {
    time: "1970-01-01T00:00:10.000Z",
    group: "g",
    source: "s",
    partitions: [{
      topic: "t",
      partition: 0,
      stored: 20,
      start: 0,
      end: 100,
      lag: 80,
      database: 40,
      databaseLag: 60,
      inPerSecond: 0,
      outPerSecond: 2,
      catchUpSeconds: 30,
    }],
    total: { lag: 80, databaseLag: 60, inPerSecond: 0, outPerSecond: 2, catchUpSeconds: 30 },
  });
});

Deno.test(
  "lag: the table, with totals, and those furthest behind where it must be short",
  none,
  () => {
    const points = [point(0, 5, 8), point(1, null, 2), point(2, 7, 7), point(3, 0, 90)];
    const report = reportLag([sample(0, ...points)], false);
    const layout = { speeds: false, database: false };
    assert.equal(
      lagTable(report, layout),
      [
        "TOPIC  PARTITION  STORED  END  LAG",
        "t              0       5    8    3",
        "t              1       -    2    2  nothing stored",
        "t              2       7    7    0",
        "t              3       0   90   90",
        "total                           95",
        "",
      ].join("\n"),
    );
    assert.deepEqual(lagTable(report, layout, 2).split("\n").slice(1, -1), [
      "t              0       5    8    3",
      "t              3       0   90   90",
      "total         +2                95  2 partitions not shown",
    ]);
    const full = { speeds: true, database: true };
    const wide = reportLag([sample(0, point(0, 0, 9, 3)), sample(4, point(0, 3, 10, 8))], true);
    assert.equal(
      lagTable(wide, full),
      "TOPIC  PARTITION  STORED  END  LAG  DATABASE  DB LAG  IN/S  OUT/S  CATCH-UP\n" +
        "t              0       3   10    7         8       2   0.3    1.3  2s\n" +
        "total                            7                 2   0.3    1.3  2s\n",
    );
  },
);

Deno.test("lag: columns of log lines are aligned, whatever the numbers", none, () => {
  const layout = { speeds: false, database: false };
  const lines = (end: number) =>
    lagLines(reportLag([sample(0, point(0, 5, end))], false), layout, end === 8).split("\n");
  const [header, small] = lines(8);
  const [large] = lines(1e9);
  assert.equal(small.length, large.length);
  assert.equal(header.indexOf("LAG") + 3, small.length);
  assert.match(large, /^1970-01-01T00:00:00\.000Z {2}t +0 +5 {2}1000000000 {3}999999995$/);
});

Deno.test("lag: durations of two units, graphs of eight heights", none, () => {
  const texts = [null, Infinity, 0, 0.2, 45, 60, 750, 3600, 11_100, 86_399, 86_400, 352_800];
  assert.deepEqual(texts.map(duration), [
    ...["-", "never", "0s", "1s", "45s", "1m", "12m 30s", "1h", "3h 5m", "23h 59m", "1d", "4d 2h"],
  ]);
  assert.equal(sparkline([0, 0], 80), "▁▁");
  assert.equal(sparkline([0, 1, 50, 100], 80), "▁▂▅█");
  assert.equal(sparkline([9, 1, 2], 2), "▅█");
});

Deno.test("table: text of others can't move the cursor, or make lines", none, () => {
  assert.equal(table(["A", "B"], [["x\x1b[2J\n\x9b", 1]]), "A        B\nx [2J    1\n");
});
