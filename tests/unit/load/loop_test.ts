import assert from "node:assert/strict";
import { Failure } from "../../../lib/failure.ts";
import { type Loaded, PartlyLoaded } from "../../../lib/load/database.ts";
import { databaseProblem } from "../../../lib/load/errors.ts";
import { LoadLoop, type LoopEvents } from "../../../lib/load/loop.ts";
import { inWords, LogReport, ScreenReport } from "../../../lib/load/report.ts";

const permissions = "none";

const load: Loaded = {
  rows: 1234,
  updated: 0,
  deleted: 0,
  filtered: 0,
  rejected: 0,
  rowsRead: 1234,
  records: 1300,
  lag: 0,
  lost: 0,
  reason: "end",
  seconds: 0.5,
  loadNo: 7,
};
const lost = Object.assign(new Error("write CONNECTION_CLOSED"), { code: "CONNECTION_CLOSED" });

/** As the database's client throws an answer of the database. */
function answer(code: string, message = "m", more: Record<string, string> = {}): Error {
  return Object.assign(new Error(message), { name: "PostgresError", code, ...more });
}

const unknown = answer("42704", 'source "x" does not exist');

/** Runs a loop over these outcomes, one after the other; then it is stopped. */
async function runLoop(
  every: number | null,
  outcomes: (Loaded | Error)[],
  { patience = 5000, more = [] as LoopEvents[], broken = (_: unknown) => {} } = {},
) {
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
  const loop = new LoadLoop(
    { source: "crimes", every, patience, start, broken },
    [...more, events],
  );
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

Deno.test({ name: "once: retries what may pass, for a while", permissions }, async () => {
  const told = await runLoop(null, [lost, load]);
  assert.match(told[0], /the database cannot be reached: write CONNECTION_CLOSED/);
  assert.deepEqual(told.slice(1), ["end"]);
  const failing = runLoop(null, Array(9).fill(lost), { patience: 300 });
  await assert.rejects(failing, (e) => e instanceof Failure && e.kind === "broker");
  await assert.rejects(runLoop(null, [unknown]), (e) => e instanceof Failure && e.kind === "usage");
});

Deno.test(
  { name: "once: what other shares have loaded counts, though one has failed", permissions },
  async () => {
    const told = await runLoop(null, [new PartlyLoaded(load, lost), load]);
    assert.match(told.join("; "), /^end; the database cannot be reached: [^;]*; end$/);
    const unfit = new PartlyLoaded(load, unknown);
    await assert.rejects(
      runLoop(null, [unfit]),
      (e) => e instanceof Failure && e.kind === "usage" && /source "x" does not/.test(e.message),
    );
  },
);

Deno.test(
  { name: "every: continues after errors, if it has worked before", permissions },
  async () => {
    await assert.rejects(runLoop(10, [unknown, load]), Failure);
    const told = await runLoop(10, [load, unknown, load, load]);
    assert.deepEqual(told.map((line) => line.replace(/ .*/, "")), [
      "end",
      "waiting",
      "source",
      "end",
      "waiting",
      "end",
      "waiting",
    ]);
  },
);

Deno.test(
  { name: "an error of the database becomes a kind of failure, and a line", permissions },
  () => {
    const problem = (code: string, message = "m", more = {}) =>
      databaseProblem(answer(code, message, more))!;
    const cases: [string, string, boolean][] = [
      ["57P01", "broker", true],
      ["57014", "incomplete", true],
      ["40001", "incomplete", true],
      ["23505", "record", false],
      ["23502", "record", false],
      ["22P02", "record", false],
      ["42501", "denied", false],
      ["42883", "usage", false],
      ["28P01", "denied", false],
      ["3D000", "usage", false],
      ["XX000", "broker", true],
    ];
    for (const [code, kind, passing] of cases) {
      const found = problem(code);
      assert.deepEqual([found.kind, found.passing], [kind, passing], code);
    }
    const unsent = Object.assign(new Error("m"), { code: "57014" }); // never sent, as it waited
    assert.deepEqual(databaseProblem(unsent)!.kind, "incomplete");
    const failed = 'external table x command ended with error. kafka_consumer: topic "t" …';
    assert.deepEqual(problem("38000", failed).kind, "broker");
    const bad = problem("38000", "failed: child process exited with exit code 65: a record");
    assert.deepEqual([bad.kind, bad.passing], ["record", false]);
    assert.equal(
      problem("42704", "no source", { detail: "D.", hint: "See." }).message,
      "no source; D. (SQLSTATE 42704) — See",
    );
  },
);

Deno.test({
  name: "a lost connection is one that its client or a socket says is lost",
  permissions,
}, () => {
  const error = (code: unknown, more = {}) => Object.assign(new Error("m"), { code, ...more });
  const passing: Error[] = [
    lost,
    error("CONNECT_TIMEOUT"),
    error("ECONNREFUSED", { syscall: "connect" }),
    error("ENOTFOUND", { syscall: "getaddrinfo" }),
    error("EPIPE", {}), // as the runtime says that the other side has ended
  ];
  for (const one of passing) {
    const found = databaseProblem(one)!;
    assert.deepEqual([found.kind, found.passing], ["broker", true], String(one));
    assert.equal(found.message, `the database cannot be reached: ${one.message}`);
  }
  const untrusted = databaseProblem(error("SASL_SIGNATURE_MISMATCH"))!;
  assert.deepEqual([untrusted.kind, untrusted.passing], ["denied", false]);
  const ours: unknown[] = [
    new TypeError("x is undefined"),
    error("UNDEFINED_VALUE"),
    error("ERR_INVALID_ARG_TYPE"),
    error(5),
    "text",
    null,
  ];
  for (const one of ours) assert.equal(databaseProblem(one), null, String(one));
});

Deno.test({ name: "another error ends the loop as it is", permissions }, async () => {
  const mistake = new TypeError("x is undefined");
  for (const every of [null, 10]) {
    await assert.rejects(
      runLoop(every, [load, mistake].slice(every ? 0 : 1)),
      (e) => e === mistake,
    );
  }
});

Deno.test({ name: "a row that does not fit is named, and the source", permissions }, async () => {
  const where = 'COPY crimes, line 2, column id: "x"\nSQL statement "COPY …"\nPL/pgSQL function f';
  const error = answer("22P02", 'invalid input syntax for type integer: "x"', { where });
  await assert.rejects(runLoop(null, [error]), {
    message: 'cannot load source "crimes": invalid input syntax for type integer: "x" ' +
      '(SQLSTATE 22P02); in COPY crimes, line 2, column id: "x"',
  });
  const [, , told] = await runLoop(10, [load, error, load, load]);
  assert.match(told, /\(SQLSTATE 22P02\); in COPY crimes, line 2, column id: "x"$/);
  // A line of a function of ours is not one of a row.
  const raised = answer("22023", "no", { where: "PL/pgSQL function kafka.load(text) line 3" });
  await assert.rejects(runLoop(null, [raised]), {
    message: 'cannot load source "crimes": no (SQLSTATE 22023)',
  });
});

Deno.test(
  { name: "what a report throws changes nothing, and is told once", permissions },
  async () => {
    const told: unknown[] = [];
    const mistake = new Error("It is not possible to decrease a counter");
    const fails = () => {
      throw mistake;
    };
    const more = [{ loading: fails, loaded: fails, waiting: fails }];
    const seen = await runLoop(10, [load, load, load], { more, broken: (e) => told.push(e) });
    assert.deepEqual(seen, ["end", "waiting", "end", "waiting", "end", "waiting"]);
    assert.deepEqual(told, [mistake]);
  },
);

Deno.test({ name: "a load in words; nothing is said of an empty one", permissions }, () => {
  assert.equal(inWords(load), "load 7: 1,234 rows in 0.50 s (2,468 rows/s), lag 0");
  const lines: string[] = [];
  const log = new LogReport("crimes", (line) => lines.push(line));
  log.loaded({ ...load, rows: 0, records: 0 });
  log.loaded({ ...load, rejected: 2 });
  log.loaded({ ...load, updated: 1000, deleted: 3, filtered: 4 });
  log.failed("no broker", 5000);
  assert.deepEqual(lines, [
    "crimes: load 7: 1,234 rows, 2 rejected in 0.50 s (2,468 rows/s), lag 0",
    "crimes: load 7: 1,234 rows, 1,000 updated, 3 deleted, 4 filtered in 0.50 s (2,468 rows/s), lag 0",
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
