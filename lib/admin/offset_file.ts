import { Failure } from "../failure.ts";
import type { StoredOffset } from "../kafka/groups.ts";

/**
 * `rpk`: lines `TOPIC PARTITION OFFSET`, which rpk and kcl read. `zookeeper`: lines
 * `/consumers/GROUP/offsets/TOPIC/PARTITION:OFFSET`, which Kafka's ExportZkOffsets wrote.
 */
export const offsetFormats = ["rpk", "zookeeper"] as const;

export type OffsetFormat = typeof offsetFormats[number];

export interface OffsetFile {
  format: OffsetFormat;
  /** Whose offsets they are, where the format says so. */
  group: string | null;
  offsets: StoredOffset[];
}

/** The file of these offsets: equal offsets make equal bytes. */
export function formatOffsets(
  format: OffsetFormat,
  group: string,
  offsets: readonly StoredOffset[],
): string {
  return offsets.map(({ topic, partition, offset }) =>
    format === "rpk"
      ? `${topic} ${partition} ${offset}\n`
      : `/consumers/${group}/offsets/${topic}/${partition}:${offset}\n`
  ).join("");
}

const shapes: Record<OffsetFormat, RegExp> = {
  rpk: /^[ \t]*(?<topic>[a-zA-Z0-9._-]{1,249})[ \t]+(?<partition>\d+)[ \t]+(?<offset>\d+)[ \t]*$/,
  zookeeper:
    /^\/consumers\/(?<group>.+)\/offsets\/(?<topic>[a-zA-Z0-9._-]{1,249})\/(?<partition>\d+):(?<offset>\d+)[ \t]*$/,
};

/**
 * Reads a file of offsets; its first line says which format all others must have. Empty lines are
 * ignored. Throws Failure (record) naming the line that is wrong; `name` is the file's.
 */
export function parseOffsets(text: string, name: string): OffsetFile {
  let format: OffsetFormat | undefined;
  let group: string | null = null;
  const offsets: StoredOffset[] = [];
  const lines = new Map<string, number>();
  for (const [index, line] of text.replace(/^\ufeff/, "").split(/\r?\n/).entries()) {
    if (line.trim() === "") continue;
    const at = `${name} line ${index + 1}`;
    const found = offsetFormats.find((format) => shapes[format].test(line));
    if (!found) {
      throw wrong(
        at,
        `"${short(line)}" is neither TOPIC PARTITION OFFSET ` +
          "nor /consumers/GROUP/offsets/TOPIC/PARTITION:OFFSET",
      );
    }
    format ??= found;
    if (found !== format) throw wrong(at, `a ${found} line in a file of ${format} lines`);
    const { topic, partition, offset, group: its } = shapes[found].exec(line)!.groups!;
    group ??= its ?? null;
    if (its !== undefined && its !== group) {
      throw wrong(at, `group "${its}" in a file of group "${group}": one file holds one group`);
    }
    if (Number(partition) > 0x7fffffff || !Number.isSafeInteger(Number(offset))) {
      throw wrong(at, `"${short(line)}" has a number that is too large`);
    }
    const item = { topic, partition: Number(partition), offset: Number(offset) };
    const key = `${topic}/${item.partition}`;
    const earlier = lines.get(key);
    if (earlier !== undefined) {
      throw wrong(at, `topic "${topic}" partition ${partition} is in line ${earlier} already`);
    }
    lines.set(key, index + 1);
    offsets.push(item);
  }
  if (format === undefined) throw new Failure("record", `${name} contains no offsets`);
  return { format, group, offsets };
}

function wrong(at: string, why: string): Failure {
  return new Failure("record", `${at}: ${why}`);
}

function short(line: string): string {
  return line.length > 100 ? `${line.slice(0, 100)}…` : line;
}
