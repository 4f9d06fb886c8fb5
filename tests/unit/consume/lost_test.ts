/** Offsets that are lost while a run reads: what it does for every --on-lost and every --until. */
import assert from "node:assert/strict";
import type { ConsumeOptions, Until } from "../../../lib/consume/options.ts";
import { consumeRun, rows, stored } from "../../support/consume_run.ts";
import { type ScriptedBroker, scriptedBroker } from "../../support/scripted_broker/mod.ts";

const permissions = { net: ["127.0.0.1"], read: true };
const untils: Until[] = ["end", "forever", { idle: 500 }];
const name = (until: Until) => typeof until === "string" ? until : "idle";

/**
 * Ten records, a batch each; the first answers have those before `first`, then `cut` does something
 * to the log. Who has read to its end then gets the record `next`.
 */
async function disturbed(cut: (kafka: ScriptedBroker) => void, first = 3, next?: string) {
  const kafka = await scriptedBroker({ topics: { t: 1 } });
  for (const row of rows(0, 10)) kafka.log("t").append([row]);
  let isCut = false;
  kafka.on.fetch = (call) => {
    const { fetchOffset } = call.request.topics[0].partitions[0];
    const { partitions } = call.reply.topics[0];
    if (!isCut && fetchOffset < first) {
      const batches = kafka.log("t").batches.filter((b) =>
        b.first >= fetchOffset && b.last < first
      );
      const sent = batches.flatMap(({ bytes }) => [...bytes]);
      partitions[0].records = Uint8Array.from(sent);
    } else if (!isCut) {
      isCut = true;
      cut(kafka);
      call.reply = kafka.answer("fetch", { ...call, code: null });
    } else if (next !== undefined && fetchOffset === kafka.log("t").end) {
      kafka.log("t").append([next]);
      next = undefined;
      call.reply = kafka.answer("fetch", { ...call, code: null });
    }
  };
  return kafka;
}

/** Retention: everything before offset 6 is deleted. */
function deleted(kafka: ScriptedBroker): void {
  const log = kafka.log("t");
  log.logStart = 6;
  log.batches = log.batches.filter(({ first }) => first >= 6);
}

