import assert from "node:assert/strict";
import KAFKAJS from "kafkajs/src/protocol/error.js";
import { errorName, isDenied, isRetriable } from "../../../lib/protocol/error_codes.ts";

const none = { permissions: "none" } as const;

/** kafkajs' table, made from Kafka's own. */
const foreign: { type: string; code: number; retriable: boolean }[] = KAFKAJS.errorCodes;

/** Renamed in Kafka since. */
const renamed: Record<string, string> = {
  UNKNOWN: "UNKNOWN_SERVER_ERROR",
  NOT_LEADER_FOR_PARTITION: "NOT_LEADER_OR_FOLLOWER",
  GROUP_LOAD_IN_PROGRESS: "COORDINATOR_LOAD_IN_PROGRESS",
  GROUP_COORDINATOR_NOT_AVAILABLE: "COORDINATOR_NOT_AVAILABLE",
  NOT_COORDINATOR_FOR_GROUP: "NOT_COORDINATOR",
};

Deno.test("an error is named by Kafka's name and its number", none, () => {
  assert.equal(errorName(1), "OFFSET_OUT_OF_RANGE (1)");
  assert.equal(errorName(-1), "UNKNOWN_SERVER_ERROR (-1)");
  assert.equal(errorName(4711), "an error unknown to this client (4711)");
});

Deno.test("the names are those of another client's table", none, () => {
  let compared = 0;
  for (const { type, code } of foreign) {
    const name = errorName(code);
    if (name.startsWith("an error unknown")) continue;
    assert.equal(name, `${renamed[type] ?? type} (${code})`);
    compared++;
  }
  assert.ok(compared > 50, `${compared}`);
});

Deno.test("what another client tries again, this one does too", none, () => {
  // Answers to fetch sessions and leader elections, which this client never asks for.
  const others = new Set([70, 71, 80, 83, 84]);
  for (const { code, retriable, type } of foreign) {
    if (retriable && !others.has(code)) assert.ok(isRetriable(code), `${type} (${code})`);
  }
});

Deno.test("a missing right is distinguished from other errors, and never retried", none, () => {
  const denied = [29, 30, 31, 33, 53, 54, 58];
  const all = Array.from({ length: 130 }, (_, i) => i - 1);
  assert.deepEqual(all.filter(isDenied), denied);
  assert.deepEqual(denied.filter(isRetriable), []);
  assert.equal(isRetriable(0), false);
});
