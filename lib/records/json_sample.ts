/** What JSON values of a sample have in common, for the columns of a table. */
import { type Described, MOST_COLUMNS } from "./described.ts";

/** An object with more names than this is not a record but a map: one JSON column. */
const MOST_NAMES = 50;
/** Levels of objects that are looked into. */
const MOST_LEVELS = 3;
/** PostgreSQL's numeric has 16,383 digits after the point at most, and more before it. */
const MOST_DIGITS = 1000;
const MOST_EXPONENT = 15_000;

const kinds = ["null", "boolean", "integer", "number", "string", "object", "array"] as const;
type Kind = typeof kinds[number];

/** A number as it is written. */
class Digits {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** What the strings of a place are, if they all are. */
type Times = "date" | "timestamptz" | "timestamp" | "text";

/** A place in the values: what was found there. */
class Place {
  readonly #levels: number;
  readonly #most: number;
  readonly #counts = new Map<Kind, number>();
  #times: Times | null = null;
  /** A number that no column of numbers can have. */
  #isHuge = false;
  /** Null: it has too many names. */
  #members: Map<string, Place> | null = new Map();

  constructor(levels: number, most = MOST_NAMES) {
    this.#levels = levels;
    this.#most = most;
  }

  add(value: unknown): void {
    const kind = kindOf(value);
    this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + 1);
    if (value instanceof Digits) this.#isHuge ||= isHuge(value.text);
    if (typeof value === "string") {
      const times = timesOf(value);
      this.#times = this.#times === null || this.#times === times ? times : "text";
    }
    if (kind !== "object" || this.#levels === 0 || this.#members === null) return;
    for (const [name, member] of Object.entries(value as object)) {
      let place = this.#members.get(name);
      if (place === undefined) {
        if (this.#members.size === this.#most) {
          this.#members = null;
          return;
        }
        this.#members.set(name, place = new Place(this.#levels - 1));
      }
      place.add(member);
    }
  }

  get size(): number {
    return [...this.#counts.values()].reduce((sum, count) => sum + count, 0);
  }

  describe(records: number): Described {
    const members = this.#members;
    const found = kinds.filter((kind) => this.#counts.has(kind) && kind !== "null");
    const isObject = found.length === 1 && found[0] === "object" && members !== null;
    return {
      type: this.#type(found),
      nullable: true,
      comment: this.#comment(records),
      ...(isObject
        ? {
          fields: () =>
            [...members].map(([name, place]) => ({ name, value: place.describe(records) })),
        }
        : {}),
    };
  }

  #type(found: readonly Kind[]): string {
    const only = (...some: Kind[]) => found.every((kind) => some.includes(kind));
    if (found.length === 0) return "text";
    if (only("boolean")) return "boolean";
    if (only("integer") && !this.#isHuge) return "bigint";
    if (only("integer", "number") && !this.#isHuge) return "numeric";
    if (only("string")) return this.#times!;
    return only("object", "array") ? "jsonb" : "text";
  }

  /** `string in 990 of 1,000 records, null in 3`. */
  #comment(records: number): string {
    const parts = kinds.filter((kind) => this.#counts.has(kind))
      .sort((a, b) => this.#counts.get(b)! - this.#counts.get(a)!)
      .map((kind, i) => {
        const count = this.#counts.get(kind)!;
        const of = i === 0 ? ` of ${grouped(records)} records` : "";
        return `${kind} in ${grouped(count)}${of}`;
      });
    return `JSON: ${parts.join(", ")}`;
  }
}

const grouped = (count: number) => count.toLocaleString("en-US");

function kindOf(value: unknown): Kind {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  if (value instanceof Digits) return isInteger(value.text) ? "integer" : "number";
  return typeof value as "boolean" | "number" | "string" | "object";
}

/** One that a bigint can have. */
function isInteger(text: string): boolean {
  if (!/^-?\d{1,19}$/.test(text)) return false;
  return BigInt.asIntN(64, BigInt(text)) === BigInt(text);
}

function isHuge(text: string): boolean {
  const [, exponent] = /[eE]([+-]?\d+)$/.exec(text) ?? [];
  return text.length > MOST_DIGITS || Math.abs(Number(exponent ?? 0)) > MOST_EXPONENT;
}

const iso =
  /^(\d{4})-(\d\d)-(\d\d)(?:[T ]([01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d+)?)?(Z|[+-](?:0\d|1[0-4])(?::?[0-5]\d)?)?)?$/;

/** Which type of a column a text fits whatever the database's settings are: ISO 8601, or text. */
function timesOf(text: string): Times {
  const [, year, month, day, hour, zone] = iso.exec(text) ?? [];
  if (year === undefined || Number(year) === 0) return "text";
  const days = new Date(Date.UTC(2000 + Number(year) % 400, Number(month), 0)).getUTCDate();
  if (Number(month) < 1 || Number(month) > 12 || Number(day) < 1 || Number(day) > days) {
    return "text";
  }
  if (hour === undefined) return "date";
  return zone === undefined ? "timestamp" : "timestamptz";
}

/** Values that were looked at, and what they have in common. */
export class JsonSample {
  readonly #root = new Place(MOST_LEVELS, MOST_COLUMNS);

  /** A value as the reader's path `.` writes it: a string of its own without quotes. */
  add(text: string): void {
    this.#root.add(parse(text));
  }

  get size(): number {
    return this.#root.size;
  }

  describe(): Described {
    return this.#root.describe(this.size);
  }
}

/** Numbers as they are written, of which V8 tells the source. */
function withDigits(_: string, value: unknown, context?: { source: string }): unknown {
  return typeof value === "number" ? new Digits(context?.source ?? "0.5") : value;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text, withDigits as (key: string, value: unknown) => unknown);
  } catch (error) {
    // Nested deeper than a reviver can go: its numbers may be of any kind.
    return error instanceof SyntaxError ? text : JSON.parse(text);
  }
}
