import type { Random } from "../support/random.ts";

/** One decoder, parser or loop that gets wrong input. */
export interface Target {
  name: string;
  /**
   * Tries one input and sets `tried.input`. Throws what no input may lead to: an error of another
   * kind than those for bad input, or a result that cannot be right.
   */
  run(random: Random, tried: Tried): void | Promise<void>;
}

/** The input at hand, for the report of what was found. */
export interface Tried {
  input: Uint8Array | string;
}

/** Runs `act`; an error of one of these classes is a good answer to bad input: then null. */
export function answered<T>(
  act: () => T,
  // deno-lint-ignore no-explicit-any
  ...classes: (new (...args: any[]) => Error)[]
): T | null {
  try {
    return act();
  } catch (error) {
    if (classes.some((one) => error instanceof one)) return null;
    throw error;
  }
}

/** Throws an Error that says what cannot be right. */
export function must(holds: boolean, what: () => string): asserts holds {
  if (!holds) throw new Error(what());
}

export function choice<T>(items: readonly T[], random: Random): T {
  return items[random.int(0, items.length - 1)];
}
