import assert from "node:assert/strict";
import { Failure } from "../../lib/failure.ts";
import type { Loaded } from "../../lib/load/database.ts";
import { databaseProblem } from "../../lib/load/errors.ts";
import { LoadLoop, type LoopEvents } from "../../lib/load/loop.ts";
import { inWords, LogReport, ScreenReport } from "../../lib/load/report.ts";

const permissions = "none";

const load: Loaded = {
  rows: 1234,
  rejected: 0,
  records: 1300,
  lag: 0,
  lost: 0,
  reason: "end",
  seconds: 0.5,
  loadNo: 7,
};
const lost = Object.assign(new Error("write CONNECTION_CLOSED"), { code: "CONNECTION_CLOSED" });
const unknown = Object.assign(new Error('there is no source "x"'), { code: "42704" });

/** Runs a loop over these outcomes, one after the other; then it is stopped. */
async function runLoop(every: number | null, outcomes: (Loaded | Error)[], patience = 5000) {
  const told: string[] = [];
  const events: LoopEvents = {
    loaded: ({ reason }) => told.push(reason),
    failed: (message) => told.push(message),
    waiting: () => told.push("waiting"),
  };
  const start = () => {
    const outcome = outcomes.shift();
    if (outcomes.length === 0 && every !== null) loop.stop();
    const done = outcome instanceof Error ? Promise.reject(outcome) : Promise.resolve(outcome!);
    return { done, cancel() {} };
  };
  const loop = new LoadLoop({ every, patience, start }, [events]);
  await loop.run();
  return told;
}

Deno.test({ name: "once: loads until there is nothing more", permissions }, async () => {
  const more: Loaded = { ...load, reason: "max_records" };
  assert.deepEqual(await runLoop(null, [more, more, load, load]), [
    "max_records",
    "max_records",
    "end",
  ]);
});

Deno.test({ name: "once: tries again what may pass, for a while", permissions }, async () => {
  const told = await runLoop(null, [lost, load]);
  assert.match(told[0], /the database can't be reached: write CONNECTION_CLOSED/);
  assert.deepEqual(told.slice(1), ["end"]);
  const failing = runLoop(null, Array(9).fill(lost), 300);
  await assert.rejects(failing, (e) => e instanceof Failure && e.kind === "broker");
  await assert.rejects(runLoop(null, [unknown]), (e) => e instanceof Failure && e.kind === "usage");
});

Deno.test({ name: "every: goes on after errors, if it ever worked", permissions }, async () => {
  await assert.rejects(runLoop(10, [unknown, load]), Failure);
  const told = await runLoop(10, [load, unknown, load, load]);
  assert.deepEqual(told.map((line) => line.replace(/ .*/, "")), [
    "end",
    "waiting",
    "there",
    "end",
    "waiting",
    "end",
    "waiting",
  ]);
});

Deno.test({ name: "what the database says becomes a kind, and a line", permissions }, () => {
  const problem = (code: string, message = "m", more = {}) =>
    databaseProblem(Object.assign(new Error(message), { code, ...more }));
  const cases: [string, string, boolean][] = [
    ["57P01", "broker", true],
    ["57014", "incomplete", true],
    ["40001", "incomplete", true],
    ["23505", "incomplete", true],
    ["23502", "record", false],
    ["22P02", "record", false],
    ["42501", "denied", false],
    ["42883", "usage", false],
    ["28P01", "denied", false],
    ["3D000", "usage", false],
    ["XX000", "broker", true],
    ["ECONNREFUSED", "broker", true],
  ];
  for (const [code, kind, passing] of cases) {
    const found = problem(code);
    assert.deepEqual([found.kind, found.passing], [kind, passing], code);
  }
  const failed = 'external table x command ended with error. kafka_consumer: topic "t" …';
  assert.deepEqual(problem("38000", failed).kind, "broker");
  const bad = problem("38000", "failed: child process exited with exit code 65: a record");
  assert.deepEqual([bad.kind, bad.passing], ["record", false]);
  assert.match(problem("42704", "no source", { hint: "See." }).message, /^no source; See\. \(SQL/);
});

Deno.test({ name: "a load in words; nothing is said of an empty one", permissions }, () => {
  assert.equal(inWords(load), "load 7: 1,234 rows in 0.50 s (2,468 rows/s), lag 0");
  const lines: string[] = [];
  const log = new LogReport("crimes", (line) => lines.push(line));
  log.loaded({ ...load, rows: 0, records: 0 });
  log.loaded({ ...load, rejected: 2 });
  log.failed("no broker", 5000);
  assert.deepEqual(lines, [
    "crimes: load 7: 1,234 rows, 2 rejected in 0.50 s (2,468 rows/s), lag 0",
    "crimes: no broker; trying again in 5 s",
  ]);
});

Deno.test({ name: "the screen draws over itself, and cuts long lines", permissions }, () => {
  const drawn: string[] = [];
  const screen = new ScreenReport("cri\x1b[2Jmes", (text) => drawn.push(text), () => 30);
  screen.loading();
  screen.loaded(load);
  screen.failed("x".repeat(100), 1000);
  assert.equal(drawn[0], "\x1b[Jcri [2Jmes: loading\n  0 rows loaded, 0 rows/s, lag\n");
  assert.ok(drawn[1].startsWith("\x1b[2A\r\x1b[J"));
  assert.ok(drawn[2].startsWith("\x1b[3A\r\x1b[J"));
  for (const line of drawn[2].split("\n").slice(1)) assert.ok(line.length <= 30);
});
