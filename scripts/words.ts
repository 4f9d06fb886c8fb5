/**
 * Looks for phrases that a reader who knows Kafka and English stops at: CONTRIBUTING's word list
 * says what to write. Exits 1 and names each line that has one.
 */

/** Phrases that are never right here, and what to write. */
const phrases: [RegExp, string][] = [
  [/\banew\b/, "again, recreated"],
  [/\bstands there twice\b/, "is given twice"],
  [/\bas late\b/, "at or after that time"],
  [/\bpassed over\b/, "ignored, skipped"],
  [/\bis none of\b/, "is not one of"],
  [/\bno more tries\b/, "retries exhausted"],
  [/\b(?:a |the )?(?:record|value|row)s? that (?:is|are) no\b/, "that is not a"],
  [/\bis no (?:\w+ )?(?:number|duration|time|superuser|terminal|name) /, "is not a"],
  [/\bmakes no sense\b/, "invalid"],
  [/\bbut by\b/, "except by"],
  [/\bso many (?:bytes|rows|records|offsets|partitions|parts|times)\b/, "this many, at most N"],
  [/\bwhose ground is missing\b/, "whose prerequisite failed"],
  [/\bthe very \w+ that\b/, "the same"],
  [/\b(?:broker|file|PostgreSQL|copy) of yours\b/, "your own"],
  [/\bcan't be (?:told|seen)\b/, "is not known"],
  [/\bcan't be the name\b/, "cannot be the name"],
  [/\bsay --/, "use --"],
  [/\bgoes with --/, "requires --"],
  [/\bin front of\b/, "before"],
  [/\b(?:one|words?|stands?|comes?|lies?|closed|bytes) behind\b/, "after; behind is consumer lag"],
  [/\bstronger than\b/, "overrides"],
  [/\bnot to be had\b/, "is not available"],
  [/\bone (?:word|source) too many\b/, "one argument too many"],
];

/** What is wrong with one file's text, a line each. */
export function problemsOf(path: string, text: string): string[] {
  const problems: string[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    for (const [phrase, instead] of phrases) {
      const found = phrase.exec(line)?.[0];
      if (found) problems.push(`${path}:${index + 1}: "${found}" — write "${instead}"`);
    }
  }
  return problems;
}

/** Files that quote the phrases. */
const listed = ["CONTRIBUTING.md", "scripts/words.ts", "tests/unit/scripts/words_test.ts"];

/** The texts that people read: sources, SQL, documents. */
async function* texts(folder: string): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(folder || ".")) {
    const path = folder ? `${folder}/${name}` : name;
    if (isDirectory) {
      if (![".git", "dist", "node_modules", "golden"].includes(name)) yield* texts(path);
    } else if (
      /\.(ts|sql|md)$/.test(name) && !listed.includes(path)
    ) {
      yield path;
    }
  }
}

if (import.meta.main) {
  const problems: string[] = [];
  for await (const path of texts("")) {
    problems.push(...problemsOf(path, await Deno.readTextFile(path)));
  }
  for (const problem of problems) console.error(problem);
  Deno.exit(problems.length > 0 ? 1 : 0);
}
