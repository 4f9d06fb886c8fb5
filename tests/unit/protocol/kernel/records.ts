/** Records written and read the plain way, to compare the kernel with. */
import { Kernel } from "../../../../lib/protocol/kernel/kernel.ts";

export interface PlainRecord {
  delta: number;
  value: Uint8Array | null;
  key?: Uint8Array | null;
  headers?: [name: Uint8Array, value: Uint8Array | null][];
}

/** The zigzag varint of an int32: https://kafka.apache.org/protocol#protocol_types */
export function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = ((value << 1) ^ (value >> 31)) >>> 0;
  for (; rest > 127; rest >>>= 7) bytes.push((rest & 127) | 128);
  return [...bytes, rest];
}

const sized = (bytes: Uint8Array | null | undefined) =>
  bytes ? [...varint(bytes.length), ...bytes] : varint(-1);

export function encodeRecord({ delta, value, key, headers = [] }: PlainRecord): Uint8Array {
  const body = [
    0,
    ...varint(delta * 3),
    ...varint(delta),
    ...sized(key),
    ...sized(value),
    ...varint(headers.length),
    ...headers.flatMap(([name, content]) => [...sized(name), ...sized(content)]),
  ];
  return new Uint8Array([...varint(body.length), ...body]);
}

/** Reads the records between `start` and `end`; null where they are malformed. */
export function decodeRecords(bytes: Uint8Array, start: number, end: number): PlainRecord[] {
  let at = start;
  const varint = () => {
    let value = 0n;
    for (let shift = 0n;; shift += 7n) {
      const byte = bytes[at++];
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return Number(BigInt.asIntN(64, (value >> 1n) ^ -(value & 1n)));
    }
  };
  const sized = () => {
    const size = varint();
    return size < 0 ? null : bytes.slice(at, at += size);
  };
  const records: PlainRecord[] = [];
  while (at < end) {
    const size = varint();
    const next = at + size;
    at++;
    varint();
    const delta = varint();
    const [key, value] = [sized(), sized()];
    const headers = Array.from({ length: varint() }, () => [sized()!, sized()]) as
      | NonNullable<PlainRecord["headers"]>
      | [];
    if (at !== next) throw new Error(`a record of ${size} bytes ends at ${at}, not at ${next}`);
    records.push({ delta, value, key, headers });
  }
  return records;
}

export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

export const utf8 = (text: string) => new TextEncoder().encode(text);

/** The smallest distance between rows and records that the kernel allows. */
export const GAP = 32;

/** Loads records after the smallest gap; returns where they start and end. */
export function load(kernel: Kernel, records: Uint8Array): [start: number, end: number] {
  kernel.reserve(GAP + records.length);
  const start = Kernel.DATA + GAP;
  kernel.bytes.set(records, start);
  return [start, start + records.length];
}

export interface Limits {
  count?: number;
  min?: number;
  max?: number;
  budget?: number;
  flags?: number;
}

/** Runs rows() on loaded records, without guard unless told, and returns the rows. */
export function rowsOf(kernel: Kernel, records: Uint8Array, limits: Limits = {}): Uint8Array {
  const { count = 1e9, min = 0, max = 0x7fffffff, budget = 0x7fffffff, flags = 0 } = limits;
  const [start, end] = load(kernel, records);
  const wanted = Math.min(
    count,
    count === 1e9 ? decodeRecords(records, 0, records.length).length : count,
  );
  const stop = kernel.rows({
    start,
    end,
    count: wanted,
    min,
    max,
    budget,
    out: Kernel.DATA,
    flags,
  });
  return kernel.bytes.slice(Kernel.DATA, stop);
}

/** The same numbers at every run: xorshift32. */
export function random(seed: number): (below: number) => number {
  let x = seed;
  return (below) => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return (x >>> 0) % below;
  };
}
