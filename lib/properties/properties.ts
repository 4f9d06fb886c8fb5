import { Failure } from "../failure.ts";
import { suggestion } from "../text.ts";
import { accepted, fixed, flagsInstead, ignored, refused, synonyms } from "./property_names.ts";

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
 * Puts properties together; a later one overrides. Throws Failure (usage) at one that is unknown,
 * or asks for what can't be done. No message holds a value: it may be a secret.
 */
export function mergeProperties(
  properties: readonly Property[],
  debug: (line: string) => void = () => {},
): Properties {
  const merged = new Map<string, string>();
  for (const { key, value, at, own } of properties) {
    if (!accepted.includes(key)) {
      checkForeign(key, value, at, own);
      debug(`${at}: ${key} has no effect here and is ignored`);
      continue;
    }
    checkFixed(key, value, at);
    for (const names of synonyms.filter((names) => names.includes(key))) {
      for (const name of names) merged.delete(name);
    }
    merged.set(key, value);
  }
  return merged;
}

/** Throws if a property can only have the values of what is done anyway, and has another. */
function checkFixed(key: string, value: string, at: string): void {
  const values = Object.hasOwn(fixed, key) ? fixed[key] : [];
  if (value === "" || values.length === 0 || values.includes(value)) return;
  throw new Failure("usage", `${at}: ${key} can only be ${values.join(" or ")} — remove it`);
}

function checkForeign(key: string, value: string, at: string, own: boolean): void {
  const [, why] = refused.find(([start]) => key.startsWith(start)) ?? [];
  if (why !== undefined) {
    // An empty one asks for nothing.
    if (value === "") return;
    throw new Failure("usage", `${at}: ${key} is not supported: ${why}`);
  }
  if (!ignored.includes(key)) {
    const hint = suggestion(key, [...accepted, ...ignored], "");
    throw new Failure("usage", `${at}: unknown property "${key}"${hint}`);
  }
  if (!own) return;
  const flag = Object.hasOwn(flagsInstead, key) ? ` — use ${flagsInstead[key]}` : "";
  throw new Failure("usage", `${at}: ${key} has no effect here${flag}`);
}

/**
 * Reads a file of properties as librdkafka's and Java's programs have them: `key=value` lines,
 * comments after `#` or `!` at the start of a line, and a backslash at the end of a continued
 * line. Throws Failure (usage) naming the line.
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

/** Reads `key=value`. Throws Failure (usage) if there is no key, or no `=`. */
export function splitProperty(text: string, at: string): { key: string; value: string } {
  const equals = text.indexOf("=");
  const key = text.slice(0, Math.max(0, equals)).trim();
  if (!/^[\w.-]+$/.test(key)) throw new Failure("usage", `${at}: not KEY=VALUE`);
  return { key, value: text.slice(equals + 1).trim() };
}

/**
 * Java's reader of such files removes a backslash before any character, librdkafka's keeps it as
 * it is. So it is removed in the one value that only Java knows and that is full of quotes.
 */
function unescapeJava(value: string): string {
  const special: Record<string, string> = { n: "\n", r: "\r", t: "\t", f: "\f" };
  return value.replaceAll(
    /\\(?:u([0-9a-fA-F]{4})|(.))/g,
    (_, hex, char) => hex ? String.fromCharCode(parseInt(hex, 16)) : special[char] ?? char,
  );
}
