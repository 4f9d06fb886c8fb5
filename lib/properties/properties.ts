import { Failure } from "../failure.ts";
import { suggestion } from "../text.ts";
import { type Entry, LineError, readEntries } from "./property_file.ts";
import {
  accepted,
  fixed,
  flagsInstead,
  ignored,
  literal,
  refused,
  synonyms,
} from "./property_names.ts";

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
  for (const { key, value: given, at, own } of properties) {
    const value = literal.includes(key) ? given : trimmed(given);
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

/** As Java's client trims what it is given (ConfigDef.parseType): control characters, too. */
function trimmed(value: string): string {
  return value.replace(/^[\0- ]+/, "").replace(/[\0- ]+$/, "");
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
    // What does not look like a name may be a line of a key or a token.
    const shown = hint !== "" || /^[a-z][a-z0-9_-]*(\.[a-z0-9_-]+)+$/.test(key) ? ` "${key}"` : "";
    throw new Failure("usage", `${at}: unknown property${shown}${hint}`);
  }
  if (!own) return;
  const flag = Object.hasOwn(flagsInstead, key) ? ` — use ${flagsInstead[key]}` : "";
  throw new Failure("usage", `${at}: ${key} has no effect here${flag}`);
}

/**
 * Reads the text of a property file by Java's rules ({@link readEntries}). `warn` gets a line for
 * each value that other programs read in another way. Throws Failure (usage) naming the line.
 */
export function parseProperties(
  text: string,
  file: string,
  warn: (line: string) => void = () => {},
): Property[] {
  return entries(text, file).map((entry) => {
    const { key, value, line, separated } = entry;
    const at = `${file} line ${line}`;
    // Blanks alone are after the first word of a text that is not a property, too.
    if (!isName(key) || !separated && !isKnown(key)) throw notProperty(at);
    const doubt = doubtful(entry);
    if (doubt !== null) warn(`${at}: ${doubt}`);
    return { key, value, at, own: false };
  });
}

function entries(text: string, file: string): Entry[] {
  const nul = text.indexOf("\0");
  const lineOf = (at: number) => text.slice(0, at).split(/\r\n|\r|\n/).length;
  if (nul !== -1) {
    throw new Failure(
      "usage",
      `${file} line ${lineOf(nul)}: a NUL character in it — use a text file`,
    );
  }
  try {
    return readEntries(text);
  } catch (error) {
    if (!(error instanceof LineError)) throw error;
    throw new Failure("usage", `${file} line ${error.line}: ${error.message}`);
  }
}

/**
 * Why a value may not be what was meant: kcat, and what else passes lines on to librdkafka as they
 * are, keeps a backslash, and drops blanks at the end.
 */
function doubtful({ key, written }: Entry): string | null {
  // No other program reads it than Java's.
  if (!accepted.includes(key) || key === "sasl.jaas.config") return null;
  const isPem = /pem$|certificates$|certificate\.chain$|keystore\.key$/.test(key);
  // What Properties.store writes, and the line ends of a PEM text, are escapes for certain.
  const meant = isPem ? "\\:=#! unr" : "\\:=#! u";
  if ([...written.matchAll(/\\([^])/g)].some(([, escaped]) => !meant.includes(escaped))) {
    return `a backslash in ${key} is an escape, as in Java's property files, and not a part of the ` +
      "value — write \\\\ if it is one";
  }
  if (literal.includes(key) && /[^\\][ \t\f]$/.test(written)) {
    return `${key} ends in a blank, which is a part of it — remove it, or write it as \\u0020`;
  }
  return null;
}

/** Reads `key=value`, with no escapes. Throws Failure (usage) if there is no key, or no `=`. */
export function splitProperty(text: string, at: string): { key: string; value: string } {
  const equals = text.indexOf("=");
  const key = text.slice(0, Math.max(0, equals)).trim();
  if (!isName(key)) throw notProperty(at);
  return { key, value: text.slice(equals + 1).trimStart() };
}

function isName(key: string): boolean {
  return /^[\w.-]+$/.test(key);
}

function isKnown(key: string): boolean {
  return accepted.includes(key) || ignored.includes(key) ||
    refused.some(([start]) => key.startsWith(start));
}

function notProperty(at: string): Failure {
  return new Failure("usage", `${at}: not KEY=VALUE`);
}
