import assert from "node:assert/strict";
import { behind } from "../../../lib/admin/behind.ts";
import { moveNote, planMoves, type Target, targetOffset } from "../../../lib/admin/moves.ts";

const none = { permissions: "none" } as const;
const partition = { topic: "t", partition: 3 };
/** Readable up to 90; an open transaction has written up to 100. */
const log = { start: 10, stable: 90, high: 100, leaderEpoch: -1 };

Deno.test("reset: which offset a target means", none, () => {
  const cases: [Target, number | null, number, number][] = [
    [{ at: "earliest" }, 50, -1, 10],
    [{ at: "latest" }, 50, -1, 90],
    [{ at: "offset", offset: 7 }, null, -1, 7],
    [{ at: "shift", by: 5 }, 50, -1, 55],
    [{ at: "shift", by: -60 }, 50, -1, -10],
    [{ at: "time", time: 1 }, null, 42, 42],
    [{ at: "time", time: 1 }, null, 95, 90],
    [{ at: "time", time: 1 }, null, -1, 90],
  ];
  for (const [target, old, atTime, offset] of cases) {
    assert.equal(targetOffset(target, partition, old, log, atTime), offset);
  }
});

Deno.test("reset: a shift needs a stored offset", none, () => {
  assert.throws(
    () => targetOffset({ at: "shift", by: -1 }, partition, null, log, -1),
    /^Failure: cannot move topic "t" partition 3 back: the group has no stored offset for it — use --to/,
  );
});

Deno.test("moves: an offset outside the log is rejected, or clamped", none, () => {
  const wanted = [9, 10, 100, 101].map((offset) => ({ ...partition, old: 50, offset }));
  const logs = wanted.map(() => log);
  assert.throws(
    () => planMoves(wanted, logs, false),
    new RegExp(
      '^Failure: cannot store offset 9 of topic "t" partition 3, whose log is 10 to 100 ' +
        "\\(and 1 more\\) — use --clamp to store the nearest offset in the log$",
    ),
  );
  const moves = planMoves(wanted, logs, true);
  assert.deepEqual(moves.map(({ offset }) => offset), [10, 10, 100, 100]);
  assert.deepEqual(moves.map(({ clampedFrom }) => clampedFrom), [9, null, null, 101]);
  assert.deepEqual(planMoves(wanted.slice(1, 3), logs, false), moves.slice(1, 3));
});

Deno.test("moves: what they mean for the next reader", none, () => {
  const note = (old: number | null, offset: number, clampedFrom: number | null = null) =>
    moveNote({ ...partition, old, offset, clampedFrom });
  assert.equal(note(null, 5), "nothing was stored");
  assert.equal(note(7, 5), "2 to be read again");
  assert.equal(note(5, 7), "2 skipped");
  assert.equal(note(5, 5), "as it is");
  assert.equal(note(7, 5, 3), "2 to be read again; 3 is outside the log");
});

Deno.test("behind: what is left to read, and what is gone", none, () => {
  assert.deepEqual(behind(50, log), { lag: 40, lost: 0, note: "" });
  assert.deepEqual(behind(95, log), { lag: 0, lost: 0, note: "" });
  assert.deepEqual(behind(null, log), { lag: 80, lost: 0, note: "nothing stored" });
  assert.deepEqual(behind(4, log), { lag: 80, lost: 6, note: "6 deleted unread" });
  assert.deepEqual(behind(101, log), {
    lag: 80,
    lost: 0,
    note: "past the end of the log: was the topic recreated?",
  });
  // The log is not what it was when the offset was stored.
  const other = { other: "the topic was recreated", shared: Infinity };
  assert.deepEqual(behind(50, log, other), { lag: 80, lost: 0, note: "the topic was recreated" });
  const cut = (shared: number) => behind(50, log, { other: null, shared });
  assert.deepEqual(cut(50), { lag: 40, lost: 0, note: "" });
  assert.deepEqual(cut(30), { lag: 60, lost: 0, note: "the log was truncated at offset 30" });
  assert.deepEqual(cut(3), { lag: 80, lost: 0, note: "the log was truncated at offset 3" });
});
