import { Failure } from "../failure.ts";
import { shown } from "../secret.ts";
import type { Flag, Given } from "./flags.ts";

/** A flag of a command with several verbs. */
export interface VerbFlag extends Flag {
  /** The verbs it belongs to; all of them without it. */
  of?: readonly string[];
}

/** The flags as the parser and the help take them: the help says first whose they are. */
export function verbFlags(flags: readonly VerbFlag[]): Flag[] {
  return flags.map(({ of, help, ...flag }) => ({
    ...flag,
    help: of ? `${of.join(", ")}: ${help}` : help,
  }));
}

/**
 * The verb that the first word says, and the words behind it. Throws Failure (usage) where it is
 * none of `verbs`, or a flag is given that belongs to others.
 */
export function chooseVerb<V extends string>(
  given: Given,
  verbs: readonly V[],
  flags: readonly VerbFlag[],
): { verb: V; words: readonly string[] } {
  const [name, ...words] = given.files;
  const verb = verbs.find((verb) => verb === name);
  if (verb === undefined) {
    const why = name === undefined ? "nothing to do" : `"${shown(name)}" can't be done`;
    throw new Failure("usage", `${why}: say ${verbs.join(", ")}; see --help`);
  }
  for (const { name, of } of flags) {
    if (of && given.has(name) && !of.includes(verb)) {
      throw new Failure("usage", `--${name} is of ${of.join(", ")}, not of ${verb}`);
    }
  }
  return { verb, words };
}

/** The words behind a verb: `least` to `most` of them. Throws Failure (usage). */
export function checkWords(
  verb: string,
  words: readonly string[],
  what: string,
  least: number,
  most: number,
): void {
  if (words.length < least) throw new Failure("usage", `${verb} needs ${what}`);
  if (words.length > most) {
    throw new Failure("usage", `"${shown(words[most])}" is one word too many`);
  }
}
