import { consume } from "../consume/consume.ts";
import { MEMORY_MAX } from "../consume/memory_limits.ts";
import { type ConsumeOptions, isStructured } from "../consume/options.ts";
import type { ClientConfig } from "../kafka/config.ts";
import type { TopicPartition } from "../kafka/partitions.ts";
import { splitRows } from "../consume/csv.ts";
import type { RegistryConfig } from "../registry/config.ts";
import type { Say } from "./findings.ts";

/** Rows kept of a sample, bytes: records may be a megabyte each. */
const MOST_BYTES = 16 * 1024 * 1024;

/** How a reader makes rows of records: what of its flags decides over that. */
export type RowOptions =
  & Pick<ConsumeOptions, "columns" | "tombstones" | "isolation" | "badRecord">
  & Pick<ConsumeOptions, "value" | "csv" | "fields" | "key" | "keyFields" | "schema">
  & {
    /** The values of its --registry. */
    registries: readonly string[];
  };

/** A row as the reader would write it, and the record that it comes from. */
export interface SampleRow {
  partition: number;
  offset: number;
  row: string;
}

/** What was read of a topic's last records. */
export interface Sample {
  rows: SampleRow[];
  /** The paths of structured values that no row had a field for. */
  neverMet: readonly string[];
}

/**
 * Reads the last records of each partition through the record guard, as the consumer does.
 * Returns the rows; null if there are none to look at.
 */
export async function checkRows(
  say: Say,
  config: ClientConfig,
  partitions: readonly TopicPartition[],
  count: number,
  options: RowOptions,
  registry: RegistryConfig | null,
): Promise<Sample | null> {
  const bad: string[] = [];
  const chunks: Uint8Array[] = [];
  let kept = 0;
  const stream = new WritableStream<Uint8Array>({
    write(chunk) {
      if (kept > MOST_BYTES) return;
      chunks.push(chunk.slice());
      kept += chunk.length;
    },
  });
  const summary = await consume(
    {
      topics: [partitions[0].topic],
      group: "",
      start: { at: "back", count },
      fallback: "earliest",
      onLost: "earliest",
      assignment: { share: "all" },
      partitions: partitions.map(({ partition }) => partition),
      ranges: null,
      maxRecords: Infinity,
      commit: false,
      until: "end",
      rack: "",
      metadataMaxAge: 60_000,
      checkCrcs: true,
      memoryMax: MEMORY_MAX,
      ...options,
      registry,
      badRecord: "skip",
      columns: ["partition", "offset", ...options.columns],
    },
    config,
    stream,
    (line) => bad.push(line.replace(/; left out$/, "")),
  );
  const text = new TextDecoder().decode(await new Blob(chunks as BlobPart[]).bytes());
  const rows = splitRows(text).map(sampleRow);
  sayGuarded(say, summary.records, summary.tombstones, bad, options);
  return rows.length > 0 ? { rows, neverMet: summary.neverMet ?? [] } : null;
}

function sayGuarded(
  say: Say,
  records: number,
  tombstones: number,
  bad: readonly string[],
  { badRecord, value }: RowOptions,
): void {
  const total = records + bad.length;
  const nulls = tombstones > 0 ? `; ${tombstones} null values are left out` : "";
  if (bad.length === 0) {
    const finding = total === 0
      ? "the topic has no records"
      : `each of the last ${total} is one row`;
    say("ok", finding + nulls);
    return;
  }
  const more = bad.length > 1 ? `, and ${bad.length - 1} more` : "";
  const finding = `${bad.length} of the last ${total} records are not valid rows: ${
    bad[0]
  }${more}${nulls}`;
  if (badRecord === "fail") {
    const other = bad.some((line) => line.includes(" is in a Confluent frame, schema "))
      ? "; --value avro or protobuf with --registry URL and --fields reads framed values"
      : isStructured(value)
      ? ""
      : "; --value field or hex accepts values that are not CSV";
    say("fail", finding, `--bad-record skip or dead-letter=TOPIC leaves such records out${other}`);
  } else if (badRecord === "pass") {
    say("fail", finding, "--bad-record pass writes them as they are, and rows break or vanish");
  } else say("warn", finding, "--bad-record leaves them out");
}

/** `3,17,a,b` is the row `a,b` of partition 3, offset 17. */
function sampleRow(line: string): SampleRow {
  const first = line.indexOf(",");
  const second = line.indexOf(",", first + 1);
  return {
    partition: Number(line.slice(0, first)),
    offset: Number(line.slice(first + 1, second)),
    row: line.slice(second + 1),
  };
}
