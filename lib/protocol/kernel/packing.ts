/** Why {@link Kernel.pack} stopped. */
export const Packed = {
  /** What is left is the beginning of a row, or nothing. */
  more: 0,
  /** The partition has no open batch. */
  open: 1,
  /** The row does not fit into the partition's batch any more. */
  full: 2,
  /** The row does not fit into the partition's batch, though that is empty. */
  large: 3,
  /** The budget of rows is used up. */
  paused: 4,
  /** A row that can't be a record was stepped over. */
  unfit: 5,
} as const;

/** Why a row can't be a record. */
export const Unfit = {
  /** It has no column that can be its key. */
  keyless: 1,
  /** It does not have the column {@link PackState.fault}. */
  lacking: 2,
  /** It has another number of columns, {@link PackState.fault}. */
  count: 3,
  // What the column {@link PackState.fault} is not:
  utf8: 4,
  number: 5,
  boolean: 6,
  json: 7,
  hex: 8,
  noNull: 10,
  int: 11,
  long: 12,
  double: 13,
  decimal: 14,
  date: 15,
  timestamp: 16,
  fineness: 17,
  time: 18,
  symbol: 19,
  fixed: 20,
  /** It leaves a quote open. */
  openQuote: 9,
} as const;

/** How rows are found, and where they go. */
export interface Packing {
  /** `csv`: newlines between quotes do not end a row. */
  split: "line" | "csv" | "nul";
  /** The byte between key and value, or the number of the CSV column, from 1, that is the key. */
  key: { delimiter: number } | { column: number } | null;
  /** Whether a row's key chooses its partition. */
  hashing: boolean;
  partitions: number;
  /** Where the entries of the open batches are, {@link ENTRY} bytes for each partition. */
  table: number;
  /** Where {@link SCRATCH} bytes are for keys that lose their quotes. */
  scratch: number;
  /** Whether an empty value is a null one, if its record has a key. */
  tombstones: boolean;
  /** Where the program is that says what a record is made of; 0: its value is the row. */
  shape: number;
}

/** Size of an open batch's entry, bytes. */
export const ENTRY = 16;
/** The uint32 fields of an entry. */
export const Entry = {
  /** Where the next record will start; 0 while no batch is open. */
  at: 0,
  /**
   * The end of the batch's memory. Before it, going down, each record's line number (uint32):
   * what a message about that record must name.
   */
  top: 4,
  /** Where the records must end. */
  limit: 8,
  /** Records so far. */
  count: 12,
} as const;

export const SCRATCH = 65536;

/** Memory after the records of a batch that whole-vector copies may spoil, bytes. */
export const SPOILT = 16;

/** What the last call of {@link Kernel.pack} did. */
export class PackState {
  #state: Uint32Array;

  constructor(state: Uint32Array) {
    this.#state = state;
  }

  /** One of {@link Packed}. */
  get stop(): number {
    return this.#state[0];
  }
  /** The partition of the row it stopped at. */
  get partition(): number {
    return this.#state[1];
  }
  /** The size of that row's record, bytes. */
  get size(): number {
    return this.#state[2];
  }
  /** Rows appended. */
  get rows(): number {
    return this.#state[3];
  }
  /** Empty lines stepped over. */
  get empty(): number {
    return this.#state[4];
  }
  /** Bytes of the rows appended, without what ended them. */
  get bytes(): number {
    return this.#state[5];
  }
  /** The line that the last row looked at starts in. */
  get line(): number {
    return this.#state[6];
  }
  /** One of {@link Unfit}; 0 if it did not stop at a row that can't be a record. */
  get why(): number {
    return this.#state[7];
  }
  /** The number of the column that is wrong, from 1. */
  get fault(): number {
    return this.#state[8];
  }
}
