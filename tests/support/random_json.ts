import type { Random } from "./random.ts";

/** What random documents are made of. */
export interface Shape {
  /** Names to choose from; some of them are asked for. */
  names: readonly string[];
  /** How deep objects and arrays are in each other, at most. */
  depth: number;
  /** Whether a name may stand twice in an object. */
  duplicates: boolean;
}

const spaces = ["", "", "", "", "", " ", "\n", "\t", "\r\n", "  \t \n"];
const numbers = [
  ...["0", "-0", "1", "-17", "3.25", "1e400", "-2.5E-7", "1E+2", "0.1e1", "123456789012345678901"],
  ...["0.000000000000000000000000000000000000000001", "9007199254740993", "-0.0", "1e-9999"],
];
const controls = ["\\b", "\\f", "\\n", "\\r", "\\t", '\\"', "\\\\", "\\/"];

/** Text of a random JSON value with all that the grammar allows, and no more. */
export class RandomJson {
  readonly #random: Random;
  readonly #shape: Shape;

  constructor(random: Random, shape: Shape) {
    this.#random = random;
    this.#shape = shape;
  }

  /** A document: mostly an object. */
  document(): string {
    const { depth } = this.#shape;
    return this.#space() + (this.#odds(8) ? this.value(depth) : this.#object(depth)) +
      this.#space();
  }

  value(depth: number): string {
    const kind = this.#random.int(0, depth > 0 ? 9 : 6);
    if (kind < 3) return this.string();
    if (kind < 5) return this.#number();
    if (kind < 7) return this.#one(["true", "false", "null", "null"]);
    return kind === 7 ? this.#array(depth - 1) : this.#object(depth - 1);
  }

  string(): string {
    const length = this.#odds(12) ? this.#random.int(0, 120) : this.#random.int(0, 12);
    let text = '"';
    for (let i = 0; i < length; i++) text += this.#character();
    return text + '"';
  }

  #character(): string {
    const kind = this.#random.int(0, 30);
    if (kind < 20) return this.#one([..."abcdefgh ,;.:{}[]'0123456789xyzXYZ-_"]);
    if (kind === 20) return this.#one(controls);
    if (kind === 21) return this.#one(["ü", "€", "\u2028", "日本", "\u00a0", "\x7f", "é", "ß"]);
    if (kind === 22) return String.fromCodePoint(this.#scalar(0x10000, 0x10ffff));
    if (kind === 23) return escaped(String.fromCodePoint(this.#scalar(0x10000, 0x10ffff)));
    if (kind === 24) return escaped(String.fromCodePoint(this.#scalar(1, 0xffff)));
    if (kind === 25) return String.fromCodePoint(this.#scalar(0x80, 0xffff));
    return this.#one(["ab", "  ", "\\\\.", "-", "null", "\\n", ",,"]);
  }

  #scalar(least: number, most: number): number {
    const c = this.#random.int(least, most);
    return c >= 0xd800 && c < 0xe000 ? c - 0x2000 : c;
  }

  #number(): string {
    if (this.#odds(2)) return this.#one(numbers);
    let text = this.#odds(4) ? "-" : "";
    text += this.#odds(6) ? "0" : `${this.#random.int(1, 9)}${this.#digits(0, 20)}`;
    if (this.#odds(3)) text += `.${this.#digits(1, 20)}`;
    if (this.#odds(8)) {
      text += `${this.#one(["e", "E"])}${this.#one(["", "+", "-"])}${this.#digits(1, 2)}`;
    }
    return text;
  }

  #digits(least: number, most: number): string {
    let text = "";
    for (let n = this.#random.int(least, most); n > 0; n--) text += this.#random.int(0, 9);
    return text;
  }

  #array(depth: number): string {
    const items: string[] = [];
    for (let n = this.#random.int(0, 4); n > 0; n--) items.push(this.#spaced(this.value(depth)));
    return `[${items.length > 0 ? items.join(",") : this.#space()}]`;
  }

  #object(depth: number): string {
    const { names, duplicates } = this.#shape;
    const items: string[] = [];
    const used = new Set<string>();
    for (let n = this.#random.int(0, 9); n > 0; n--) {
      const name = this.#odds(6) ? JSON.parse(this.string()) as string : this.#one(names);
      if (!duplicates && used.has(name) || /^-?\d+$/.test(name)) continue;
      used.add(name);
      items.push(this.#spaced(this.#name(name)) + ":" + this.#spaced(this.value(depth)));
    }
    return `{${items.length > 0 ? items.join(",") : this.#space()}}`;
  }

  /** A name, some of it in escapes now and then. */
  #name(name: string): string {
    if (!this.#odds(10)) return JSON.stringify(name);
    return `"${
      [...name].map((c) => this.#odds(2) ? escaped(c) : JSON.stringify(c).slice(1, -1)).join("")
    }"`;
  }

  #spaced(text: string): string {
    return this.#space() + text + this.#space();
  }

  #space(): string {
    return this.#one(spaces);
  }

  #odds(n: number): boolean {
    return this.#random.int(1, n) === 1;
  }

  #one<T>(of: readonly T[]): T {
    return of[this.#random.int(0, of.length - 1)];
  }
}

/** A character as \u escapes, in either case. */
function escaped(text: string): string {
  let all = "";
  for (let i = 0; i < text.length; i++) {
    const hex = text.charCodeAt(i).toString(16).padStart(4, "0");
    all += `\\u${i % 2 === 0 ? hex : hex.toUpperCase()}`;
  }
  return all;
}

/** Bytes of a document with a bit flipped, a byte changed, left out or doubled, or cut. */
export function mutated(bytes: Uint8Array, random: Random): Uint8Array {
  const at = random.int(0, bytes.length - 1);
  const kind = random.int(0, 5);
  if (kind === 0) return bytes.subarray(0, at);
  if (kind === 1) return Uint8Array.of(...bytes.subarray(0, at), ...bytes.subarray(at + 1));
  if (kind === 2) return Uint8Array.of(...bytes.subarray(0, at), bytes[at], ...bytes.subarray(at));
  const changed = bytes.slice();
  const likely = '{}[]",:\\ 0-+eEu\n\t';
  if (kind === 3) changed[at] = likely.charCodeAt(random.int(0, likely.length - 1));
  else changed[at] ^= 1 << random.int(0, 7);
  return changed;
}
