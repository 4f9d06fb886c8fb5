/** Avro's encoding written the plain way, for tests: a value is what its parts are, in order. */

/** An int or a long. */
export function long(value: number | bigint): number[] {
  let rest = BigInt.asUintN(64, (BigInt(value) << 1n) ^ (BigInt(value) >> 63n));
  const bytes: number[] = [];
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return [...bytes, Number(rest)];
}

export function string(text: string): number[] {
  const bytes = new TextEncoder().encode(text);
  return [...long(bytes.length), ...bytes];
}

export function bytes(...content: number[]): number[] {
  return [...long(content.length), ...content];
}

export function double(value: number): number[] {
  return [...new Uint8Array(new Float64Array([value]).buffer)];
}

export function float(value: number): number[] {
  return [...new Uint8Array(new Float32Array([value]).buffer)];
}

/** One block of items; `sized`: it says how long it is. */
export function block(items: number[][], sized = false): number[] {
  const content = items.flat();
  return sized
    ? [...long(-items.length), ...long(content.length), ...content]
    : [...long(items.length), ...content];
}

/** An array of one block. */
export function array(...items: number[][]): number[] {
  return items.length === 0 ? [0] : [...block(items), 0];
}

/** A map of one block. */
export function map(entries: Record<string, number[]>): number[] {
  return array(...Object.entries(entries).map(([key, value]) => [...string(key), ...value]));
}

export function of(...parts: number[][]): Uint8Array {
  return Uint8Array.from(parts.flat());
}

/** The schema of a record. */
export function record(name: string, fields: Record<string, unknown>): Record<string, unknown> {
  return {
    type: "record",
    name,
    fields: Object.entries(fields).map(([name, type]) => ({ name, type })),
  };
}
