import assert from "node:assert/strict";
import { queryRanges } from "../../../lib/consume/query_ranges.ts";
import { Failure } from "../../../lib/failure.ts";
import { parseTopicOffsets, queryPlan, queryPlans } from "../../../lib/load/query_plan.ts";

const permissions = "none";

Deno.test(
  { name: "ranges come from the comment at the start of the statement", permissions },
  () => {
    const front = "/* kafka-ranges topic=crimes 0:100-250,13:0-17 */ ";
    const expected = [{ partition: 0, from: 100, to: 250 }, { partition: 13, from: 0, to: 17 }];
    for (
      const rest of [
        "INSERT INTO public.crimes (id) SELECT id FROM kafka.crimes_reader",
        'INSERT INTO "*/ /* kafka-ranges topic=other 0:0-1 */" SELECT 1',
        "SELECT 1 /* kafka-ranges topic=other 0:0-1 */",
        'INSERT INTO "cut off in the mid',
        "",
      ]
    ) {
      assert.deepEqual(queryRanges(front + rest, "crimes"), expected, rest);
    }
    assert.deepEqual(queryRanges(`\n\t ${front}`, "crimes"), expected);
  },
);

Deno.test({ name: "a statement without ranges for this topic is rejected", permissions }, () => {
  const cases: [string | undefined, RegExp][] = [
    [undefined, /GP_QUERY_STRING is not set: .* --ranges/],
    ["", /GP_QUERY_STRING is not set/],
    ["SELECT * FROM crimes_reader LIMIT 10", /a kafka-ranges comment: only kafka\.load reads/],
    ["SELECT 1 /* kafka-ranges topic=t 0:0-1 */", /does not begin with a kafka-ranges/],
    ["-- x\n/* kafka-ranges topic=t 0:0-1 */", /does not begin with a kafka-ranges/],
    ["/* kafka-ranges topic=t 0:0-1,1:0", /does not begin with a kafka-ranges/], // cut off
    ["/* kafka-ranges topic=t 0:0-1 * / */", /does not begin with a kafka-ranges/],
    ["/* kafka-plan topic=t */ SELECT 1", /does not begin with a kafka-ranges/],
    [
      "/* kafka-ranges topic=other 0:0-1 */",
      /asks for topic "other", this command reads topic "t"/,
    ],
    ["/* kafka-ranges 0:0-1 */", /asks for several topics, this command reads topic "t"/],
    ["/* kafka-ranges topic=t */", /is not topic=TOPIC P:FROM-TO/],
    ["/* kafka-ranges topic=t 0:0-1 1:0-1 */", /is not topic=TOPIC P:FROM-TO/],
    ["/* kafka-ranges topic=t 0:2-1 */", /"0:2-1" is not PARTITION:FROM-TO/],
    ["/* kafka-ranges topic=t 0:0-1,0:1-2 */", /partition 0 is given twice/],
  ];
  for (const [statement, message] of cases) {
    assert.throws(() => queryRanges(statement, "t"), (error) => {
      assert.ok(error instanceof Failure);
      assert.equal(error.kind, "usage");
      assert.match(error.message, message);
      return true;
    });
  }
});

Deno.test({ name: "a plan is asked for with or without a comment", permissions }, () => {
  const nothing = { at: null, offsets: [], mirror: false, log: null };
  assert.deepEqual(queryPlan(undefined, "t"), nothing);
  assert.deepEqual(queryPlan("SELECT * FROM t_planner", "t"), nothing);
  assert.deepEqual(queryPlan("/* kafka-plan topic=t */ SELECT", "t"), nothing);
  const stand = "log=0f mirror=yes stand=0:5:3,12:0";
  assert.deepEqual(queryPlan(`/* kafka-plan topic=t at=17 ${stand} */ SELECT`, "t"), {
    at: 17,
    offsets: [
      { partition: 0, offset: 5, leaderEpoch: 3 },
      { partition: 12, offset: 0, leaderEpoch: -1 },
    ],
    mirror: true,
    log: "0f",
  });
  assert.equal(queryPlan("/* kafka-plan topic=t log=0f stand=0:5:3 */", "t").mirror, false);
  // As schema kafka of version 0.1 says it: always to be mirrored.
  assert.deepEqual(queryPlan("/* kafka-plan topic=t commit=0:5 */ SELECT", "t"), {
    ...nothing,
    offsets: [{ partition: 0, offset: 5, leaderEpoch: -1 }],
    mirror: true,
  });
  assert.throws(() => queryPlan("/* kafka-plan topic=u */", "t"), /asks for topic "u"/);
  assert.throws(() => queryPlan("/* kafka-plan topic=t stand=0-5 */", "t"), /"0-5" is not/);
});

Deno.test({ name: "several topics are named by their ranges and offsets", permissions }, () => {
  const hash = "0123456789abcdef".repeat(2);
  assert.deepEqual(queryRanges("/* kafka-ranges a.b/0:1-2,3:0-9,c/0:5-6 */ INSERT", null), [
    { topic: "a.b", partition: 0, from: 1, to: 2 },
    { topic: "a.b", partition: 3, from: 0, to: 9 },
    { topic: "c", partition: 0, from: 5, to: 6 },
  ]);
  const stand = `a=${hash}/0:5:3,1:6,b/0:7`;
  assert.deepEqual(queryPlans(`/* kafka-plan at=17 mirror=yes stand=${stand} */ SELECT`), {
    at: 17,
    offsets: [
      { topic: "a", log: hash, partition: 0, offset: 5, leaderEpoch: 3 },
      { topic: "a", log: hash, partition: 1, offset: 6, leaderEpoch: -1 },
      { topic: "b", log: null, partition: 0, offset: 7, leaderEpoch: -1 },
    ],
    mirror: true,
  });
  const nothing = { at: null, offsets: [], mirror: false };
  for (const statement of [undefined, "SELECT 1", "/* kafka-plan */ SELECT"]) {
    assert.deepEqual(queryPlans(statement), nothing);
  }
  const wrong: [() => unknown, RegExp][] = [
    [() => queryRanges("/* kafka-ranges topic=t 0:0-1 */", null), /asks for topic "t", .* several/],
    [() => queryRanges("/* kafka-ranges a/0:0-1 b */", null), /is not topic=TOPIC P:FROM-TO/],
    [() => queryRanges("/* kafka-ranges 0:0-1,a/0:0-1 */", null), /first part has none/],
    [() => queryRanges("/* kafka-ranges a/0:0-1,0:1-2 */", null), /partition 0 of topic "a" is/],
    [() => queryRanges("/* kafka-ranges a/b/0:0-1 */", null), /"a\/b\/0:0-1" is not/],
    [() => queryPlans("/* kafka-plan topic=t */"), /asks for topic "t", .* several topics/],
    [() => parseTopicOffsets("--stand", "0:5"), /--stand: "0:5" is not TOPIC\[=LOG\]\/PARTITION/],
    [() => parseTopicOffsets("--stand", "a=x/0:5"), /"a=x\/0:5" is not/],
    [() => parseTopicOffsets("--stand", "a/0:5,"), /"" is not/],
  ];
  for (const [act, message] of wrong) assert.throws(act, message);
});
