// Slots: what a walker found of each wanted field, and where; 24 bytes each. The kinds have the
// same names in lib/records/slots.ts.

/** The field is not there: an empty field. */
export const MISSING: u32 = 0;
/** It is null: an empty field. */
export const NULL: u32 = 1;
/** `size` bytes of UTF-8 at `at`; `extra` 1: known to be UTF-8 without NUL. */
export const TEXT: u32 = 2;
/** The body of a JSON string with valid escapes, well-formed UTF-8. */
export const ESCAPED: u32 = 3;
/** ASCII that needs no quotes: a JSON number, true, false. */
export const RAW: u32 = 4;
/** Valid JSON text of an object or array. */
export const JSON: u32 = 5;
/** `value`, signed. */
export const INT: u32 = 6;
/** `value`, unsigned. */
export const UINT: u32 = 7;
/** The bits of an f32 in `value`. */
export const FLOAT: u32 = 8;
/** The bits of an f64 in `value`. */
export const DOUBLE: u32 = 9;
/** `value` 0 or 1. */
export const BOOL: u32 = 10;
/** `size` bytes at `at`, as hex. */
export const BYTES: u32 = 11;
/** `value`: days since 1970. */
export const DATE: u32 = 12;
export const TIME_MILLIS: u32 = 13;
export const TIME_MICROS: u32 = 14;
/** `value`: since 1970 in UTC. */
export const TIMESTAMP_MILLIS: u32 = 15;
export const TIMESTAMP_MICROS: u32 = 16;
export const TIMESTAMP_NANOS: u32 = 17;
/** The same without a zone. */
export const LOCAL_MILLIS: u32 = 18;
export const LOCAL_MICROS: u32 = 19;
export const LOCAL_NANOS: u32 = 20;
/** 16 bytes at `at`, or its text if `size` is 36. */
export const UUID: u32 = 21;
/** 12 bytes at `at`: months, days, milliseconds, little-endian. */
export const DURATION: u32 = 22;
/** Big-endian two's complement of `size` bytes at `at`; `extra`: the scale. */
export const DECIMAL: u32 = 23;
/** Trusted UTF-8 inside the program: an enum's or oneof's name. */
export const SYMBOL: u32 = 24;
/** An Avro composite of `size` bytes at `at`; `extra`: its schema's node. */
export const AVRO: u32 = 25;
/** A Protobuf composite of `size` bytes at `at`; `extra`: its descriptor. */
export const PROTO: u32 = 26;
/** Avro's big-decimal of `size` bytes at `at`: the number's own bytes, and its scale. */
export const BIG_DECIMAL: u32 = 27;

export const SLOT_SIZE: usize = 24;

/** Where the slots are. */
export let slots: usize = 0;
let slotsSize: usize = 0;

export function setSlots(at: usize, count: u32): void {
  slots = at;
  slotsSize = count * SLOT_SIZE;
}

/** Nothing was found of any field. */
// @ts-ignore: decorator
@inline
export function clearSlots(): void {
  // By hand: a call out of WebAssembly costs more. What is after the last one is room up to 64 bytes.
  const end = slots + slotsSize;
  for (let p = slots; p < end; p += 16) v128.store(p, i8x16.splat(0));
}

/** Where slot n is. */
// @ts-ignore: decorator
@inline
export function slotAt(n: u32): usize {
  return slots + <usize>n * SLOT_SIZE;
}

/** Bytes of a kind for slot n. */
// @ts-ignore: decorator
@inline
export function setBytes(n: u32, kind: u32, at: usize, size: u32, extra: u32): void {
  const slot = slotAt(n);
  store<u32>(slot, kind);
  store<u32>(slot, size, 4);
  store<u32>(slot, <u32>at, 8);
  store<u32>(slot, extra, 12);
}

/** A number of a kind for slot n. */
// @ts-ignore: decorator
@inline
export function setValue(n: u32, kind: u32, value: i64, extra: u32): void {
  const slot = slotAt(n);
  store<u32>(slot, kind);
  store<u32>(slot, extra, 12);
  store<i64>(slot, value, 16);
}

/** The accessors of a slot at this address. */
// @ts-ignore: decorator
@inline
export function slotSize(slot: usize): usize {
  return <usize>load<u32>(slot, 4);
}
// @ts-ignore: decorator
@inline
export function slotBytes(slot: usize): usize {
  return <usize>load<u32>(slot, 8);
}
// @ts-ignore: decorator
@inline
export function slotExtra(slot: usize): u32 {
  return load<u32>(slot, 12);
}
// @ts-ignore: decorator
@inline
export function slotValue(slot: usize): i64 {
  return load<i64>(slot, 16);
}
