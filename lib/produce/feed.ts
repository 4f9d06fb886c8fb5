import { type Arena, LONGEST_ROW } from "./arena.ts";
import type { BadRows } from "./bad_rows.ts";
import { withoutMark } from "./byte_order_mark.ts";
import { type Input, openInput } from "./input.ts";
import type { ProduceOptions } from "./options.ts";
import type { Packer } from "./packer.ts";

/** Room that a read should have at least, bytes: what a pipe holds. */
const LEAST_READ = 65536;

/** Packs the rows of all inputs, and waits until all are delivered. */
export async function feed(
  arena: Arena,
  packer: Packer,
  options: ProduceOptions,
  bad: BadRows,
): Promise<void> {
  const names = options.files.length > 0 ? options.files : ["-"];
  for (const name of names) {
    const input = withoutMark(await openInput(name));
    try {
      bad.input(input.name, arena.kernel.startInput(options.header === "skip" ? 1 : 0));
      await feedInput(arena, packer, input, bad);
    } finally {
      input.close();
    }
  }
  await packer.drain();
}

/** Packs the rows of one input; its last row needs no end. */
export async function feedInput(
  arena: Arena,
  packer: Packer,
  input: Input,
  bad: BadRows,
): Promise<void> {
  const { kernel } = arena;
  const base = arena.input;
  // What lies between start and end is still to be packed.
  let start = base;
  let end = base;
  let discarding = false;
  while (true) {
    if (start === end) start = end = base;
    const room = base + arena.inputSize - end;
    if (room < LEAST_READ && start > base) {
      kernel.bytes.copyWithin(base, start, end);
      end -= start - base;
      start = base;
    } else if (room === 0) {
      if (arena.inputSize < LONGEST_ROW) {
        await packer.drain();
        arena.grow(Math.min(2 * arena.inputSize, LONGEST_ROW), 0);
      } else {
        bad.add(kernel.packed.line, `is longer than ${LONGEST_ROW} bytes`);
        discarding = true;
        start = end = base;
      }
    }
    const into = kernel.bytes.subarray(end, base + arena.inputSize);
    const size = await packer.waiting(input.read(into));
    const last = size === null;
    end += size ?? 0;
    if (discarding) {
      const next = kernel.discard(start, end, last);
      discarding = next === 0;
      start = discarding ? end : next;
    }
    if (!discarding) start = await packer.pack(start, end, last);
    if (last) return;
  }
}
