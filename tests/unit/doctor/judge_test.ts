import assert from "node:assert/strict";
import { type BatchLook, lookAtBatch } from "../../../lib/doctor/batches.ts";
import { expiry } from "../../../lib/doctor/certificate.ts";
import { countFields, splitFields, splitRows } from "../../../lib/consume/csv.ts";
import type { Say } from "../../../lib/doctor/findings.ts";
import { judgeBatches } from "../../../lib/doctor/format.ts";
import { checkLeaders } from "../../../lib/doctor/leaders.ts";
import { judgeOffsets, type Standing } from "../../../lib/doctor/offsets.ts";
import { judgeAnswers } from "../../../lib/doctor/program.ts";
import { describeSecurity } from "../../../lib/doctor/security.ts";
import { checkVersions } from "../../../lib/doctor/versions.ts";
import { Secret } from "../../../lib/secret.ts";
import { UNCHANGED } from "../../../lib/kafka/log_changes.ts";
import { Kernel } from "../../../lib/protocol/kernel/kernel.ts";
import { fetch } from "../../../lib/protocol/messages/fetch.ts";
import { Batch } from "../../../lib/protocol/record_batch.ts";
import { similar } from "../../../lib/text.ts";
import { decodeWhole, frame } from "../../golden/frames.ts";

const none = { permissions: "none" } as const;
const DAY = 86_400_000;

/** What is said, as `level: finding`, with what to do after a ` — `. */
function heard(use: (say: Say) => void): string[] {
  const lines: string[] = [];
  use((level, finding, todo) => lines.push(`${level}: ${finding}${todo ? ` — ${todo}` : ""}`));
  return lines;
}

/** The first batch that a real broker sent, changed by `change` at its place in the kernel. */
function look(change: (kernel: Kernel, at: number) => void = () => {}) {
  const bytes = frame("fetch_plain");
  const [{ start, end }] = decodeWhole(fetch, bytes).partitions;
  const kernel = new Kernel();
  kernel.reserve(bytes.length);
  kernel.bytes.set(bytes, Kernel.DATA);
  change(kernel, Kernel.DATA + start);
  return lookAtBatch(kernel, Kernel.DATA + start, Kernel.DATA + end);
}

Deno.test(
  "doctor: a real broker's batch is of format 2, with its codec and the right CRC",
  none,
  () => {
    const { newest, ...seen } = look()!;
    assert.ok(newest > Date.UTC(2020) && newest < Date.now() + DAY);
    const expected = { offset: 0, magic: 2, codec: "none", crcIsRight: true, isAppendTime: false };
    assert.deepEqual({ ...seen, size: 0 }, { ...expected, size: 0 });
  },
);

Deno.test("doctor: what can't be read of a batch is named", none, () => {
  const judged = (change: (kernel: Kernel, at: number) => void) => {
    const seen: BatchLook = { topic: "x", partition: 3, ...look(change)! };
    return heard((say) => judgeBatches(say, [seen], Date.now())).join("\n");
  };
  assert.match(judged(() => {}), /^ok: the last batches are of format 2, codec none, the largest/);
  const old = judged(({ view }, at) => view.setInt8(at + Batch.magic, 1));
  assert.match(old, /^fail: partition 3: stored in message format 1, .* — raise/);
  const codec = judged(({ view }, at) => view.setInt16(at + Batch.attributes, 6));
  assert.match(codec, /^fail: partition 3: codec 6 is not one of none, gzip, snappy, lz4, zstd$/m);
  const flipped = judged(({ bytes }, at) => bytes[at + Batch.records] ^= 1);
  assert.match(flipped, /^fail: partition 3: the CRC32C of the last batch does not match/);
  const cut = look(({ view }, at) => view.setInt32(at + Batch.length, 1_000_000));
  assert.equal(cut, null);
  assert.match(heard((say) => judgeBatches(say, [], 0))[0], /^ok: the topic is empty/);
});

