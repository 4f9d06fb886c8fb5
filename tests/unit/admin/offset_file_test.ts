import assert from "node:assert/strict";
import { formatOffsets, offsetFormats, parseOffsets } from "../../../lib/admin/offset_file.ts";

const none = { permissions: "none" } as const;

const offsets = [
  { topic: "a.b_c-d", partition: 0, offset: 0 },
  { topic: "a.b_c-d", partition: 10, offset: Number.MAX_SAFE_INTEGER },
  { topic: "crimes", partition: 2, offset: 17 },
];

Deno.test("offset file: what each format looks like", none, () => {
  assert.equal(
    formatOffsets("rpk", "g", offsets),
    "a.b_c-d 0 0\na.b_c-d 10 9007199254740991\ncrimes 2 17\n",
  );
  assert.equal(
    formatOffsets("zookeeper", "g/1 x", offsets.slice(2)),
    "/consumers/g/1 x/offsets/crimes/2:17\n",
  );
});

Deno.test("offset file: what is written can be read, and its format is recognised", none, () => {
  for (const format of offsetFormats) {
    for (const group of ["loader", "a/offsets/b", "Größe 1"]) {
      const file = parseOffsets(formatOffsets(format, group, offsets), "f");
      assert.deepEqual(file, { format, offsets, group: format === "rpk" ? null : group });
    }
  }
});

Deno.test("offset file: spaces, empty lines and line ends do not matter", none, () => {
  const text = "\ufeff\r\n  crimes\t0   5 \r\n\r\ncrimes 1 6";
  assert.deepEqual(parseOffsets(text, "f").offsets, [
    { topic: "crimes", partition: 0, offset: 5 },
    { topic: "crimes", partition: 1, offset: 6 },
  ]);
});

Deno.test("offset file: what is wrong is named with its line", none, async (t) => {
  const cases: [string, string][] = [
    ["", "f contains no offsets"],
    ["\n \n", "f contains no offsets"],
    [
      "a 0 1\na 1\n",
      'f line 2: "a 1" is neither TOPIC PARTITION OFFSET nor /consumers/GROUP/offsets/TOPIC/PARTITION:OFFSET',
    ],
    ["a 0 -1\n", 'f line 1: "a 0 -1" is neither'],
    ["a 0 1 2\n", 'f line 1: "a 0 1 2" is neither'],
    ["# a comment\n", "f line 1: "],
    ["/consumers/g/offsets/a/0:1\n/consumers/g/offsets/a/0\n", "f line 2: "],
    ["/consumers//offsets/a/0:1\n", "f line 1: "],
    ["a 0 1\n\n/consumers/g/offsets/a/1:1\n", "f line 3: a zookeeper line in a file of rpk lines"],
    ["/consumers/g/offsets/a/1:1\na 0 1\n", "f line 2: a rpk line in a file of zookeeper lines"],
    [
      "/consumers/g/offsets/a/1:1\n/consumers/h/offsets/a/2:1\n",
      'f line 2: group "h" in a file of group "g"',
    ],
    ["a 0 1\nb 0 1\na 0 2\n", 'f line 3: topic "a" partition 0 is in line 1 already'],
    ["a 00 1\na 0 2\n", 'f line 2: topic "a" partition 0 is in line 1 already'],
    ["a 0 9007199254740992\n", "is too large"],
    ["a 2147483648 0\n", "is too large"],
    [`${"x".repeat(250)} 0 1\n`, "…"],
  ];
  for (const [text, message] of cases) {
    await t.step(JSON.stringify(text).slice(0, 60), () => {
      assert.throws(() => parseOffsets(text, "f"), (error: Error & { kind?: string }) => {
        assert.ok(error.message.includes(message), error.message);
        assert.equal(error.kind, "record");
        return true;
      });
    });
  }
});
