import type { Cluster } from "../kafka/cluster.ts";
import type { LogOfPartition } from "../kafka/logs.ts";
import { codecs } from "../protocol/record_batch.ts";
import { inWords } from "../text.ts";
import { batchesAt, type BatchLook } from "./batches.ts";
import { partitionsText, type Say } from "./findings.ts";

/** Producers' clocks may differ so much from ours without a word, milliseconds. */
const CLOCK_TOLERANCE = 60_000;

/** Looks at the last batch of each partition: whether it can be read at all. */
export async function checkFormat(
  say: Say,
  cluster: Cluster,
  logs: readonly LogOfPartition[],
): Promise<BatchLook[]> {
  const filled = logs.filter(({ start, high }) => high > start);
  const items = filled.map(({ topic, partition, high }) => ({
    topic,
    partition,
    offset: high - 1,
  }));
  const looks = await batchesAt(cluster, items);
  judgeBatches(say, looks, Date.now());
  return looks;
}

/** Says what is wrong with batches, or what they are. */
export function judgeBatches(say: Say, looks: readonly BatchLook[], now: number): void {
  if (looks.length === 0) {
    say("ok", "the topic is empty: there are no batches to check", "produce some records");
    return;
  }
  const numbers = (some: BatchLook[]) => partitionsText(some.map((look) => look.partition));
  const old = looks.filter(({ magic }) => magic !== 2);
  const current = looks.filter(({ magic }) => magic === 2);
  const unknown = current.filter(({ codec }) => typeof codec === "number");
  const broken = current.filter(({ crcIsRight }) => !crcIsRight);
  if (old.length > 0) {
    const formats = [...new Set(old.map(({ magic }) => magic))].join(", ");
    say(
      "fail",
      `${numbers(old)}: stored in message format ${formats}, and only format 2 can be read`,
      "raise log.message.format.version to 0.11 or later, and write the records again",
    );
  }
  if (unknown.length > 0) {
    const found = [...new Set(unknown.map(({ codec }) => codec))].join(", ");
    say("fail", `${numbers(unknown)}: codec ${found} is not one of ${codecs.join(", ")}`);
  }
  if (broken.length > 0) {
    say(
      "fail",
      `${numbers(broken)}: the CRC32C of the last batch does not match its bytes`,
      "the disk or memory of the leader may be broken: let another replica lead",
    );
  }
  if (old.length + unknown.length + broken.length === 0) {
    const used = [...new Set(looks.map(({ codec }) => codec))].join(", ");
    const largest = Math.max(...looks.map(({ size }) => size));
    say("ok", `the last batches are of format 2, codec ${used}, the largest ${largest} bytes`);
  }
  const future = current.filter(({ newest }) => newest > now + CLOCK_TOLERANCE);
  if (future.length > 0) {
    const most = Math.max(...future.map(({ newest }) => newest)) - now;
    const whose = future.some(({ isAppendTime }) => isAppendTime) ? "the broker's" : "a producer's";
    say(
      "warn",
      `${numbers(future)}: the newest record is ${inWords(most)} ahead of this host's clock`,
      `set ${whose} clock, or this host's: --offset @TIME and retention use these times`,
    );
  }
}
