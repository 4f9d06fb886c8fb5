// The program of a run's rows, which lib/records/program.ts writes: it lies at DATA, and says what
// the columns are and how a key and a value are taken apart. All references in it count from its
// start.

import { setDialect } from "./dialect.as";
import { DATA } from "./memory.as";
import { setSlots } from "./slots.as";

export const MAGIC: u32 = 0x314b5047;

/** Where the entries of the columns are: kind, where its bytes are, how many; int32 each. */
export let columns: usize = 0;
export let columnCount: i32 = 0;
export let slotCount: u32 = 0;
/** What the key and the value are (see walk.as.ts); 0: they are not taken apart. */
export let keySource: usize = 0;
export let valueSource: usize = 0;
/** Room for stacks and the like. */
export let scratch: usize = 0;
export let scratchSize: u32 = 0;
/** A byte for each slot: whether a record had it. */
export let met: usize = 0;
/** A row takes at most `fixed` bytes and `factor` times its record, slots aside. */
export let fixed: u32 = 0;
export let factor: u32 = 0;

/** The address of what is at this offset of the program. */
// @ts-ignore: decorator
@inline
export function inProgram(offset: u32): usize {
  return DATA + <usize>offset;
}

// @ts-ignore: decorator
@inline
function source(offset: u32): usize {
  return offset == 0 ? 0 : DATA + <usize>offset;
}

/** Reads the header of the program at DATA. False: there is none. */
export function openProgram(): bool {
  if (load<u32>(DATA) != MAGIC) return false;
  columns = DATA + <usize>load<u32>(DATA, 4);
  columnCount = load<i32>(DATA, 8);
  slotCount = load<u32>(DATA, 16);
  setSlots(DATA + <usize>load<u32>(DATA, 12), slotCount);
  keySource = source(load<u32>(DATA, 20));
  valueSource = source(load<u32>(DATA, 24));
  scratch = DATA + <usize>load<u32>(DATA, 28);
  scratchSize = load<u32>(DATA, 32);
  met = DATA + <usize>load<u32>(DATA, 36);
  fixed = load<u32>(DATA, 40);
  factor = load<u32>(DATA, 44);
  setDialect(source(load<u32>(DATA, 48)));
  return true;
}
