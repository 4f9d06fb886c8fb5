/** Rows written as Avro, and read by avsc. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import avsc from "avsc";
import type { ProduceOptions } from "../../../lib/produce/options.ts";
import { parseAvroSchema } from "../../../lib/records/avro_schema.ts";
import type { RecordType } from "../../../lib/records/avro_types.ts";
import { bytesOf, packAll } from "./support.ts";

const utf8 = new TextEncoder();

/** Options that write the columns a, b, … by a schema of these types. */
export function optionsOf(
  types: unknown[],
  more: Partial<ProduceOptions> = {},
): Partial<ProduceOptions> {
  const names = types.map((_, i) => "abcdefghijklmnop"[i]);
  const schema = schemaOf(types);
  const record = parseAvroSchema(JSON.stringify(schema)) as RecordType;
  return {
    ...{ split: "csv", value: "avro", schema: { record, id: 258 } },
    columns: names.map((name) => ({ name, type: "text" })),
    ...more,
  };
}

function schemaOf(types: unknown[]) {
  const fields = types.map((type, i) => ({ name: "abcdefghijklmnop"[i], type }));
  return { type: "record" as const, name: "R", fields };
}

/** What avsc, which shares nothing with the code under test, reads of framed values. */
export function read(types: unknown[], values: readonly string[]): unknown[][] {
  const type = avsc.Type.forSchema(schemaOf(types) as never, {
    wrapUnions: false,
    noAnonymousTypes: false,
  });
  return values.map((value) => {
    const bytes = Buffer.from(bytesOf(value));
    assert.deepEqual([...bytes.subarray(0, 5)], [0, 0, 0, 1, 2]);
    return Object.values(type.fromBuffer(bytes.subarray(5)) as Record<string, unknown>);
  });
}

/** The values that a column of this type has for these texts. */
export async function valuesOf(type: unknown, texts: readonly string[]): Promise<unknown[]> {
  const { rows } = await packAll(
    [utf8.encode(texts.map((text) => `${text}\n`).join(""))],
    optionsOf([type]),
    1,
  );
  return read([type], rows.map(({ value }) => value)).map(([value]) => value);
}

export const csv = (text: string) => `"${text.replaceAll('"', '""')}"`;
export const logical = (type: string, logicalType: string, more = {}) => ({
  type,
  logicalType,
  ...more,
});
