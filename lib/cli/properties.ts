import { Failure } from "../failure.ts";
import { accepted, flagsInstead, ignored, refused, synonyms } from "./property_names.ts";

/** Properties by name, each one a name of {@link accepted}. */
export type Properties = ReadonlyMap<string, string>;

/** One property as it was written, and where. */
export interface Property {
  key: string;
  value: string;
  /** For messages: `-X`, `kafka.conf line 3`. */
  at: string;
  /** Written for this program alone, so a property that means nothing here is a mistake. */
  own: boolean;
}

/**
 * Puts properties together; a later one is stronger. Throws Failure (usage) at one that is unknown,
 * or asks for what can't be done. No message holds a value: it may be a secret.
 */
export function mergeProperties(
  properties: readonly Property[],
  debug: (line: string) => void = () => {},
): Properties {
  const merged = new Map<string, string>();
  for (const { key, value, at, own } of properties) {
    if (!accepted.includes(key)) {
      checkForeign(key, at, own);
      debug(`${at}: ${key} means nothing here and is left out`);
      continue;
    }
    for (const names of synonyms.filter((names) => names.includes(key))) {
      for (const name of names) merged.delete(name);
    }
    merged.set(key, value);
  }
  return merged;
}

function checkForeign(key: string, at: string, own: boolean): void {
  const [, why] = refused.find(([start]) => key.startsWith(start)) ?? [];
  if (why !== undefined) throw new Failure("usage", `${at}: ${key} can't be followed: ${why}`);
  if (!ignored.includes(key)) {
    const near = nearest(key, [...accepted, ...ignored]);
    const hint = near === null ? "" : `; did you mean "${near}"?`;
    throw new Failure("usage", `${at}: unknown property "${key}"${hint}`);
  }
  if (!own) return;
  const flag = Object.hasOwn(flagsInstead, key) ? `: say ${flagsInstead[key]}` : "";
  throw new Failure("usage", `${at}: ${key} means nothing here${flag}`);
}

/**
 * Reads a file of properties as librdkafka's and Java's programs have them: `key=value` lines,
 * comments after `#` or `!` at the start of a line, and a backslash at the end of a line that goes
 * on. Throws Failure (usage) naming the line.
 */
export function parseProperties(text: string, file: string): Property[] {
  const properties: Property[] = [];
  const lines = text.replace(/^\ufeff/, "").split(/\r\n|\r|\n/);
  for (let i = 0; i < lines.length; i++) {
    const at = `${file} line ${i + 1}`;
    let line = lines[i].trim();
    if (line === "" || /^[#!]/.test(line)) continue;
    while (/(?:^|[^\\])(?:\\\\)*\\$/.test(line) && i + 1 < lines.length) {
      line = line.slice(0, -1) + lines[++i].trim();
    }
    properties.push({ ...splitProperty(line, at), at, own: false });
  }
  return properties.map((property) =>
    property.key === "sasl.jaas.config"
      ? { ...property, value: unescapeJava(property.value) }
      : property
  );
}

/** Reads `key=value`. Throws Failure (usage) where there is no key, or no `=`. */
export function splitProperty(text: string, at: string): { key: string; value: string } {
  const equals = text.indexOf("=");
  const key = text.slice(0, Math.max(0, equals)).trim();
  if (!/^[\w.-]+$/.test(key)) throw new Failure("usage", `${at}: it is not KEY=VALUE`);
  return { key, value: text.slice(equals + 1).trim() };
}

/**
 * Java's reader of such files takes a backslash before any character away, librdkafka's takes it as
 * it is. So it is taken away in the one value that only Java knows and that is full of quotes.
 */
function unescapeJava(value: string): string {
  const special: Record<string, string> = { n: "\n", r: "\r", t: "\t", f: "\f" };
  return value.replaceAll(
    /\\(?:u([0-9a-fA-F]{4})|(.))/g,
    (_, hex, char) => hex ? String.fromCharCode(parseInt(hex, 16)) : special[char] ?? char,
  );
}

/** The name nearest to what was typed, if it is so near that it can be meant. */
function nearest(typed: string, names: readonly string[]): string | null {
  const most = Math.min(3, Math.floor(typed.length / 4));
  let best: string | null = null;
  let least = most + 1;
  for (const name of names) {
    if (Math.abs(name.length - typed.length) >= least) continue;
    const distance = editDistance(typed.toLowerCase(), name);
    if (distance < least) [best, least] = [name, distance];
  }
  return best;
}

/** Levenshtein's distance. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const changed = row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(changed, row[j] + 1, next[j - 1] + 1));
    }
    row = next;
  }
  return row[b.length];
}
