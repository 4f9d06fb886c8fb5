import assert from "node:assert/strict";
import { Batch } from "../../lib/protocol/record_batch.ts";
import { consumer, text } from "../support/cli.ts";
import { makeBatch, scriptedBroker } from "../support/scripted_broker/mod.ts";

const flips: [what: string, byte: number, bit: number][] = [
  ["lastOffsetDelta + 4", Batch.lastOffsetDelta + 3, 4],
  ["lastOffsetDelta + 2^24", Batch.lastOffsetDelta, 1],
  ["lastOffsetDelta < 0", Batch.lastOffsetDelta, 0x80],
  ["count", Batch.count + 3, 1],
  ["codec", Batch.attributes + 1, 2],
  ["transactional", Batch.attributes + 1, 16],
  ["control", Batch.attributes + 1, 32],
  ["magic", Batch.magic, 1],
  ["base offset", Batch.baseOffset + 7, 2],
  ["length", Batch.length + 3, 2],
];

for (const [what, byte, bit] of flips) {
  Deno.test(`a flipped bit (${what}) ends the run: 65, the batch is named, nothing is committed`, async () => {
    await using kafka = await scriptedBroker({ topics: { t: 1 } });
    const log = kafka.log("t");
    log.append(["0", "1", "2", "3"]);
    const batch = makeBatch(["4", "5", "6", "7"], { base: 4 });
    batch[byte] ^= bit;
    log.batches.push({ first: 4, last: 7, leaderEpoch: 0, time: 0, bytes: batch });
    log.end = log.highWatermark = log.lastStable = 8;
    log.append(["8", "9"]);
    const args = ["-b", kafka.bootstrap, "-t", "t", "-g", "g", "-o", "stored", "--timeout", "3s"];
    const { code, stdout, stderr } = await consumer(args);
    assert.equal(code, 65, stderr);
    assert.match(stderr, /topic "t" partition 0 (base )?offset \d+: /);
    assert.ok("0\n1\n2\n3\n".startsWith(text(stdout)), text(stdout));
    assert.equal(kafka.group("g").size, 0, "offsets were committed");
    // Nor was anything asked for that only the broken batch pointed at.
    const asked = kafka.requestsOf("fetch").map(({ request }) =>
      request.topics[0].partitions[0].fetchOffset
    );
    assert.ok(asked.every((offset) => [0, 4].includes(offset)), `${asked}`);
  });
}
