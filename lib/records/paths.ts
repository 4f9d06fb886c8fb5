import { Failure } from "../failure.ts";

/** Where a field is: names, and indexes of arrays from 0; none for the whole value. */
export interface Path {
  /** As it was written. */
  text: string;
  steps: readonly (string | number)[];
}

/** Deeper paths are rejected: each level costs room. */
const STEPS_MAX = 1000;
const INDEX_MAX = 0x7fffffff;

/**
 * The paths of a list such as `id, customer.name, lines[0].sku, "odd.name"."say ""hi""", .`: names
 * joined by dots, `[N]` for the element N of an array, names with other characters in double
 * quotes, a lone dot for the whole value. Throws Failure (usage) naming the flag and the character.
 */
export function parsePaths(flag: string, list: string): Path[] {
  const reader = new PathReader(flag, list);
  const paths: Path[] = [];
  do paths.push(reader.path()); while (reader.isMore());
  return paths;
}

/** Reads one path after another. */
class PathReader {
  readonly #flag: string;
  readonly #list: string;
  #at = 0;

  constructor(flag: string, list: string) {
    this.#flag = flag;
    this.#list = list;
  }

  /** Whether a comma comes next, which is stepped over. */
  isMore(): boolean {
    this.#skipSpaces();
    if (this.#at === this.#list.length) return false;
    if (this.#take(",")) return true;
    throw this.#wrong("a comma, a dot or [N] is expected", "names with spaces go in double quotes");
  }

  path(): Path {
    this.#skipSpaces();
    const start = this.#at;
    const steps: (string | number)[] = [];
    if (this.#take(".")) {
      if (/[^\s,]/.test(this.#list[this.#at] ?? ",")) {
        throw this.#wrong("a lone dot is the whole value", "write a path without its first dot");
      }
      return { text: ".", steps };
    }
    if (this.#list[this.#at] !== "[") steps.push(this.#name());
    while (true) {
      if (steps.length > STEPS_MAX) throw this.#wrong(`a path has at most ${STEPS_MAX} steps`);
      if (this.#take("[")) steps.push(this.#index());
      else if (this.#take(".")) steps.push(this.#name());
      else break;
    }
    return { text: this.#list.slice(start, this.#at), steps };
  }

  #name(): string {
    if (this.#take('"')) return this.#quoted();
    const [name] = /^[^\s,.[\]"]+/.exec(this.#list.slice(this.#at)) ?? [];
    if (name === undefined) {
      throw this.#wrong("a name is expected", "names with other characters go in double quotes");
    }
    this.#at += name.length;
    return name;
  }

  #quoted(): string {
    const start = this.#at - 1;
    for (let at = this.#at; at < this.#list.length; at++) {
      if (this.#list[at] !== '"') continue;
      if (this.#list[at + 1] === '"') at++;
      else {
        const name = this.#list.slice(this.#at, at).replaceAll('""', '"');
        this.#at = at + 1;
        return name;
      }
    }
    this.#at = start;
    throw this.#wrong("the quote is not closed");
  }

  #index(): number {
    const [all, digits] = /^(\d{1,10})\]/.exec(this.#list.slice(this.#at)) ?? [];
    if (all === undefined || Number(digits) > INDEX_MAX) {
      throw this.#wrong("the number of an element is expected", "[0] is the first one");
    }
    this.#at += all.length;
    return Number(digits);
  }

  #take(character: string): boolean {
    const isNext = this.#list[this.#at] === character;
    if (isNext) this.#at++;
    return isNext;
  }

  #skipSpaces(): void {
    while (/\s/.test(this.#list[this.#at] ?? "")) this.#at++;
  }

  #wrong(why: string, hint?: string): Failure {
    const where = this.#at < this.#list.length ? `character ${this.#at + 1}` : "its end";
    return new Failure(
      "usage",
      `${this.#flag}: cannot read "${this.#list}" at ${where}: ${why}${hint ? ` — ${hint}` : ""}`,
    );
  }
}
