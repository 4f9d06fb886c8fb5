/** Change events like those of Debezium 3.6, of a table with large values. */
import type { TestRecord } from "./kafka.ts";

/** What Debezium writes for a large value that an UPDATE did not change. */
export const ABSENT = "__debezium_unavailable_value";

export interface Row {
  id: number;
  name?: string | null;
  note?: string | null;
  data?: string | null;
  doc?: string | null;
}

/** A record with its key. */
export function event(op: string, row: Row): TestRecord {
  const whole = { name: null, note: null, data: null, doc: null, ...row };
  const [before, after] = op === "d" ? [whole, null] : [null, whole];
  const source = { version: "3.6.1.Final", connector: "postgresql", table: "orders" };
  const value = { before, after, source, transaction: null, op, ts_ms: 1 };
  return { key: JSON.stringify({ id: row.id }), value: JSON.stringify(value) };
}
