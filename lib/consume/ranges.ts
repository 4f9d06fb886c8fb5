import { Failure } from "../failure.ts";
import type { Range } from "./options.ts";

/**
 * Reads `0:100-250,3:0-17`: partition, first offset, end offset (exclusive). Throws Failure (usage)
 * naming the part that is wrong; each partition may be given once.
 */
export function parseRanges(text: string): Range[] {
  const ranges: Range[] = [];
  if (text.trim() === "") return ranges;
  for (const part of text.split(",")) {
    const match = /^\s*(\d{1,10}):(\d{1,15})-(\d{1,15})\s*$/.exec(part);
    const [partition, from, to] = (match ?? []).slice(1).map(Number);
    if (!match || from > to) {
      throw new Failure("usage", `--ranges: "${part}" is not PARTITION:FROM-TO with FROM <= TO`);
    }
    if (ranges.some((range) => range.partition === partition)) {
      throw new Failure("usage", `--ranges: partition ${partition} is given twice`);
    }
    ranges.push({ partition, from, to });
  }
  return ranges;
}
