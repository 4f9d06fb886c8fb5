import assert from "node:assert/strict";
import { assign } from "../../../lib/consume/assign.ts";
import { parseRanges } from "../../../lib/consume/ranges.ts";
import { Failure } from "../../../lib/failure.ts";
import { matches, parsePattern } from "../../../lib/kafka/topic_pattern.ts";

const permissions = "none";

Deno.test({
  name: "pattern: a part of a name is enough, but never for Kafka's own topics",
  permissions,
}, () => {
  const names = ["orders_eu", "my_orders_us", "__orders_eu", "__consumer_offsets", "orders.eu"];
  const cases: Record<string, string[]> = {
    "^orders_": ["orders_eu"],
    "orders_": ["orders_eu", "my_orders_us"],
    "^orders.eu$": ["orders_eu", "orders.eu"],
    "^orders\\.eu$": ["orders.eu"],
    "(eu|us)$": ["orders_eu", "my_orders_us", "orders.eu"],
    ".*": ["orders_eu", "my_orders_us", "orders.eu"],
    "^__": [],
  };
  for (const [text, expected] of Object.entries(cases)) {
    const pattern = parsePattern("--topic-pattern", text);
    assert.deepEqual(names.filter((name) => matches(pattern, name)), expected, text);
  }
});

Deno.test(
  { name: "pattern: what is not one, or could take for ever, is one line", permissions },
  () => {
    const cases: Record<string, RegExp> = {
      "(": /"\(" is not a regular expression \(unterminated group\)$/,
      "[a": /is not a regular expression/,
      "\\q": /is not a regular expression \(invalid escape\)/,
      "*": /is not a regular expression \(nothing to repeat\)/,
      "^(?!x)": /has a look-around, a named group or a back reference/,
      "(?<x>a)": /has a look-around/,
      "(a)\\1": /has a look-around, a named group or a back reference/,
      "(a+)+$": /could take long/,
      "(a|aa)*$": /could take long/,
      "((a)b)*": /could take long/,
      "(?:a?){30}": /could take long/,
      ".*.*.*.*x": /could take long/,
    };
    for (const [text, message] of Object.entries(cases)) {
      assert.throws(() => parsePattern("--topic-pattern", text), (error) => {
        assert.ok(error instanceof Failure);
        assert.equal(error.kind, "usage");
        assert.match(error.message, message);
        assert.match(error.message, /^--topic-pattern: [^\n]*$/);
        return true;
      });
    }
    // At its slowest, and over the longest name.
    const slow = parsePattern("--topic-pattern", "a*a*a*b");
    const started = performance.now();
    assert.equal(matches(slow, "a".repeat(249)), false);
    assert.ok(performance.now() - started < 30_000);
  },
);

Deno.test({
  name: "ranges of several topics are shared by their order, each by one process",
  permissions,
}, () => {
  const ranges = parseRanges("a/0:0-5,1:0-5,b/0:0-5,c/0:0-5,2:1-3");
  const partitions = [["a", 0], ["a", 1], ["b", 0], ["c", 0], ["c", 1], ["c", 2]]
    .map(([topic, partition]) => ({ topic: topic as string, partition: partition as number }));
  const shares = [0, 1].map((index) =>
    assign({ assignment: { share: "slot", index, count: 2 }, partitions: null, ranges }, partitions)
      .map(({ topic, partition }) => `${topic}${partition}`)
  );
  assert.deepEqual(shares, [["a0", "b0", "c2"], ["a1", "c0"]]);
  const missing = parseRanges("a/0:0-5,b/1:0-5");
  assert.throws(
    () => assign({ assignment: { share: "all" }, partitions: null, ranges: missing }, partitions),
    /topic "b" has no partition 1/,
  );
});
