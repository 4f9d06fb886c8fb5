/** Avro values of random schemas, beside avsc. */
import { Buffer } from "node:buffer";
import avsc from "avsc";
import { parseAvroSchema } from "../../lib/records/avro.ts";
import { Stop } from "../../lib/protocol/kernel/kernel.ts";
import { Random } from "../support/random.ts";
import {
  asNumber,
  asString,
  at,
  content,
  number,
  object,
  type Plain,
  shortestDouble,
  shortestFloat,
} from "../unit/records/avro_decode.ts";
import { RandomAvro } from "../unit/records/avro_random.ts";
import { AvroRows } from "../unit/records/avro_rows.ts";
import { csvRows } from "../unit/records/golden.ts";
import { plainJson } from "../unit/records/protobuf_rows.ts";
import { pieces, shown, type Size, Tally } from "./tally.ts";

/** Values of one schema; each is compared as our bytes and as those that avsc writes. */
const WORLD = 50;

// deno-lint-ignore no-explicit-any
type Json = any;

/** avsc's own long is a double. */
const long = avsc.types.LongType.__with({
  fromBuffer: (bytes: Buffer) => bytes.readBigInt64LE(),
  toBuffer(value: bigint) {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(value);
    return bytes;
  },
  fromJSON: BigInt,
  toJSON: Number,
  isValid: (value: unknown) => typeof value === "bigint",
  compare: (a: bigint, b: bigint) => a === b ? 0 : a < b ? -1 : 1,
} as Json);

/** The schema without logical types, which avsc would look for. */
function plain(schema: Json): Json {
  if (Array.isArray(schema)) return schema.map(plain);
  if (typeof schema !== "object") return schema;
  const { logicalType: _, ...rest } = schema;
  if (schema.type === "record") {
    return { ...rest, fields: rest.fields.map((f: Json) => ({ ...f, type: plain(f.type) })) };
  }
  if (schema.type === "array") return { ...rest, items: plain(rest.items) };
  if (schema.type === "map") return { ...rest, values: plain(rest.values) };
  return schema.type === "fixed" || schema.type === "enum" ? rest : rest.type;
}

/** What a value that avsc has read is in a row, by the text of its schema. */
class Reading {
  readonly #named = new Map<string, Json>();

  of(schema: Json, value: Json): Plain {
    if (Array.isArray(schema)) return this.#union(schema, value);
    const full = typeof schema === "string" ? this.#named.get(schema) ?? { type: schema } : schema;
    if (full.name) this.#named.set(full.name, full);
    switch (full.type) {
      case "null":
        return { text: null, json: "null" };
      case "boolean":
        return asNumber(String(value));
      case "int":
      case "long":
        return number(BigInt(value), false, full.logicalType);
      case "float":
        return asNumber(shortestFloat(value));
      case "double":
        return asNumber(shortestDouble(value));
      case "string":
      case "enum":
        return asString(value);
      case "bytes":
      case "fixed":
        return content(value, full.logicalType, full.scale);
      case "record": {
        const fields = full.fields.map((field: Json): [string, Plain] => [
          field.name,
          this.of(field.type, value[field.name]),
        ]);
        return object(fields, new Map(fields));
      }
      case "array": {
        const items = value.map((item: Json) => this.of(full.items, item));
        const json = `[${items.map(({ json }: Plain) => json).join(",")}]`;
        return { text: json, json, items };
      }
      case "map": {
        const entries = Object.entries(value)
          .map(([key, item]): [string, Plain] => [key, this.of(full.values, item)]);
        return object(entries, new Map(entries));
      }
    }
    throw new Error(`not a schema: ${JSON.stringify(schema)}`);
  }

  /** A union's value is null, or an object with the branch's name. */
  #union(branches: Json[], value: Json): Plain {
    if (value === null) return { text: null, json: "null" };
    const [name] = Object.keys(value);
    const isNamed = (branch: Json) =>
      name ===
        (typeof branch === "string" ? branch : branch.name ??
          (branch.items || branch.values || !branch.type ? branch.type : branch.type));
    const found = this.of(branches.find(isNamed), value[name]);
    const isNullable = branches.length <= 2 && branches.includes("null");
    return isNullable ? found : { ...found, text: found.json };
  }
}

/** A field: JSON as what it means, for a map's order is free; any other text as it is. */
function comparable(text: string | null): unknown {
  if (text === null || !/^[[{]/.test(text)) return text;
  try {
    return plainJson(text);
  } catch {
    return text;
  }
}

function world(seed: number, count: number, tally: Tally): void {
  const avro = new RandomAvro(new Random(seed));
  // avsc rejects symbols with quotes, and the format has none.
  const text = JSON.stringify(avro.record()).replaceAll('q\\"q', "q_q");
  const schema = JSON.parse(text);
  const type = parseAvroSchema(text);
  const theirs = avsc.Type.forSchema(plain(schema), {
    registry: { long },
    wrapUnions: "always",
  } as Json);
  const paths = Array.from({ length: 6 }, () => avro.path(type));
  paths.push([], ["f0"], ["nowhere"]);
  const rows = new AvroRows(new Map([[null, text]]), paths);
  const values = Array.from({ length: count }, () => Uint8Array.from(avro.value(type)));
  tally.values += count;
  const decoded = values.map((bytes) => theirs.fromBuffer(Buffer.from(bytes)));
  const expected = decoded.map((value) => {
    const whole = new Reading().of(schema, value);
    return paths.map((path) => comparable(at(whole, path)?.text ?? null));
  });
  const written = decoded.map((value) => new Uint8Array(theirs.toBuffer(value)));
  for (const [who, inputs] of [["read by avsc", values], ["written by avsc", written]] as const) {
    const outcome = rows.run(inputs);
    const found = csvRows(outcome.rows);
    tally.rows += found.length;
    const at = expected.findIndex((row, i) =>
      JSON.stringify(row) !== JSON.stringify(found[i]?.map(comparable))
    );
    if (at === -1 && outcome.stop === Stop.done) continue;
    tally.differ(
      `${who}, seed ${seed}, ${text}, ${JSON.stringify(paths)}: ${JSON.stringify(found[at])} ` +
        `(${outcome.reason}) instead of ${JSON.stringify(expected[at])} of ${shown(inputs[at])}`,
    );
  }
}

export function avroFields({ values, seed }: Size): Promise<Tally> {
  const tally = new Tally();
  let next = seed * 1_000_000;
  for (const count of pieces(values, WORLD)) world(next++, count, tally);
  return Promise.resolve(tally);
}
