/** What a differential run found. */

/** Differences that are kept in full; the others are only counted. */
const KEPT = 10;

export class Tally {
  /** Inputs that were given to both sides. */
  values = 0;
  /** Rows, batches or reads that were compared. */
  rows = 0;
  /** How often the two sides had different answers. */
  differences = 0;
  readonly found: string[] = [];
  /** Of what else there was how much, for people. */
  readonly notes = new Map<string, number>();

  /** Notes a difference: `what` says all that is needed to see it again. */
  differ(what: string): void {
    this.differences++;
    if (this.found.length < KEPT) this.found.push(what);
  }

  note(what: string, count = 1): void {
    if (count === 0) return;
    this.notes.set(what, (this.notes.get(what) ?? 0) + count);
  }
}

/** How large a run is, and the seed of its inputs. */
export interface Size {
  values: number;
  seed: number;
}

export type Differential = (size: Size) => Promise<Tally>;

/** Bytes as one character each, in quotes: readable, and exact. */
export function shown(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes.subarray(0, 2000)) text += String.fromCharCode(byte);
  return `${JSON.stringify(text)}${bytes.length > 2000 ? ` … ${bytes.length} bytes` : ""}`;
}

/** The numbers from 0 to below `count`, in pieces of at most `most`. */
export function* pieces(count: number, most: number): Generator<number> {
  for (let from = 0; from < count; from += most) yield Math.min(most, count - from);
}