Deno.test("doctor: offsets against the log and its retention", none, () => {
  const reader = {
    name: 'group "g"',
    toEarliest: "move it",
    whenNone: "starts again",
    isPlanned: false,
  };
  const judged = (standing: Partial<Standing>, retention: number | null = null) => {
    const log = {
      topic: "t",
      partition: 0,
      start: 100,
      stable: 1100,
      high: 1100,
      leaderEpoch: -1,
      age: null,
    };
    const change = UNCHANGED;
    return heard((say) =>
      judgeOffsets(say, [{ ...log, change, stored: 600, ...standing }], reader, retention)
    );
  };
  const cases: [Partial<Standing>, number | null, RegExp][] = [
    [{}, null, /^ok: group "g" is 500 offsets behind the end of partition 0$/],
    [{ stored: -1 }, null, /^ok: .* has no stored offset for partition 0: starts again$/],
    [{ stored: 99 }, null, /^fail: .* expired: 1 offsets .* at 99, its log starts at 100\) — move/],
    [{ stored: 100 }, null, /^warn: .* the next records to read are the next to be deleted — load/],
    [{ stored: 100, stable: 100, high: 100 }, null, /^ok: group "g" is 0 offsets behind/],
    [{ stored: 199 }, null, /^warn: /],
    [{ stored: 200 }, null, /^ok: /],
    [{ stored: 10, start: 0 }, null, /^ok: /],
    [{ age: 6.5 * DAY }, 7 * DAY, /^warn: .* 6\.5 days old, and the topic keeps 7 days — load/],
    [{ age: DAY, stored: 100 }, 7 * DAY, /^ok: /],
    [{ stored: 1100 }, 7 * DAY, /^ok: group "g" is 0 offsets behind/],
    [
      { stored: 1101 },
      null,
      /^fail: .* past the end of the log .* at 1101, its log ends at 1100\).* — m/,
    ],
    [
      { change: { other: "the topic was recreated", shared: Infinity } },
      null,
      /^fail: group "g", partition 0: the topic was recreated — move it$/,
    ],
    [
      { change: { other: null, shared: 500 } },
      null,
      /^fail: .* truncated \(partition 0 stands at 600, the log it has read ends at 500\): .* — m/,
    ],
    // What an open transaction hides is there all the same.
    [{ stored: 1050, stable: 1000 }, null, /^ok: group "g" is 0 offsets behind/],
  ];
  for (const [standing, retention, expected] of cases) {
    const lines = judged(standing, retention);
    assert.equal(lines.length, 1, JSON.stringify(standing));
    assert.match(lines[0], expected, JSON.stringify(standing));
  }
});

