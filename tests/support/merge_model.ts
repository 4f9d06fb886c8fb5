/**
 * Random histories of a keyed table as records of a topic, and what the table must hold after each
 * of its loads.
 */
import type { TestRecord } from "./kafka.ts";
import type { Planned } from "./load_scripted.ts";
import { Random } from "./random.ts";

/** A row of the merged table. */
export interface ModelRow {
  id: number;
  part: string;
  name: string | null;
  amount: number | null;
}

/** What a load of a batch must count. */
export interface Expected {
  inserted: number;
  updated: number;
  deleted: number;
  filtered: number;
  rows_read: number;
}

/** One load: what the planner and the reader print, and what is there after it. */
export interface Batch {
  planned: Planned[];
  rows: string[];
  table: ModelRow[];
  expected: Expected;
}

const PARTITIONS = 3;

/** A history that goes on from batch to batch; `id` and `part` are the key. */
export class History {
  readonly #random: Random;
  readonly #ends = new Array<number>(PARTITIONS).fill(0);
  #table = new Map<string, ModelRow>();

  constructor(seed: number) {
    this.#random = new Random(seed);
  }

  /** Returns what undoes all batches from now on: records that are never loaded. */
  mark(): () => void {
    const table = new Map(this.#table);
    return () => {
      this.#table = new Map(table);
    };
  }

  /** The next `records` offsets: rows `partition,offset,tombstone,id,part,name,amount,op`. */
  next(records: number): Batch {
    const random = this.#random;
    const before = new Set(this.#table.keys());
    const last = new Map<string, "row" | "delete">();
    const rows: string[] = [];
    let filtered = 0;
    for (let i = 0; i < records; i++) {
      const id = random.int(1, 12);
      const part = random.int(0, 1) === 0 ? "x" : "y, z";
      // A key stays in its partition.
      const partition = (id + part.length) % PARTITIONS;
      const offset = this.#ends[partition]++;
      const key = `${id}/${part}`;
      const front = `${partition},${offset}`;
      const quoted = `"${part}"`;
      const kind = random.int(0, 9);
      if (kind === 0) continue; // of an aborted transaction, or its marker
      if (kind === 1) {
        rows.push(`${front},t,${id},${quoted},,,`);
      } else if (kind === 2) {
        // What a delete has beside its key does not matter, not even to the filter.
        rows.push(`${front},f,${id},${quoted},TEST,no number,d`);
      } else if (kind === 3) {
        rows.push(`${front},f,${id},${quoted},TEST,1,u`);
        filtered++;
        continue;
      } else {
        const name = random.int(0, 5) === 0 ? null : `n${random.int(0, 99)}`;
        const amount = random.int(0, 5) === 0 ? null : random.int(0, 1000);
        rows.push(
          `${front},f,${id},${quoted},${name ?? ""},${amount ?? ""},${kind < 6 ? "i" : "u"}`,
        );
        this.#table.set(key, { id, part, name, amount: amount === null ? null : amount * 2 });
        last.set(key, "row");
        continue;
      }
      this.#table.delete(key);
      last.set(key, "delete");
    }
    const count = (how: "row" | "delete", had: boolean) =>
      [...last].filter(([key, one]) => one === how && before.has(key) === had).length;
    const table = [...this.#table.values()]
      .sort((a, b) => a.id - b.id || (a.part < b.part ? -1 : 1));
    return {
      planned: this.#ends.map((end) => ({ end })),
      rows: random.shuffle(rows), // partitions arrive in any order
      table: structuredClone(table),
      expected: {
        inserted: count("row", false),
        updated: count("row", true),
        deleted: count("delete", true),
        filtered,
        rows_read: rows.length,
      },
    };
  }
}

/** The model's rows as records of each partition: their key and their value are JSON. */
export function recordsOf(batch: Batch): TestRecord[][] {
  const found: { offset: number; record: TestRecord }[][] = Array.from(
    { length: PARTITIONS },
    () => [],
  );
  for (const row of batch.rows) {
    const match = /^(\d+),(\d+),([tf]),(\d+),"(.*)",([^,]*),([^,]*),([^,]*)$/.exec(row)!;
    const [partition, offset, tombstone, id, part, name, amount, op] = match.slice(1);
    const value = tombstone === "t" ? null : JSON.stringify({
      name: name === "" ? null : name,
      ...(amount === "" ? {} : { amount }),
      op,
    });
    const record = { key: JSON.stringify({ part, id: Number(id) }), value };
    found[Number(partition)].push({ offset: Number(offset), record });
  }
  return found.map((some) => some.sort((a, b) => a.offset - b.offset).map(({ record }) => record));
}
