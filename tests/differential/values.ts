/** Random values that are nearly rows. */
import type { CsvDialect } from "../../lib/records/dialect.ts";
import type { Random } from "../support/random.ts";

/** No value has these: a COPY with such a delimiter reads every row as one field. */
export const unused = { delimiter: "\x02", quote: "\x04", null: "\x05" } as const;

const isUnused = (code: number) => code === 2 || code === 4 || code === 5;

/** One character is one byte. */
const words = ["a", "b ", "12", " ", "NULL", "x=y", "it is a longer text, of more than 16 bytes"];
const marks = [",", ";", "'", "|", "\t", "\\", "\\N", "\\.", "\x01", "\x1a", "\x7f", "~"];
const wide = [
  "\xc3\xbc",
  "\xe2\x82\xac",
  "\xf0\x9f\x98\x80",
  "\xc2\x85",
  "\xe2\x80\xa8",
  "\xef\xbb\xbf",
];
const breaks = ["\n", "\r\n", "\r", "\n\\.\n", "\r\n\\.\r\n", "\\.\n", "\n\\.", "\n\n"];
/** Overlong, one half of a surrogate pair, past the last character, cut, no first byte, never a byte. */
const broken = [
  ...["\xc0\x80", "\xe0\x80\xaf", "\xf0\x80\x80\xaf", "\xed\xa0\x80", "\xed\xbf\xbf"],
  ...["\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80", "\xc3", "\xe2\x82", "\xf0\x9f\x98", "\x80"],
  ...["\xbf", "\xff", "\xfe", "\xe9"],
];

export class RandomValues {
  readonly #random: Random;
  readonly #csv: CsvDialect;

  constructor(random: Random, csv: CsvDialect) {
    this.#random = random;
    this.#csv = csv;
  }

  /** A value of bytes: a row, nearly one, pieces that matter in any order, or any bytes. */
  next(): Uint8Array {
    const random = this.#random;
    const kind = random.int(0, 9);
    let text = kind < 6 ? this.#rows() : kind < 9 ? this.#pieces(random.int(0, 9)) : this.#any();
    if (kind === 4 || kind === 5) text = this.#changed(text);
    if (random.int(0, 9) === 0) text += this.#one(["\n", "\r\n", "\r"]);
    return Uint8Array.from(text, (character) => character.charCodeAt(0));
  }

  /** A row as the grammar has it, now and then several. */
  #rows(): string {
    const count = this.#random.int(0, 3) === 0 ? this.#random.int(2, 4) : 1;
    return Array.from({ length: count }, () => this.#row())
      .join(this.#one(["\n", "\n", "\r\n"]));
  }

  #row(): string {
    const count = this.#random.int(1, 6);
    return Array.from({ length: count }, () => this.#field()).join(this.#csv.delimiter);
  }

  #field(): string {
    const { delimiter, quote, escape, null: nil } = this.#csv;
    const kind = this.#random.int(0, 9);
    if (kind === 0) return nil;
    if (kind === 1) return "";
    const plain = [...words, ...(kind === 2 ? wide : []), ...(kind === 3 ? marks : [])];
    const text = this.#join(this.#random.int(0, 4), plain);
    if (kind < 6 || quote === null) {
      return [...text].filter((c) => c !== delimiter && c !== quote).join("");
    }
    const inside = this.#join(this.#random.int(0, 4), [...plain, quote, "\n", "\r\n", ...marks]);
    const written = [...inside].map((c) => c === quote || c === escape ? escape + c : c).join("");
    const long = this.#random.int(0, 400) === 0 ? "y".repeat(this.#random.int(1, 70_000)) : "";
    return quote + written + long + quote;
  }

  #pieces(count: number): string {
    const { quote } = this.#csv;
    const some = [words, marks, [quote ?? '"', `${quote ?? '"'}x`], [this.#csv.delimiter]];
    for (const more of [wide, breaks, broken, ["\0"]]) {
      if (this.#random.int(0, 3) === 0) some.push(more);
    }
    return Array.from({ length: count }, () => this.#one(this.#one(some))).join("");
  }

  #any(): string {
    const codes = Array.from({ length: this.#random.int(0, 24) }, () => this.#random.int(0, 255));
    return String.fromCharCode(...codes.filter((code) => !isUnused(code)));
  }

  /** With one byte left out, put in, doubled or another one. */
  #changed(text: string): string {
    const at = this.#random.int(0, text.length);
    const piece = this.#one(this.#one([words, marks, wide, breaks, broken, ["\0", '"', ","]]));
    const kind = this.#random.int(0, 3);
    if (kind === 0) return text.slice(0, at) + text.slice(at + 1);
    if (kind === 1) return text.slice(0, at) + piece + text.slice(at);
    if (kind === 2) return text.slice(0, at) + text.slice(at, at + 1) + text.slice(at);
    return text.slice(0, at) + piece + text.slice(at + 1);
  }

  #join(count: number, of: readonly string[]): string {
    return Array.from({ length: count }, () => this.#one(of)).join("");
  }

  #one<T>(of: readonly T[]): T {
    return of[this.#random.int(0, of.length - 1)];
  }
}

/** A random dialect, as --csv accepts them. */
export function randomDialect(random: Random): CsvDialect {
  const one = <T>(of: readonly T[]) => of[random.int(0, of.length - 1)];
  const marks = random.shuffle([",", ";", "|", "\t", "'", '"', "~", "\\", "^"]);
  const [delimiter, , other] = marks;
  const quote = random.int(0, 9) === 0 ? null : marks[1];
  const nulls = ["", "", "\\N", "NULL", "-", "no value"];
  return {
    delimiter,
    quote,
    escape: quote === null ? null : one([quote, other]),
    null: one(nulls.filter((text) => ![delimiter, quote].some((c) => c && text.includes(c)))),
    encoding: one(["utf8", "utf8", "latin1"]),
  };
}
