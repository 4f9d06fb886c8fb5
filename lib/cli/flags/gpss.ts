import { Failure, systemReason } from "../../failure.ts";
import { gpssFlags } from "../../greenplum/gpss.ts";
import { shownPath } from "../../secret.ts";
import type { Console } from "../console.ts";
import { type Flag, Given, parseFlags } from "../flags.ts";

const FLAG = "--from-gpss";

/**
 * The flags given, and those that the load file of `--from-gpss` stands for: those given override
 * the file's. Settings that no flag stands for are reported, a line each. The name is the table's,
 * if none was given. Throws Failure (usage) if the file cannot be read, or has settings without
 * which other rows would be loaded.
 */
export async function withGpssFile(
  given: Given,
  flags: readonly Flag[],
  console: Console,
): Promise<Given> {
  const path = given.get("from-gpss")!;
  const file = gpssFlags(await readYaml(path), `${FLAG} ${shownPath(path)}`);
  for (const note of file.notes) console.warn(`${FLAG}: ${note}`);
  const [only, ...more] = file.blocked;
  if (more.length > 0) {
    for (const line of file.blocked) console.error(`${FLAG}: ${line}`);
    throw new Failure(
      "usage",
      `${FLAG}: ${file.blocked.length} settings cannot be carried over — see the lines above`,
    );
  }
  if (only !== undefined) throw new Failure("usage", `${FLAG}: ${only}`);
  // One word each, as a value may begin with a dash.
  const words = file.flags.flatMap((word, i) =>
    i % 2 === 0 ? [`${word}=${file.flags[i + 1]}`] : []
  );
  console.debug(`${FLAG}: the same as ${words.map((word) => JSON.stringify(word)).join(" ")}`);
  const own = parseFlags(flags, words);
  const values = new Map<string, readonly string[]>();
  for (const { name } of flags) {
    const from = given.has(name) ? given : own;
    if (name !== "from-gpss" && from.has(name)) values.set(name, from.all(name));
  }
  const [what, name = file.name] = given.files;
  return new Given(values, [what, name]);
}

/** Throws Failure (usage) that says where it is wrong, and shows nothing: a password is in there. */
async function readYaml(path: string): Promise<unknown> {
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    throw new Failure("usage", `${FLAG}: cannot read ${shownPath(path)}: ${systemReason(error)}`);
  }
  // Loaded here only: nothing else needs it.
  const { parseDocument } = await import("./yaml.ts");
  const document = parseDocument(text, { logLevel: "error", prettyErrors: true });
  const [error] = document.errors;
  if (error !== undefined) {
    const at = error.linePos?.[0];
    throw new Failure(
      "usage",
      `${FLAG}: ${shownPath(path)} is not YAML: ${error.code}` +
        (at === undefined ? "" : ` at line ${at.line}, column ${at.col}`),
    );
  }
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch {
    throw new Failure("usage", `${FLAG}: ${shownPath(path)} has too many aliases`);
  }
}
