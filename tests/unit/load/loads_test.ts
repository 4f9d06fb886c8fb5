import assert from "node:assert/strict";
import { Failure } from "../../../lib/failure.ts";
import type { Loaded, RunningLoad } from "../../../lib/load/database.ts";
import { Loads } from "../../../lib/load/loads.ts";
import { SourcesScreen } from "../../../lib/load/screen.ts";
import { SourceStatus } from "../../../lib/load/status.ts";
import { Turns } from "../../../lib/load/turns.ts";

const permissions = "none";

const load: Loaded = {
  rows: 10,
  updated: 0,
  deleted: 0,
  filtered: 0,
  rejected: 0,
  rowsRead: 10,
  records: 10,
  lag: 0,
  lost: 0,
  reason: "end",
  seconds: 0.1,
  loadNo: 1,
};

/** As the database's client throws an answer of the database. */
function answer(code: string): Error {
  return Object.assign(new Error("m"), { name: "PostgresError", code });
}

const denied = () => answer("42501");
const unknown = () => answer("42704");
const passing = () => answer("57P03");

type Outcome = Loaded | Error | (() => Promise<Loaded>);

/** Loads with these outcomes of each source, one after the other; the last one stays. */
function makeLoads(
  every: number | null,
  outcomes: Record<string, Outcome[]>,
  { jobs = 10, patience = 300 } = {},
) {
  const sources = Object.keys(outcomes);
  const told: string[] = [];
  const turns = new Turns(Array.from({ length: jobs }, (_, i) => i));
  const state = { running: 0, most: 0, cancelled: 0 };
  const loads = new Loads({
    ...{ sources, every, patience },
    async start(source, signal): Promise<RunningLoad | null> {
      const turn = await turns.take(signal);
      if (turn === null) return null;
      state.most = Math.max(state.most, ++state.running);
      const list = outcomes[source];
      const outcome = list.length > 1 ? list.shift()! : list[0];
      const cancelling = Promise.withResolvers<never>();
      const work = async () => {
        await new Promise((resolve) => setTimeout(resolve, 2));
        if (typeof outcome === "function") {
          return await Promise.race([outcome(), cancelling.promise]);
        }
        if (outcome instanceof Error) throw outcome;
        return outcome;
      };
      const done = work().finally(() => {
        state.running--;
        turns.give(turn);
      });
      const cancel = () => {
        state.cancelled++;
        cancelling.reject(answer("57014"));
      };
      return { done, cancel };
    },
    ended: (source, { kind }) => told.push(`${source} ended: ${kind}`),
  }, (source) => [{
    loaded: () => told.push(`${source} loaded`),
    failed: () => told.push(`${source} failed`),
  }]);
  return { loads, told, state };
}

Deno.test({
  name: "several sources: one that fails does not stop the others; the most severe decides",
  permissions,
}, async () => {
  const { loads, told } = makeLoads(null, {
    down: [passing()],
    denied: [denied()],
    good: [{ ...load, reason: "max_records" }, load],
    recovers: [passing(), load],
  });
  await assert.rejects(loads.run(), (error) => {
    assert.ok(error instanceof Failure);
    assert.equal(error.kind, "denied");
    assert.match(error.message, /^cannot load 2 of 4 sources: "denied", "down" — see the line/);
    return true;
  });
  assert.deepEqual(told.filter((line) => line === "good loaded").length, 2);
  assert.deepEqual(told.filter((line) => line.startsWith("recovers")), [
    "recovers failed",
    "recovers loaded",
  ]);
  assert.deepEqual(told.filter((line) => line.includes("ended")), [
    "denied ended: denied",
    "down ended: broker",
  ]);
});

Deno.test({ name: "several sources: at most N load at the same time", permissions }, async () => {
  const sources = Object.fromEntries(
    Array.from({ length: 9 }, (_, i) => [`s${i}`, [{ ...load, reason: "max_records" }, load]]),
  ) as Record<string, Loaded[]>;
  const { loads, told, state } = makeLoads(null, sources, { jobs: 3 });
  await loads.run();
  assert.equal(state.most, 3);
  assert.equal(told.length, 18);
});

