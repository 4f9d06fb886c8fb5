import { Failure } from "../failure.ts";

/**
 * Text of others as part of SQL and of shell commands: one function for each place. Whatever is
 * put together elsewhere goes through these.
 */

/** A name as SQL reads it, always in quotes: `"Crimes"`, `"a""b"`. Throws RangeError on NUL. */
export function quoteIdent(name: string): string {
  refuseNul(name);
  return `"${name.replaceAll('"', '""')}"`;
}

/**
 * A string as SQL reads it, whatever standard_conforming_strings is: `'it''s'`, `E'a\\b'`. Throws
 * RangeError on NUL.
 */
export function quoteLiteral(text: string): string {
  refuseNul(text);
  const quoted = `'${text.replaceAll("'", "''")}'`;
  return quoted.includes("\\") ? `E${quoted.replaceAll("\\", "\\\\")}` : quoted;
}

/**
 * A longer text as SQL reads it, between lines of its own: `$sql$ … $sql$`. Throws RangeError on
 * NUL.
 */
export function quoteText(text: string): string {
  refuseNul(text);
  let tag = "sql";
  while (text.includes(`$${tag}`)) tag += "_";
  return `$${tag}$\n${text}\n$${tag}$`;
}

/**
 * A word as a shell reads it: as it is if that is safe, else `'it'\''s'`. Throws RangeError on
 * NUL, and Failure (usage) on a newline: the command that holds it stays one line.
 */
export function quoteWord(text: string): string {
  refuseNul(text);
  if (/[\r\n]/.test(text)) {
    throw new Failure(
      "usage",
      `cannot put ${JSON.stringify(text)} into a command: it has a newline — a command is one line`,
    );
  }
  return /^[a-zA-Z0-9_./:=,@%+-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/**
 * The path of a program as a shell reads it: as a word, except a `$HOME/` at its start, which stays
 * the home folder of the user that runs it.
 */
export function quoteProgram(path: string): string {
  return path.startsWith("$HOME/") ? `"$HOME"/${quoteWord(path.slice(6))}` : quoteWord(path);
}

/** The words of a shell command, without quotes: as {@link quoteWord} and people write them. */
export function wordsOf(command: string): string[] {
  const words = command.match(/(?:"[^"]*"|'[^']*'|\\.|[^\s'"\\])+/g) ?? [];
  return words.map((word) =>
    word.replaceAll(/"([^"]*)"|'([^']*)'|\\(.)/g, (_, a, b, c) => a ?? b ?? c)
  );
}

/** A list of strings as SQL reads it: `ARRAY['a', 'b']::text[]`. */
export function quoteArray(items: readonly string[]): string {
  return `ARRAY[${items.map(quoteLiteral).join(", ")}]::text[]`;
}

function refuseNul(text: string): void {
  if (text.includes("\0")) throw new RangeError("neither SQL nor a command can hold a NUL");
}
