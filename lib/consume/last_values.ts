import { Cluster } from "../kafka/cluster.ts";
import type { ClientConfig } from "../kafka/config.ts";
import { logEnd, readLogs } from "../kafka/logs.ts";
import { allPartitions } from "../kafka/partitions.ts";
import { listOffsets } from "../protocol/messages/list_offsets.ts";
import { consume } from "./consume.ts";
import { splitFields, splitRows } from "./csv.ts";
import { MEMORY_MAX } from "./memory_limits.ts";
import type { Range } from "./options.ts";

/** Transactions and compaction leave offsets without records: then more of them are looked at. */
const MOST_TRIES = 4;
/** Enough of the records that were asked for. */
const ENOUGH = 0.9;

/** What is told of the last records of a topic. */
export interface LastValues {
  /** Records that are values, without null values. */
  values: number;
  /** Null values. */
  tombstones: number;
  /** A line for each record that is not such a value. */
  bad: readonly string[];
  /** Whether there was more text than was wanted. */
  cut: boolean;
}

/**
 * Gives the last JSON values of a topic to `take`, about `count` of them, of each partition its share;
 * but no more than `mostBytes` of text. `take` gets a value as path `.` is written, and `restart`
 * is called when all that it has got comes again, as there were too few. Throws Failure if the topic
 * cannot be read.
 */
export async function lastJsonValues(
  topic: string,
  count: number,
  mostBytes: number,
  config: ClientConfig,
  take: (value: string) => void,
  restart: () => void,
): Promise<LastValues> {
  const logs = await logsOf(topic, config);
  const all = logs.reduce((sum, { from, to }) => sum + to - from, 0);
  let found: LastValues = { values: 0, tombstones: 0, bad: [], cut: false };
  let offsets = count;
  for (let tries = 1; all > 0; tries++) {
    restart();
    found = await valuesOf(topic, lastOffsets(logs, offsets), mostBytes, config, take);
    const records = found.values + found.bad.length;
    const enough = records >= ENOUGH * count || found.cut;
    if (enough || offsets >= all || tries === MOST_TRIES) break;
    offsets *= Math.max(2, Math.min(100, Math.ceil(count / Math.max(1, records))));
  }
  return found;
}

/** What the partitions hold for readers of committed records. */
async function logsOf(topic: string, config: ClientConfig): Promise<Range[]> {
  const cluster = new Cluster(config, [listOffsets]);
  try {
    const partitions = await allPartitions(cluster, [topic]);
    const logs = await readLogs(cluster, partitions);
    return logs.map((log, i) => ({
      partition: partitions[i].partition,
      from: log.start,
      to: logEnd(log, "read_committed"),
    }));
  } finally {
    cluster.close();
  }
}

/** The last offsets of each, this many in all: what a short partition lacks, others have more. */
function lastOffsets(logs: readonly Range[], count: number): Range[] {
  const filled = logs.filter(({ from, to }) => to > from)
    .sort((a, b) => (a.to - a.from) - (b.to - b.from));
  let left = count;
  return filled.map(({ partition, from, to }, i) => {
    const share = Math.min(to - from, Math.ceil(left / (filled.length - i)));
    left -= share;
    return { partition, from: to - share, to };
  }).filter(({ from, to }) => to > from);
}

async function valuesOf(
  topic: string,
  ranges: Range[],
  mostBytes: number,
  config: ClientConfig,
  take: (value: string) => void,
): Promise<LastValues> {
  const bad: string[] = [];
  const decoder = new TextDecoder();
  let text = "";
  let taken = 0;
  let values = 0;
  const stream = new WritableStream<Uint8Array>({
    write(chunk) {
      if (taken > mostBytes) return;
      text += decoder.decode(chunk, { stream: true });
      const rows = splitRows(text);
      let end = 0;
      for (const row of rows) {
        end += row.length + 1;
        values++;
        take(splitFields(row)[0] ?? "null");
      }
      taken += end;
      text = text.slice(end);
    },
  });
  const { tombstones } = await consume(
    {
      topics: [topic],
      group: "",
      start: { at: "earliest" },
      fallback: "earliest",
      onLost: "earliest",
      assignment: { share: "all" },
      partitions: null,
      ranges,
      maxRecords: Infinity,
      commit: false,
      isolation: "read_committed",
      rack: "",
      badRecord: "skip",
      value: "json",
      csv: null,
      fields: [{ text: ".", steps: [] }],
      key: null,
      keyFields: [],
      registry: null,
      schema: null,
      columns: [],
      until: "end",
      metadataMaxAge: 60_000,
      tombstones: "skip",
      checkCrcs: true,
      memoryMax: MEMORY_MAX,
    },
    config,
    stream,
    (line) => bad.push(line.replace(/; left out$/, "")),
  );
  return { values, tombstones, bad, cut: taken > mostBytes };
}
