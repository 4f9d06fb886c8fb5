/** Which offsets a log has, and which not: at each border, and one more or less. */
import assert from "node:assert/strict";
import { resume } from "../../../lib/consume/lost.ts";
import { consumeRun, rows, stored } from "../../support/consume_run.ts";
import { scriptedBroker } from "../../support/scripted_broker/mod.ts";

const permissions = { net: ["127.0.0.1"], read: true };
const partition = { topic: "t", partition: 3 };
const log = { ...partition, start: 10, stable: 20, high: 30, leaderEpoch: 1 };

/** Where reading goes on from this offset, and how many are skipped; null if the log has it. */
function goesOn(
  offset: number,
  onLost: "earliest" | "latest",
  { shared = Infinity, change = null as string | null } = {},
): [number, number] | null {
  const isolation = "read_committed";
  const found = resume(partition, { offset, shared, change }, log, { onLost, isolation });
  return found && [found.offset, found.skipped];
}

Deno.test("boundaries: a log has the offsets from its start to its high watermark", {
  permissions: "none",
}, () => {
  for (const offset of [10, 11, 20, 29, 30]) assert.equal(goesOn(offset, "earliest"), null);
  assert.deepEqual(goesOn(9, "earliest"), [10, 1]);
  assert.deepEqual(goesOn(9, "latest"), [20, 11]);
  assert.deepEqual(goesOn(31, "earliest"), [10, 0]);
  assert.deepEqual(goesOn(31, "latest"), [20, 10]);
});

Deno.test("boundaries: up to where two logs are the same an offset is kept, and not past it", {
  permissions: "none",
}, () => {
  assert.equal(goesOn(15, "earliest", { shared: 15 }), null);
  assert.deepEqual(goesOn(16, "earliest", { shared: 15 }), [15, 0]);
  assert.deepEqual(goesOn(16, "latest", { shared: 15 }), [20, 5]);
  assert.deepEqual(goesOn(16, "earliest", { shared: 5 }), [10, 0]);
  assert.deepEqual(goesOn(15, "earliest", { change: "another topic" }), [10, 0]);
});

Deno.test("boundaries: a lost offset is an error unless --on-lost says how to go on", {
  permissions: "none",
}, () => {
  const wanted = { offset: 31, change: null, shared: Infinity };
  const options = { onLost: "fail", isolation: "read_committed" } as const;
  assert.throws(() => resume(partition, wanted, log, options), {
    kind: "record",
    message: /^offset 31 of topic "t" partition 3 does not exist \(the log has 10 to 30\)/,
  });
  assert.equal(resume(partition, { ...wanted, offset: 30 }, log, options), null);
});

Deno.test("boundaries: a range is read to its end, or not at all", { permissions }, async () => {
  await using kafka = await scriptedBroker({ topics: { t: 1 } });
  kafka.log("t").append(rows(0, 5));
  const read = (from: number, to: number) =>
    consumeRun(kafka, { ranges: [{ partition: 0, from, to }], commit: false });
  assert.deepEqual((await read(2, 5)).rows, rows(2, 5));
  assert.deepEqual((await read(2, 4)).rows, rows(2, 4));
  assert.deepEqual((await read(5, 5)).rows, []);
  const { failure, rows: some } = await read(2, 6);
  assert.equal(failure?.kind, "incomplete");
  assert.match(failure.message, /can be read up to offset 5, not up to 6$/);
  assert.deepEqual([some, stored(kafka)], [[], {}]);
});