Deno.test({
  name: "several sources: time that a load waits for its turn is not its time to fail",
  permissions,
}, async () => {
  const slow = () => new Promise<Loaded>((resolve) => setTimeout(() => resolve(load), 400));
  const { loads, told } = makeLoads(null, {
    recovers: [passing(), load],
    slow: [slow],
  }, { jobs: 1, patience: 300 });
  await loads.run();
  assert.deepEqual(told, ["recovers failed", "slow loaded", "recovers loaded"]);
});

Deno.test({
  name: "several sources, every: one that cannot succeed is tried again while others work",
  permissions,
}, async () => {
  const { loads, told } = makeLoads(20, { good: [load], gone: [unknown()] });
  const running = loads.run();
  await new Promise((resolve) => setTimeout(resolve, 400));
  assert.ok(told.filter((line) => line === "gone failed").length >= 1, told.join());
  assert.ok(!told.some((line) => line.includes("ended")));
  const before = told.length;
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.ok(told.slice(before).includes("good loaded"));
  loads.stop();
  await running;
});

Deno.test({
  name: "several sources, every: if none has ever loaded and none can, the run ends",
  permissions,
}, async () => {
  const { loads } = makeLoads(20, { a: [denied()], b: [unknown()] });
  await assert.rejects(loads.run(), (e) => e instanceof Failure && e.kind === "usage");
});

Deno.test({
  name: "several sources: stopped while they wait for a turn they end at once; cancel ends loads",
  permissions,
}, async () => {
  const never = () => new Promise<Loaded>(() => {});
  const { loads, state } = makeLoads(1000, { a: [never], b: [never], c: [never] }, { jobs: 2 });
  const running = loads.run();
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(loads.loading, true);
  loads.stop();
  loads.cancel();
  await running;
  assert.deepEqual([state.cancelled, state.running, loads.loading], [2, 0, false]);
});

Deno.test(
  { name: "several sources: a mistake of this program ends all", permissions },
  async () => {
    const mistake = new TypeError("x is undefined");
    const { loads } = makeLoads(20, { good: [load], bad: [mistake] });
    await assert.rejects(loads.run(), (error) => error === mistake);
  },
);

Deno.test(
  { name: "turns: who asks first gets the next; an aborted wait gets none", permissions },
  async () => {
    const turns = new Turns(["x"]);
    const stop = new AbortController();
    const never = new AbortController().signal;
    assert.equal(await turns.take(never), "x");
    const got: string[] = [];
    const first = turns.take(stop.signal).then((item) => got.push(`first ${item}`));
    const second = turns.take(never).then((item) => got.push(`second ${item}`));
    stop.abort();
    await first;
    turns.give("x");
    await second;
    assert.deepEqual(got, ["first null", "second x"]);
    assert.equal(await turns.take(stop.signal), null);
    turns.give("x");
    assert.equal(await turns.take(never), "x");
  },
);

Deno.test({
  name: "the screen of many sources fits the terminal; failing ones come first",
  permissions,
}, () => {
  const sources = Array.from({ length: 30 }, (_, i) => new SourceStatus(`source${i}`));
  sources[20].failed("no \x1b[2Jtable — make it");
  sources[7].loaded({ ...load, lag: 1234 });
  const drawn: string[] = [];
  const screen = new SourcesScreen(sources, (text) => drawn.push(text), () => ({
    columns: 60,
    rows: 10,
  }));
  screen.draw();
  screen.say("stopping");
  const lines = drawn[1].split("\n");
  assert.ok(lines.length <= 10, drawn[1]);
  assert.ok(lines[0].startsWith("\x1b[9A\r\x1b[J30 sources: 10 rows loaded, "), lines[0]);
  assert.match(lines[0], /\d+ rows\/s, lag 1,234$/);
  assert.match(lines[1], /^ {2}source20 +0 rows, lag -, failed: no {2}\[2Jtable/);
  assert.match(lines[2], /^ {2}source7 +10 rows, lag 1,234/);
  assert.deepEqual(lines.slice(-3), ["  and 24 more", "stopping", ""]);
});
