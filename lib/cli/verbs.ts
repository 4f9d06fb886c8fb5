import { Failure } from "../failure.ts";
import { shown } from "../secret.ts";
import type { Flag, Given } from "./flags.ts";
import { suggestion } from "../text.ts";

/** A flag of a command with several verbs. */
export interface VerbFlag extends Flag {
  /** The verbs that accept it; without this, all of them. */
  of?: readonly string[];
}

/** The flags for the parser and the help, which names their verbs first. */
export function verbFlags(flags: readonly VerbFlag[]): Flag[] {
  return flags.map(({ of, help, ...flag }) => ({
    ...flag,
    help: of ? `${of.join(", ")}: ${help}` : help,
  }));
}

/**
 * The verb that is the first word, and the words after it. Throws Failure (usage) if it is not one
 * of `verbs`, or if a flag is given that belongs to others.
 */
export function chooseVerb<V extends string>(
  given: Given,
  verbs: readonly V[],
  flags: readonly VerbFlag[],
): { verb: V; words: readonly string[] } {
  const [name, ...words] = given.files;
  const verb = verbs.find((verb) => verb === name);
  if (verb === undefined) throw unknownVerb(name, verbs);
  for (const { name, of } of flags) {
    if (of && given.has(name) && !of.includes(verb)) {
      throw new Failure("usage", `--${name} is a flag of ${of.join(", ")}, not of ${verb}`);
    }
  }
  return { verb, words };
}

/** The failure of a command without one of its verbs: it names the nearest one, or all. */
export function unknownVerb(name: string | undefined, verbs: readonly string[]): Failure {
  const all = `use ${verbs.join(", ")}; see --help`;
  if (name === undefined) return new Failure("usage", `no verb: ${all}`);
  const hint = suggestion(name, verbs, `: ${all}`);
  return new Failure("usage", `unknown verb "${shown(name)}"${hint}`);
}

/** The words after a verb: `least` to `most` of them. Throws Failure (usage). */
export function checkWords(
  verb: string,
  words: readonly string[],
  what: string,
  least: number,
  most: number,
): void {
  if (words.length < least) throw new Failure("usage", `${verb} requires ${what}`);
  if (words.length > most) {
    throw new Failure("usage", `"${shown(words[most])}" is one argument too many`);
  }
}
