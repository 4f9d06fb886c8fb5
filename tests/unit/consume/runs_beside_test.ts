import assert from "node:assert/strict";
import { consume } from "../../../lib/consume/consume.ts";
import type { ColumnName } from "../../../lib/consume/options.ts";
import type { Codec } from "../../../lib/protocol/record_batch.ts";
import { defaults } from "../../support/consume_options.ts";
import { largeBatch } from "../../support/large_batch.ts";
import { scriptedBroker } from "../../support/scripted_broker/mod.ts";

// `gpdb-kafka load` has a run for each source, and for each share of one.

const RECORDS = 130_000;
const encoder = new TextEncoder();

/** A record's value: of no pattern, so that a batch does not inflate from next to nothing. */
function valueOf(topic: string, i: number): string {
  const seed = i + (topic === "a" ? 0 : 7919);
  const noise = (Math.imul(seed, 2654435761) >>> 0).toString(36).padStart(7, "0");
  return `${topic}-${noise}-${String(i).padStart(6, "0")}`;
}

for (const codec of ["gzip", "snappy", "lz4", "zstd"] satisfies Codec[]) {
  Deno.test(`two runs in one process, ${codec}: each gets the rows of its own batch`, async () => {
    await using kafka = await scriptedBroker({ topics: { a: 1, b: 1 } });
    const topics = ["a", "b"];
    for (const topic of topics) {
      const batch = await largeBatch(codec, RECORDS, (i) => encoder.encode(valueOf(topic, i)));
      kafka.log(topic).store(batch);
    }
    const texts = await Promise.all(topics.map(async (topic) => {
      let text = "";
      const decoder = new TextDecoder();
      // Slow, so that the other run goes on in the middle of a batch of this one.
      const stream = new WritableStream<Uint8Array>({
        async write(chunk) {
          text += decoder.decode(chunk, { stream: true });
          await new Promise((resolve) => setTimeout(resolve, 5));
        },
      });
      // Rows are much longer than records: they fill buffers before the batch is at its end.
      const columns: ColumnName[] = ["topic", "partition", "timestamp", "offset"];
      const options = { ...defaults, topics: [topic], columns };
      await consume(options, kafka.config({ timeout: 5000 }), stream, () => {});
      return text;
    }));
    for (const [which, topic] of topics.entries()) {
      const rows = texts[which].split("\n");
      assert.equal(rows.pop(), "");
      assert.equal(rows.length, RECORDS);
      const wrong = rows.findIndex((row, i) =>
        !row.startsWith(`${topic},0,`) || !row.endsWith(`,${i},${valueOf(topic, i)}`)
      );
      assert.equal(wrong, -1, `row ${wrong} of ${topic}: ${rows[wrong]}`);
    }
  });
}