Deno.test("doctor: a broker that is too old or too new for what is used", none, () => {
  const ranges = [...Array(60).keys()].map((key) => ({ key, min: 0, max: 40 }));
  const judged = (change: (key: number) => object | undefined, withSasl = false) => {
    const changed = ranges.flatMap((range) => {
      const found = change(range.key);
      return found === undefined ? [] : [{ ...range, ...found }];
    });
    return heard((say) => checkVersions(say, [{ address: "a:1", ranges: changed }], withSasl));
  };
  assert.match(judged(() => ({})).join(), /^ok: all 9 .*\(Fetch 10 of 0 to 40, Produce 7 of 0 to/);
  assert.match(judged(() => ({}), true).join(), /^ok: all 11 requests/);
  assert.equal(
    judged((key) => key === 1 ? { max: 5 } : {}).join(),
    "fail: a:1 does not accept Fetch 10 (it accepts 0 to 5) — Kafka 2.1 or later is required",
  );
  assert.equal(
    judged((key) => key === 1 ? { max: 7 } : {}).join(),
    "ok: a:1 is asked with Fetch 6, for it accepts no 10",
  );
  const without = judged((key) => key === 22 ? undefined : {}).join();
  assert.match(without, /does not accept InitProducerId \d \(it accepts none\)/);
});

Deno.test("doctor: partitions without leader, or with too few replicas", none, () => {
  const partition = {
    errorCode: 0,
    leader: 1,
    leaderEpoch: 0,
    replicas: [1, 2],
    inSyncReplicas: [1, 2],
  };
  const topic = { errorCode: 0, topic: "x", topicId: null, isInternal: false };
  let led: unknown;
  const judged = (changes: Partial<typeof partition>[]) =>
    heard((say) => {
      const partitions = changes.map((change, i) => ({ partition: i, ...partition, ...change }));
      led = checkLeaders(say, { ...topic, partitions })?.map((one) => one.partition) ?? null;
    });
  assert.match(judged([{}, {}])[0], /^ok: all 2 partitions have a leader/);
  assert.deepEqual(led, [0, 1]);
  assert.deepEqual(judged([{}, { leader: -1 }, { inSyncReplicas: [1] }]), [
    "fail: partition 1: no leader, so nothing there can be read or written — " +
    "start the brokers that hold them: 1, 2",
    "warn: partition 2: fewer replicas in sync than there should be — check brokers 2",
  ]);
  assert.deepEqual(led, [0, 2]);
  judged([{ leader: -1 }]);
  assert.equal(led, null);
});

Deno.test("doctor: what the programs of a cluster's segments answer", none, () => {
  const answer = (segment: string, version: string, plan = "crimes,0,0,17,") => ({
    ...{ segment, host: `host${segment}` },
    ...{ version, plan },
  });
  const judged = (answers: ReturnType<typeof answer>[], planned = true) =>
    heard((say) => judgeAnswers(say, answers, planned, true, "1.0.0"));
  const [good, other] = [answer("0", "kafka_consumer 1.0.0"), answer("1", "kafka_consumer 0.9.0")];
  assert.deepEqual(judged([good]), [
    "ok: kafka_consumer 1.0.0 runs for segment 0 on host0",
    "ok: the brokers and the topic can be reached from there, too",
  ]);
  assert.deepEqual(judged([good, other], false), [
    "warn: kafka_consumer 1.0.0, 0.9.0 runs for segment 0 on host0, segment 1 on host1; " +
    "this is 1.0.0 — install the same version everywhere",
  ]);
  const missing = answer("1", "sh: 1: /home/gpadmin/kafka_consumer: not found", "sh: 1: not found");
  assert.match(
    judged([good, missing])[0],
    /^fail: .* does not run for segment 1 on host1: sh: 1: /,
  );
  const cut = answer("2", "kafka_consumer 1.0.0", "kafka_consumer plan: cannot connect to b:1");
  assert.match(
    judged([good, cut])[1],
    /^fail: .* by segment 2 on host2: .*cannot connect to b:1 — /,
  );
});

Deno.test("doctor: how long certificates are valid", none, () => {
  const now = Date.parse("2026-01-01T00:00:00Z");
  assert.deepEqual(expiry("Dec 31 00:00:00 2025 GMT", now), [
    "fail",
    "expired 1 days ago, on 2025-12-31",
  ]);
  assert.deepEqual(expiry("Jan 11 12:00:00 2026 GMT", now), [
    "warn",
    "expires in 10.5 days, on 2026-01-11",
  ]);
  assert.deepEqual(expiry("Jan  1 00:00:00 2027 GMT", now)[0], "ok");
});

Deno.test("doctor: a password that is sent without TLS is a warning", none, () => {
  const login = { username: "alice", password: new Secret("Pa55") };
  const judged = (mechanism: "PLAIN" | "SCRAM-SHA-256") =>
    heard((say) =>
      describeSecurity(say, {
        tls: null,
        sasl: { mechanism, ...login, tokenauth: false },
      })
    ).join();
  assert.match(judged("PLAIN"), /^warn: no TLS, a login with PLAIN: .* — use SASL_SSL$/);
  assert.equal(judged("SCRAM-SHA-256"), "ok: no TLS, a login with SCRAM-SHA-256");
});

Deno.test("doctor: names that are like another", none, () => {
  const names = ["crimes", "crimes_2014", "Crime-s", "orders", "c", "grimes"];
  assert.deepEqual(similar("crimess", names), ["crimes", "Crime-s"]);
  assert.deepEqual(similar("crimes", names).slice(0, 2), ["crimes", "Crime-s"]);
  assert.ok(similar("crimes", names).includes("crimes_2014"));
  assert.deepEqual(similar("payments", names), []);
});

Deno.test("doctor: fields are counted as COPY counts them", none, () => {
  const cases: [string, number][] = [
    ["", 1],
    ["a", 1],
    ["a,b,", 3],
    ['"a,b",c', 2],
    ['a"b,c"d,e', 2],
    ['"a""b,",c', 2],
    ['"a\nb",c', 2],
  ];
  for (const [row, count] of cases) assert.equal(countFields(row), count, row);
  const fields: [string, (string | null)[]][] = [
    ["", [null]],
    ['a,,""', ["a", null, ""]],
    ['"a,b\n""c""",d"e"', ['a,b\n"c"', "de"]],
  ];
  for (const [row, expected] of fields) assert.deepEqual(splitFields(row), expected, row);
  assert.deepEqual(splitRows('a\n"b\nc",d\n\ncut'), ["a", '"b\nc",d', ""]);
});
