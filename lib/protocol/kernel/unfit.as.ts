// Why the open record can't be a row; the reasons are named in reasons.ts.

export const NUL = 1, NOT_UTF8 = 2, END_MARK = 3, NO_TIME = 4;
/** 5 to 19: what is wrong with JSON and with frames; 20 to 39: Avro and typed fields; 40 to 59: Protobuf; 60 on: rows in a value. */
export const NO_FRAME = 5, CUT_FRAME = 6;
export const AVRO_CUT = 20, AVRO_LEFT = 21, AVRO_NUMBER = 22, AVRO_LENGTH = 23, AVRO_BRANCH = 24;
export const AVRO_SYMBOL = 25, AVRO_BOOLEAN = 26, AVRO_DEEP = 27, AVRO_BLOCK = 28, AVRO_EMPTY = 29;
export const NO_TIME_OF_DAY = 30, LONG_DURATION = 31, LONG_DECIMAL = 32;
export const EMPTY = 60, EMPTY_ROW = 61, NEWLINE = 62, CARRIAGE_RETURN = 63, OPEN_QUOTE = 64;

/** Why a field can't stand in a row, 0 if it can. */
export let unfit: i32 = 0;
/** Whether a row needs more room than up to `limit`. */
export let overflow: bool = false;
/** Where the slots of a row must end: there is room after it for its other fields. */
export let limit: usize = 0;
/** What a walker says of a value that is not of its format: the byte, from 0, and the slot, -1 if unknown. */
export let badAt: i32 = -1;
export let badSlot: i32 = -1;

// @ts-ignore: decorator
@inline
export function reject(reason: i32): void {
  unfit = reason;
}

/** The row at hand has no room: it is made again with more. */
// @ts-ignore: decorator
@inline
export function overflows(): void {
  overflow = true;
}

/** Where in the value, and in which slot's path, a walker found what it rejects. */
// @ts-ignore: decorator
@inline
export function blame(at: i32, slot: i32): void {
  badAt = at;
  badSlot = slot;
}

/** The next record. */
// @ts-ignore: decorator
@inline
export function clearUnfit(): void {
  unfit = 0;
  overflow = false;
}

export function setLimit(enough: usize): void {
  limit = enough;
}
