import { Failure } from "../failure.ts";

/** What RE2 does not have either: its time is not bound by the length of a name. */
const unbounded = /\\[1-9k]|\(\?(?!:)/;
/** A class, an escaped character, or one by itself. */
const parts = /\\.|\[(?:\\.|[^\]\\])*\]|[^]/g;
/** Names have 249 characters: this many repetitions take seconds at worst. */
const MOST_REPETITIONS = 3;

/**
 * Reads a pattern of topic names: a regular expression that finds a part of a name, unless it has
 * `^` and `$`. Throws Failure (usage) naming the flag.
 */
export function parsePattern(flag: string, text: string): RegExp {
  const fail = (why: string) => new Failure("usage", `${flag}: "${text}" ${why}`);
  let pattern: RegExp;
  try {
    pattern = new RegExp(text, "u");
  } catch (error) {
    const [, why] = /: ([^:]*)$/.exec((error as Error).message) ?? [];
    throw fail(`is not a regular expression${why ? ` (${why.toLowerCase()})` : ""}`);
  }
  if (unbounded.test(text)) {
    throw fail("has a look-around, a named group or a back reference — leave it out");
  }
  // What is left of classes and escaped characters is one letter.
  const bare = text.replaceAll(parts, (part) => part.length > 1 ? "x" : part);
  const repeated = bare.match(/[*+]|\{\d+(?:,\d*)?\}/g) ?? [];
  if (repeated.length > MOST_REPETITIONS || hasNested(bare)) {
    throw fail("could take long: it repeats what repeats — use a simpler one, such as ^orders_");
  }
  return pattern;
}

/** Whether a repeated group holds a group, an alternative or another repetition. */
function hasNested(text: string): boolean {
  for (const [, inner] of text.matchAll(/\(([^()]*)\)[*+{]/g)) {
    if (/[*+?{|]/.test(inner.replace(/^\?:/, ""))) return true;
  }
  return /\)[^()]*\)[*+{]/.test(text);
}

/** Whether a pattern means a topic: never one of Kafka's own, which are for their names only. */
export function matches(pattern: RegExp, topic: string): boolean {
  return !topic.startsWith("__") && pattern.test(topic);
}
