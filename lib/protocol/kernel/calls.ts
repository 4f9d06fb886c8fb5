// What the kernel is asked for, and what it answers.

/** Why {@link Kernel.rows} returned. */
export const Stop = {
  /** All the records were seen. */
  done: 0,
  /** A value needs an exact look: it lies at valueAt, valueLength bytes (negative: null). */
  suspect: 1,
  /** The budget is used up and another record waits at `at`. */
  full: 2,
  /** The bytes are not records. */
  broken: 3,
  /** A field can't be part of any row: valueAt is one of {@link unfitReasons}, valueLength its column, -1 the value. */
  unfit: 4,
  /** The next record's row may be longer than what is left up to `enough`: it waits at `at`. */
  enough: 5,
  /**
   * The program does not have the schema of the frame at valueAt; valueLength is 0 in a key, 1 in a
   * value.
   */
  schema: 6,
  /**
   * A key (valueLength 0) or value (1) is not of its format: valueAt is one of {@link unfitReasons},
   * {@link Kernel.badAt} the byte, {@link Kernel.badSlot} the slot.
   */
  invalid: 7,
} as const;

/** Flags of {@link Kernel.fields}; {@link Kernel.rows} knows the first two and `trimmed`. */
export const Flag = {
  guard: 1,
  emptyTombstones: 2,
  valueField: 4,
  valueHex: 8,
  /** All records have the batch's time (LogAppendTime). */
  appendTime: 16,
  /** A row is its columns alone. */
  noValue: 32,
  /** A line end at a value's end is not part of it. */
  trimmed: 64,
  /** A value is rewritten as standard rows, each of which is checked. */
  rewritten: 128,
  /** It may be several rows. */
  manyRows: 256,
} as const;

/** What {@link Kernel.rows} is asked for. */
export interface RowsOf {
  /** Where the records are. */
  start: number;
  end: number;
  /** How many of them are looked at, at most. */
  count: number;
  /** Written are those with min <= offset delta < max; all, unless given. */
  min?: number;
  max?: number;
  /** Rows at most. */
  budget?: number;
  /** Where the rows go. */
  out: number;
  /** {@link Flag}s. */
  flags: number;
  /** Records whose offset deltas do not rise from above `floor` up to `ceiling` are broken. */
  floor?: number;
  ceiling?: number;
}

/** What {@link Kernel.fields} is asked for beside that. */
export interface FieldsOf extends RowsOf {
  /** Where the rows must end. */
  enough: number;
  /** The batch's. */
  offset: number;
  time: number;
}

/** What {@link Kernel.load} puts into the memory: lib/records/program.ts makes it. */
export interface Program {
  readonly bytes: Uint8Array;
  /** The bytes, and the zeroed room after them that it works in. */
  readonly size: number;
  /** Number of slots, and where the byte of each is that says whether a record had it. */
  readonly slots: number;
  readonly met: number;
}
