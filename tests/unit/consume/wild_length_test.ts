/** A batch's length is not in its CRC: a wild one must end the run, and not be waited for. */
import assert from "node:assert/strict";
import { RowContext } from "../../../lib/consume/row_context.ts";
import { readSpans } from "../../../lib/consume/fetch.ts";
import { Losses } from "../../../lib/consume/lost.ts";
import type { ConsumeOptions } from "../../../lib/consume/options.ts";
import { Output } from "../../../lib/consume/output.ts";
import { newReading } from "../../../lib/consume/reading.ts";
import { Span } from "../../../lib/consume/span.ts";
import { Failure } from "../../../lib/failure.ts";
import { Cluster } from "../../../lib/kafka/cluster.ts";
import { fetch } from "../../../lib/protocol/messages/fetch.ts";
import { Batch } from "../../../lib/protocol/record_batch.ts";
import { defaults } from "../../support/consume_options.ts";
import { makeBatch, scriptedBroker } from "../../support/scripted_broker/mod.ts";

const options: ConsumeOptions = { ...defaults, topics: ["t"] };

/** Reads a partition whose first batch says that it has `length` bytes. */
async function read(length: number): Promise<unknown> {
  await using kafka = await scriptedBroker({ topics: { t: 1 } });
  const batch = makeBatch(["a", "b"]);
  new DataView(batch.buffer).setInt32(Batch.length, length);
  kafka.log("t").store(batch);
  const cluster = new Cluster(kafka.config({ timeout: 200 }), [fetch]);
  let timer;
  try {
    await cluster.refresh(["t"]);
    const run = {
      cluster,
      options,
      context: new RowContext(options, () => {}),
      output: new Output(new WritableStream()),
      losses: new Losses(() => {}),
      warn: () => {},
      settle: () => Promise.resolve(),
    };
    const reading = newReading(run, () => Promise.resolve());
    const span = new Span({ topic: "t", partition: 0 }, 0, 2);
    const reads = readSpans(reading, [span]).then(() => "done", (error) => error);
    const late = new Promise((resolve) => timer = setTimeout(resolve, 2000, "still reading"));
    return await Promise.race([reads, late]);
  } finally {
    clearTimeout(timer);
    cluster.close();
  }
}

for (const length of [0x7fffffff, 0x00ffffff, 48, -5]) {
  const test = `a first batch of ${length} bytes ends the run, naming topic and partition`;
  Deno.test(test, { permissions: { net: ["127.0.0.1"] } }, async () => {
    const error = await read(length);
    assert.ok(error instanceof Failure, `${error}`);
    assert.match(error.message, /topic "t" partition 0/);
  });
}
