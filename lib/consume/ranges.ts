import { Failure } from "../failure.ts";
import type { TopicPartition } from "../kafka/partitions.ts";
import type { Range } from "./options.ts";

/**
 * Reads `0:100-250,3:0-17`: partition, first offset, end offset (exclusive). Of several topics
 * `orders_eu/0:100-250,3:0-17,orders_us/0:5-9`: what has no topic is of the topic before it. Throws
 * Failure (usage) naming the part that is wrong; each partition may be given once.
 */
export function parseRanges(text: string): Range[] {
  const ranges: Range[] = [];
  const known = new Set<string>();
  if (text.trim() === "") return ranges;
  let topic: string | undefined;
  for (const part of text.split(",")) {
    const match = /^\s*(?:([a-zA-Z0-9._-]{1,249})\/)?(\d{1,10}):(\d{1,15})-(\d{1,15})\s*$/.exec(
      part,
    );
    const [partition, from, to] = (match ?? []).slice(2).map(Number);
    if (!match || from > to) {
      throw new Failure(
        "usage",
        `--ranges: "${part}" is not PARTITION:FROM-TO or TOPIC/PARTITION:FROM-TO with FROM <= TO`,
      );
    }
    topic = match[1] ?? topic;
    if (topic !== undefined && ranges.length > 0 && ranges[0].topic === undefined) {
      throw new Failure("usage", `--ranges: "${part}" has a topic, but the first part has none`);
    }
    const name = `${topic ?? ""}/${partition}`;
    if (known.has(name)) {
      const of = topic === undefined ? "" : ` of topic "${topic}"`;
      throw new Failure("usage", `--ranges: partition ${partition}${of} is given twice`);
    }
    known.add(name);
    ranges.push({ ...(topic === undefined ? {} : { topic }), partition, from, to });
  }
  return ranges;
}

/** Ranges by their partition, for a run with many of them. */
export function rangeFinder(
  ranges: readonly Range[],
): (partition: TopicPartition) => Range | undefined {
  const found = new Map(ranges.map((range) => [`${range.topic ?? ""}/${range.partition}`, range]));
  return ({ topic, partition }) => found.get(`${topic}/${partition}`) ?? found.get(`/${partition}`);
}
