/** Kinds of slots, as in slots.as.ts of the kernel: what was found of a field, and how it is written. */
export const SlotKind = {
  missing: 0,
  null: 1,
  text: 2,
  escaped: 3,
  raw: 4,
  json: 5,
  int: 6,
  uint: 7,
  float: 8,
  double: 9,
  bool: 10,
  bytes: 11,
  date: 12,
  timeMillis: 13,
  timeMicros: 14,
  timestampMillis: 15,
  timestampMicros: 16,
  timestampNanos: 17,
  localMillis: 18,
  localMicros: 19,
  localNanos: 20,
  uuid: 21,
  duration: 22,
  decimal: 23,
  symbol: 24,
  avro: 25,
  proto: 26,
  bigDecimal: 27,
} as const;

/** Size of a slot, bytes. */
export const SLOT_SIZE = 24;
