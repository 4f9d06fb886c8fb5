import { Failure } from "../../failure.ts";

/** One item of `--fields`, `--key-fields` or `--columns`: `NAME:TYPE=PATH`, `PATH:TYPE`, `PATH`. */
export interface ListedField {
  name: string;
  /** As SQL writes it; empty if it was not given. */
  type: string;
  /** What it is if neither that nor the table says; absent: not known. */
  usual?: string;
  /** As it was given. */
  path: string;
  /** Whether a path was given beside the name. */
  mapped: boolean;
}

/** Where a character is that is outside of quotes, parentheses and brackets; -1 if nowhere. */
function outside(text: string, wanted: string, last = false): number {
  let found = -1;
  let depth = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === '"') quoted = !quoted;
    else if (quoted) continue;
    else if (character === "(" || character === "[") depth++;
    else if (character === ")" || character === "]") depth--;
    else if (character === wanted && depth === 0) {
      found = at;
      if (!last) return at;
    }
  }
  return found;
}

/** Cuts a list at its commas: those in quotes and in `numeric(10,2)` are not of the list. */
export function splitList(text: string): string[] {
  const items: string[] = [];
  for (let rest = text;;) {
    const at = outside(rest, ",");
    items.push((at === -1 ? rest : rest.slice(0, at)).trim());
    if (at === -1) return items;
    rest = rest.slice(at + 1);
  }
}

/** Reads a list of fields. Throws Failure (usage) that names the flag and the item. */
export function parseFields(flag: string, text: string): ListedField[] {
  return splitList(text).map((item) => {
    const wrong = () =>
      new Failure("usage", `${flag}: "${item}" is not NAME, NAME=PATH or NAME:TYPE=PATH`);
    const equals = outside(item, "=");
    const left = equals === -1 ? item : item.slice(0, equals).trim();
    const colon = outside(left, ":", true);
    const front = (colon === -1 ? left : left.slice(0, colon)).trim();
    const type = colon === -1 ? "" : left.slice(colon + 1).trim();
    const path = equals === -1 ? front : item.slice(equals + 1).trim();
    if (front === "" || path === "" || (colon !== -1 && !isType(type))) throw wrong();
    const name = equals === -1 ? lastName(path) : unquoted(front);
    if (name === "" || name === ".") throw wrong();
    return { name, type, path, mapped: equals !== -1 };
  });
}

const NAME = `(?:[a-z_][\\w$]*|"(?:[^"]|"")+")`;
const UNIT = "(?:year|month|day|hour|minute|second)";
const TYPE = new RegExp(
  `^(?:double precision|(?:character|bit) varying|interval(?: ${UNIT}(?: to ${UNIT})?)?|` +
    `${NAME}(?:\\.${NAME})?)` +
    "(?:\\(\\w+(?:, *-?\\w+)*\\))?(?: with(?:out)? time zone)?(?:\\[\\d*\\])*$",
  "i",
);

/** Whether the text is one type, and nothing after it: it is written into the SQL as it is. */
export function isType(text: string): boolean {
  return TYPE.test(text);
}

/** A name as one step of a path, or as the name of a field. */
export function quotedStep(name: string): string {
  return /^[\w-]+$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
}

/** The name of a path's last step: `customer.name` is name, `lines[0]` is lines. */
function lastName(path: string): string {
  let rest = path.replace(/(\[\d+\])+$/, "");
  for (let dot = outside(rest, "."); dot !== -1; dot = outside(rest, ".")) {
    rest = rest.slice(dot + 1).replace(/(\[\d+\])+$/, "");
  }
  return unquoted(rest);
}

function unquoted(name: string): string {
  return /^".*"$/.test(name) ? name.slice(1, -1).replaceAll('""', '"') : name;
}