for (const until of untils) {
  const run = (onLost: ConsumeOptions["onLost"], kafka: ScriptedBroker, maxRecords: number) =>
    // A run without an end is ended by the number of its rows.
    consumeRun(kafka, { until, onLost, maxRecords: until === "forever" ? maxRecords : Infinity });

  Deno.test(
    `--until ${name(until)} --on-lost fail: deleted records end the run`,
    { permissions },
    async () => {
      await using kafka = await disturbed(deleted);
      const { failure, warnings } = await run("fail", kafka, 10);
      assert.equal(failure?.kind, "record");
      assert.match(
        failure.message,
        /^offset 3 of topic "t" partition 0 does not exist \(the log has 6 to 10\)/,
      );
      assert.match(failure.message, /--on-lost earliest or latest/);
      assert.deepEqual([warnings, stored(kafka)], [[], {}]);
    },
  );

  Deno.test(`--until ${name(until)} --on-lost earliest: continues at the log's start, and warns`, {
    permissions,
  }, async () => {
    await using kafka = await disturbed(deleted);
    const { rows: read, summary, warnings } = await run("earliest", kafka, 7);
    assert.deepEqual(read, [...rows(0, 3), ...rows(6, 10)]);
    assert.equal(summary?.lost, 3);
    assert.equal(warnings.length, 1);
    assert.match(
      warnings[0],
      /^offset 3 of .* 3 offsets were skipped; reading continues at offset 6$/,
    );
    assert.deepEqual(stored(kafka), { "t/0": 10 });
  });

  Deno.test(`--until ${name(until)} --on-lost latest: continues at the log's end, and warns`, {
    permissions,
  }, async () => {
    await using kafka = await disturbed(deleted, 3, "row 10");
    const { rows: read, summary, warnings } = await run("latest", kafka, 4);
    assert.deepEqual(read, until === "end" ? rows(0, 3) : [...rows(0, 3), "row 10"]);
    assert.equal(summary?.lost, 7);
    assert.match(
      warnings.join(),
      /^offset 3 of .* 7 offsets were skipped; reading continues at offset 10$/,
    );
    assert.deepEqual(stored(kafka), { "t/0": until === "end" ? 10 : 11 });
  });

  if (until === "end") continue;

  /** An unclean leader election: all from offset 6 on is gone, and others come. */
  const truncated = (kafka: ScriptedBroker) => {
    const log = kafka.log("t");
    log.batches = log.batches.filter(({ first }) => first < 6);
    log.end = log.highWatermark = log.lastStable = 6;
    log.leaderEpoch = 1;
  };

  Deno.test(`--until ${name(until)} --on-lost fail: a position past the log's end ends the run`, {
    permissions,
  }, async () => {
    await using kafka = await disturbed(truncated, 10);
    const { failure, rows: read } = await run("fail", kafka, 11);
    assert.deepEqual(read, rows(0, 10));
    assert.equal(failure?.kind, "record");
    assert.match(failure.message, /offset 10 of topic "t" partition 0 .*truncated at 6.* 0 to 6/);
  });

  for (const onLost of ["earliest", "latest"] as const) {
    Deno.test(
      `--until ${name(until)} --on-lost ${onLost}: a position past the log's end goes on there`,
      { permissions },
      async () => {
        await using kafka = await disturbed(truncated, 10, "new 6");
        const { rows: read, warnings } = await run(onLost, kafka, 11);
        assert.deepEqual(read, [...rows(0, 10), "new 6"]);
        assert.match(
          warnings.join(),
          /truncated at 6.* 0 offsets were skipped; reading continues at offset 6/,
        );
        assert.deepEqual(stored(kafka), { "t/0": 7 });
      },
    );
  }
}

Deno.test(
  "a leader that contradicts itself about an offset is asked with waits, and then given up",
  { permissions },
  async () => {
    await using kafka = await scriptedBroker({
      topics: { t: 1 },
      on: {
        fetch(call) {
          call.reply.topics[0].partitions[0].errorCode = 1;
        },
      },
    });
    kafka.log("t").append(rows(0, 3));
    const { failure } = await consumeRun(kafka, { until: "forever", onLost: "earliest" });
    assert.equal(failure?.kind, "broker");
    assert.match(
      failure.message,
      /partition 0 at offset 0, which its log has: OFFSET_NOT_AVAILABLE/,
    );
    assert.ok(kafka.requestsOf("fetch").length < 15, `${kafka.requestsOf("fetch").length}`);
  },
);

Deno.test(
  "what is lost already at the start is counted, for stored and explicit starts and for ranges",
  { permissions },
  async () => {
    await using kafka = await scriptedBroker({ topics: { t: 1 } });
    for (const row of rows(0, 10)) kafka.log("t").append([row]);
    deleted(kafka);
    const start = { at: "offset", offset: 2 } as const;
    const cases: [Partial<ConsumeOptions>, number, string[]][] = [
      [{ onLost: "earliest", start }, 4, rows(6, 10)],
      [{ onLost: "latest", start }, 8, []],
      [{ onLost: "earliest", ranges: [{ partition: 0, from: 2, to: 8 }] }, 4, rows(6, 8)],
      [{ onLost: "earliest" }, 4, rows(6, 10)],
    ];
    kafka.group("g").set("t/0", { offset: 2, leaderEpoch: -1, metadata: null });
    for (const [options, lost, expected] of cases) {
      const commit = options.start === undefined && options.ranges === undefined;
      const { rows: read, summary, warnings } = await consumeRun(kafka, { commit, ...options });
      assert.deepEqual(
        [read, summary?.lost, warnings.length],
        [expected, lost, 1],
        warnings.join(),
      );
      assert.match(warnings[0], /offset 2 of topic "t" partition 0 .*the records were deleted/);
    }
  },
);
