/**
 * Checks that imports point one way, and what else holds for whole folders: entries → cli →
 * consume, produce, load, admin → kafka → protocol. Exits 1 and names each line that breaks it.
 */
import { dirname, join, normalize } from "node:path";

/** What the files of a folder of lib/ may import of the others; failure.ts is open to all but protocol. */
const allowed: Record<string, string[]> = {
  protocol: [],
  kafka: ["protocol"],
  records: ["protocol"],
  greenplum: [],
  properties: ["kafka"],
  registry: ["properties", "kafka"],
  consume: ["kafka", "protocol", "greenplum", "records", "registry"],
  produce: ["kafka", "protocol", "greenplum", "records", "registry"],
  load: ["kafka", "protocol", "greenplum", "records", "consume"],
  admin: ["kafka", "protocol", "load"],
  doctor: ["kafka", "protocol", "greenplum", "records", "consume", "load"],
  cli: [
    ...["properties", "kafka", "protocol", "greenplum", "records", "registry"],
    ...["consume", "produce", "load", "admin", "doctor"],
  ],
};

const ENTRY_LINES = 60;
const entries = ["main.ts", "consumer.ts", "producer.ts"];

/** What is wrong with one file, a line each; `path` is relative to the project. */
export function problemsOf(path: string, text: string): string[] {
  const problems: string[] = [];
  const lines = text.split("\n");
  if (entries.includes(path) && lines.length > ENTRY_LINES + 1) {
    problems.push(`${path}: an entry has at most ${ENTRY_LINES} lines, this one ${lines.length}`);
  }
  const [, folder] = /^lib\/([^/]+)\//.exec(path) ?? [];
  for (const [index, line] of lines.entries()) {
    const at = `${path}:${index + 1}`;
    const code = line.replace(/^\s*(\*|\/\/|\/\*).*/, "");
    if (path.startsWith("lib/") && /\bDeno\.(exit|args)\b/.test(code)) {
      problems.push(`${at}: Deno.exit and Deno.args belong to the entries`);
    }
    const [, from] = /(?:from|import)\s*\(?\s*"([^"]+)"/.exec(code) ?? [];
    if (from === undefined) continue;
    if (from.startsWith("kafkajs") && folder && !path.startsWith("lib/kafka/kafkajs/")) {
      problems.push(`${at}: kafkajs is used in lib/kafka/kafkajs alone`);
    }
    if (!from.startsWith(".") || path.startsWith("tests/") || path.startsWith("scripts/")) continue;
    const target = normalize(join(dirname(path), from));
    const [, other] = /^lib\/([^/]+)\//.exec(target) ?? [];
    const open = folder === undefined ? ["cli"] : allowed[folder] ?? [];
    if (other !== undefined && other !== folder && !open.includes(other)) {
      problems.push(`${at}: ${folder ?? "an entry"} may not import ${other}`);
    }
    if (folder === "protocol" && !target.startsWith("lib/protocol/")) {
      problems.push(`${at}: protocol imports nothing outside itself`);
    }
  }
  return problems;
}

/** Every TypeScript file of the project that the rules are about. */
async function* sources(folder: string): AsyncGenerator<string> {
  for await (const entry of Deno.readDir(folder || ".")) {
    const path = folder ? `${folder}/${entry.name}` : entry.name;
    if (entry.isDirectory && (folder !== "" || entry.name === "lib")) yield* sources(path);
    else if (entry.isFile && path.endsWith(".ts") && !path.endsWith(".as.ts")) yield path;
  }
}

if (import.meta.main) {
  const problems: string[] = [];
  for await (const path of sources("")) {
    problems.push(...problemsOf(path, await Deno.readTextFile(path)));
  }
  for (const problem of problems) console.error(problem);
  Deno.exit(problems.length > 0 ? 1 : 0);
}
