/** A batch's length is not in its CRC: a wild one must end the run, and not be waited for. */
import assert from "node:assert/strict";
import { Decoder } from "../../lib/consume/decoder.ts";
import { readSpans } from "../../lib/consume/fetch.ts";
import type { ConsumeOptions } from "../../lib/consume/options.ts";
import { Inflater } from "../../lib/consume/inflater.ts";
import { Output } from "../../lib/consume/output.ts";
import { Span } from "../../lib/consume/span.ts";
import { Failure } from "../../lib/failure.ts";
import { Cluster } from "../../lib/kafka/cluster.ts";
import { fetch } from "../../lib/protocol/messages/fetch.ts";
import { metadata } from "../../lib/protocol/messages/metadata.ts";
import { Batch } from "../../lib/protocol/record_batch.ts";
import { captured, decodeWhole, frame } from "../golden/frames.ts";
import { clientConfig, fakeBroker } from "../kafka/fake_broker.ts";
import { defaults } from "../support/consume_options.ts";

const options: ConsumeOptions = { ...defaults, topics: ["golden-plain"] };

/** golden's Metadata, with the leader on another port. */
function metadataAt(port: number): Uint8Array {
  const bytes = frame("metadata");
  const view = new DataView(bytes.buffer);
  const at = bytes.findIndex((_, i) => i > 8 && view.getInt32(i) === captured.port);
  view.setInt32(at, port);
  return bytes;
}

/** Reads a partition whose first batch says that it has `length` bytes. */
async function read(length: number): Promise<unknown> {
  await using broker = fakeBroker(async (peer) => {
    const records = frame("fetch_plain");
    const [{ start }] = decodeWhole(fetch, records).partitions;
    new DataView(records.buffer).setInt32(start + Batch.length, length);
    await peer.greet();
    for (let request; (request = await peer.request());) {
      const isMetadata = request.key === metadata.key;
      await peer.answer(request, isMetadata ? metadataAt(broker.port) : records);
    }
  });
  const brokers = [`127.0.0.1:${broker.port}`];
  const cluster = new Cluster(clientConfig({ brokers, timeout: 200 }), [fetch]);
  let timer;
  try {
    await cluster.refresh(["golden-plain"]);
    const reading = {
      cluster,
      options,
      decoder: new Decoder(options, () => {}),
      inflater: new Inflater(() => {}),
      output: new Output(new WritableStream()),
      settle: () => Promise.resolve(),
      written: () => Promise.resolve(),
      lastRecords: 0,
      idle: false,
    };
    const span = new Span({ topic: "golden-plain", partition: 0 }, 0, 7);
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
    assert.match(error.message, /topic "golden-plain" partition 0/);
  });
}
