/** Avro read the plain way, to compare the kernel with. */
import type { AvroType, Logical } from "../../../lib/records/avro.ts";

/** A value: what a field of a row has of it, and as JSON text. */
export interface Plain {
  /** null: an empty field. */
  text: string | null;
  json: string;
  /** It cannot be part of a row, though the bytes around it can be read. */
  bad?: boolean;
  /** Of records and maps, arrays; the last of several with the same key. */
  names?: Map<string, Plain>;
  items?: Plain[];
}

/** The bytes are not a value of the schema. */
export class NotAvro extends Error {}

export class PlainReader {
  readonly #bytes: Uint8Array;
  #at = 0;
  /** Whether a block said how long it is: what is wrong inside need not be seen. */
  sized = false;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** The whole of the bytes as one value. Throws NotAvro. */
  whole(type: AvroType): Plain {
    const value = this.#value(type, 0);
    if (this.#at !== this.#bytes.length) throw new NotAvro("bytes are left");
    return value;
  }

  #take(size: number): Uint8Array {
    if (size < 0 || this.#at + size > this.#bytes.length) throw new NotAvro("cut");
    return this.#bytes.subarray(this.#at, this.#at += size);
  }

  #long(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const [byte] = this.#take(1);
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) {
        if (value >= 1n << 64n) break;
        return BigInt.asIntN(64, (value >> 1n) ^ -(value & 1n));
      }
    }
    throw new NotAvro("more than 64 bits");
  }

  #sized(): Uint8Array {
    const size = this.#long();
    if (size < 0n || size > this.#bytes.length) throw new NotAvro("length");
    return this.#take(Number(size));
  }

  #value(type: AvroType, depth: number): Plain {
    if (depth > 900) throw new NotAvro("deep");
    switch (type.type) {
      case "null":
        return { text: null, json: "null" };
      case "boolean": {
        const [byte] = this.#take(1);
        return { ...asNumber(String(byte === 1)), bad: byte > 1 };
      }
      case "int":
      case "long": {
        const value = this.#long();
        const bad = type.type === "int" && value !== BigInt.asIntN(32, value);
        return number(value, bad, type.logical);
      }
      case "float":
      case "double": {
        const wide = type.type === "double";
        const bytes = this.#take(wide ? 8 : 4);
        const view = new DataView(bytes.buffer, bytes.byteOffset);
        const value = wide ? view.getFloat64(0, true) : view.getFloat32(0, true);
        const text = wide ? shortestDouble(value) : shortestFloat(value);
        return Number.isFinite(value) ? asNumber(text) : asString(text);
      }
      case "string": {
        const bytes = this.#sized();
        try {
          const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
          return { ...asString(text), bad: text.includes("\0") };
        } catch {
          return { ...asString(""), bad: true };
        }
      }
      case "bytes":
        return content(this.#sized(), type.logical, type.scale);
      case "fixed":
        return content(this.#take(type.size), type.logical, type.scale);
      case "enum": {
        const index = this.#long();
        const symbol = type.symbols[Number(index)];
        return { ...asString(symbol ?? ""), bad: symbol === undefined };
      }
      case "union": {
        const branch = type.branches[Number(this.#long())];
        if (!branch) throw new NotAvro("branch");
        const value = this.#value(branch, depth + 1);
        const nullable = type.branches.length === 1 ||
          type.branches.length === 2 && type.branches.some(({ type }) => type === "null");
        return nullable || branch.type === "null" ? value : { ...value, text: value.json };
      }
      case "record": {
        const names = new Map<string, Plain>();
        for (const field of type.fields) names.set(field.name, this.#value(field.type, depth + 1));
        return object([...names], names);
      }
      case "array": {
        const items: Plain[] = [];
        this.#blocks(() => items.push(this.#value(type.items, depth + 1)));
        const json = `[${items.map(({ json }) => json).join(",")}]`;
        return { text: json, json, items, bad: items.some(({ bad }) => bad) };
      }
      case "map": {
        const entries: [string, Plain][] = [];
        let bad = false;
        this.#blocks(() => {
          const key = this.#value({ type: "string" }, depth);
          bad ||= key.bad === true;
          // A key that is not UTF-8 is none that a path names.
          const name = key.bad ? `\0${entries.length}` : key.text!;
          entries.push([name, this.#value(type.values, depth + 1)]);
        });
        const value = object(entries, new Map(entries));
        return { ...value, bad: bad || value.bad };
      }
    }
  }

  #blocks(item: () => void): void {
    while (true) {
      let count = this.#long();
      if (count === 0n) return;
      let end = -1;
      if (count < 0n) {
        this.sized = true;
        count = -count;
        const size = this.#long();
        if (size < 0n || size > this.#bytes.length - this.#at) throw new NotAvro("block size");
        end = this.#at + Number(size);
      }
      if (count > 1000000n) throw new NotAvro("count");
      for (let i = 0; i < count; i++) item();
      if (end >= 0 && this.#at !== end) throw new NotAvro("block end");
    }
  }
}

export function asNumber(text: string): Plain {
  return { text, json: text };
}

export function asString(text: string): Plain {
  return { text, json: JSON.stringify(text) };
}

export function object(entries: [string, Plain][], names: Map<string, Plain>): Plain {
  const json = `{${entries.map(([key, { json }]) => `${JSON.stringify(key)}:${json}`).join(",")}}`;
  return { text: json, json, names, bad: entries.some(([, { bad }]) => bad) };
}

export function shortestDouble(value: number): string {
  return Object.is(value, -0) ? "-0" : String(value);
}

/** The fewest digits that read back as the float; of several the nearest, of two as near the even one. */
export function shortestFloat(value: number): string {
  if (value === 0 || !Number.isFinite(value)) return Object.is(value, -0) ? "-0" : String(value);
  const sign = value < 0 ? "-" : "";
  const [mantissa, exponent] = Math.abs(value).toExponential(60).split("e");
  const all = mantissa.replace(".", "");
  for (let digits = 1;; digits++) {
    const under = BigInt(all.slice(0, digits)), over = under + 1n;
    const half = `5${"0".repeat(60 - digits)}`, rest = all.slice(digits);
    const isUp = rest > half || rest === half && under % 2n === 1n;
    for (const candidate of isUp ? [over, under] : [under, over]) {
      const text = `${sign}${candidate}e${Number(exponent) - digits + 1}`;
      if (Math.fround(Number(text)) === value) return String(Number(text));
    }
  }
}

const perSecond = { millis: 1000n, micros: 1000000n, nanos: 1000000000n };

/** A number of a logical type; bad if it stands for no time that has a text. */
export function number(value: bigint, bad: boolean, logical: Logical | undefined): Plain {
  if (logical === undefined) return { ...asNumber(String(value)), bad };
  const none = { ...asString(""), bad: true };
  if (bad) return none;
  const [, what, unit] = /^(date|time|timestamp|local-timestamp)-?(\w*)$/.exec(logical)!;
  if (what === "date") {
    if (value < -719162n || value >= 2932897n) return none;
    return asString(new Date(Number(value) * 86400000).toISOString().slice(0, 10));
  }
  const part = perSecond[unit as keyof typeof perSecond];
  const second = value >= 0n || value % part === 0n ? value / part : value / part - 1n;
  if (what === "time" && (value < 0n || value >= 86400n * part)) return none;
  if (second < -62135596800n || second >= 253402300800n) return none;
  const digits = String(value - second * part).padStart(String(part).length - 1, "0");
  const iso = new Date(Number(second) * 1000).toISOString().slice(0, 19);
  if (what === "time") return asString(`${iso.slice(11)}.${digits}`);
  return asString(`${iso}.${digits}${what === "timestamp" ? "Z" : ""}`);
}

/** Bytes of a logical type. */
export function content(bytes: Uint8Array, logical: Logical | undefined, scale = 0): Plain {
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  if (logical === undefined) return asString(`\\x${hex}`);
  if (logical === "uuid") return asString(hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-"));
  if (logical === "decimal") {
    const value = BigInt.asIntN(8 * bytes.length, BigInt(`0x0${hex}`));
    const digits = String(value < 0n ? -value : value).padStart(scale + 1, "0");
    const at = digits.length - scale;
    return asNumber(
      (value < 0n ? "-" : "") + digits.slice(0, at) + (scale ? `.${digits.slice(at)}` : ""),
    );
  }
  throw new Error(`not compared: ${logical}`);
}

/** What a path finds: undefined if nothing. */
export function at(value: Plain, path: readonly (string | number)[]): Plain | undefined {
  let inner: Plain | undefined = value;
  for (const step of path) {
    inner = typeof step === "string" ? inner?.names?.get(step) : inner?.items?.[step];
  }
  return inner;
}
