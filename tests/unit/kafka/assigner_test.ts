import assert from "node:assert/strict";
import { share } from "../../../lib/kafka/kafkajs/assigner.ts";

Deno.test("share: evenly, each topic among its own subscribers", () => {
  const a: [string, number[]] = ["a", [0, 1, 2, 3]];
  const b: [string, number[]] = ["b", [0]];
  const cases: [Record<string, string[]>, [string, number[]][], Record<string, unknown>][] = [
    [{ m: ["a", "b"] }, [b, a], { m: { a: [0, 1, 2, 3], b: [0] } }],
    [{ m2: ["a"], m1: ["a"] }, [a], { m1: { a: [0, 2] }, m2: { a: [1, 3] } }],
    [{ m1: ["a"], m2: ["b"] }, [a, b], { m1: { a: [0, 1, 2, 3] }, m2: { b: [0] } }],
    [{ m1: ["a", "b"], m2: ["a"] }, [a, b], { m1: { a: [0, 2], b: [0] }, m2: { a: [1, 3] } }],
    [{ m1: ["b"], m2: ["b"] }, [b], { m1: { b: [0] }, m2: {} }],
    [{ m1: ["gone"] }, [["gone", []]], { m1: {} }],
  ];
  for (const [members, partitions, expected] of cases) {
    const subscribers = Object.entries(members).map(([id, topics]) => ({ id, topics }));
    assert.deepEqual(Object.fromEntries(share(subscribers, new Map(partitions))), expected);
  }
});
