/**
 * The folders of the project, and what may import what: entries → cli → consume, produce, load,
 * admin, doctor → kafka → protocol. Exits 1 and names each line that breaks a rule, each folder
 * without a description, and each circle of imports. `--map` prints the folders.
 */
import { dirname, join, normalize } from "node:path";

interface Folder {
  /** What is there, for CONTRIBUTING's map. */
  what: string;
  /** The folders of lib that its files may import. Files of lib itself are open to all but protocol. */
  imports?: readonly string[];
}

/** Every folder. */
const folders: Record<string, Folder> = {
  ".": {
    what: "entries `main.ts`, `consumer.ts`, `producer.ts`: parse, run, exit",
    imports: ["cli"],
  },
  ".ci": { what: "what CI runs" },
  docs: { what: "for users; `design.md` is for you, too" },
  "docs/monitoring": { what: "alert rules, a dashboard and a systemd unit for users" },
  "docs/pictures": { what: "pictures of the documents" },
  "docs/proof": { what: "figures of the last long runs; only their tasks write them" },
  lib: { what: "errors, secrets, waits and texts that all others use" },
  "lib/protocol": { what: "bytes only, no I/O: record batches, readers, writers", imports: [] },
  "lib/protocol/messages": { what: "one file for each request of Kafka, with its grammar" },
  "lib/protocol/codecs": { what: "gzip, snappy, lz4, zstd" },
  "lib/protocol/kernel": { what: "the loops over bytes, in AssemblyScript, and their calls" },
  "lib/kafka": {
    what: "connections, leaders, coordinators, logs, offsets, retries, TLS",
    imports: ["protocol"],
  },
  "lib/kafka/aws": { what: "Amazon MSK with IAM: AWS's signatures and credentials" },
  "lib/kafka/tokens": { what: "tokens of OAUTHBEARER: from token endpoints, renewed in time" },
  "lib/kafka/sasl": { what: "logins: a file for each mechanism of SASL" },
  "lib/kafka/kafkajs": { what: "groups and administration, by kafkajs" },
  "lib/records": {
    what: "fields of JSON, Avro and Protobuf: schemas and paths become a program of the kernel",
    imports: ["protocol"],
  },
  "lib/registry": {
    what: "a schema registry: its answers, addresses, settings",
    imports: ["properties", "kafka"],
  },
  "lib/properties": {
    what: "a file of properties becomes brokers, TLS and SASL",
    imports: ["kafka"],
  },
  "lib/greenplum": {
    what: "the environment of a segment; DDL of sources, quoting, load files of GPSS",
    imports: [],
  },
  "lib/consume": {
    what: "a run's partitions and offsets, fetching, rows, the guard, output, commits",
    imports: ["kafka", "protocol", "greenplum", "records", "registry"],
  },
  "lib/produce": {
    what: "rows from bytes, batches, the partitions' queues, what is in doubt",
    imports: ["kafka", "protocol", "greenplum", "records", "registry"],
  },
  "lib/load": {
    what:
      "the database's side: DSN, the plan of a load, loads by a client, load loops, metrics, status page",
    imports: ["kafka", "protocol", "greenplum", "consume"],
  },
  "lib/admin": {
    what: "topics, offsets, lag",
    imports: ["kafka", "protocol", "load"],
  },
  "lib/doctor": {
    what: "`gpdb-kafka doctor`: a file for each check",
    imports: ["kafka", "protocol", "records", "registry", "greenplum", "consume", "load"],
  },
  "lib/cli": {
    what: "parsing, `--help`, exit statuses, signals, output for people",
    imports: [
      ...["properties", "kafka", "protocol", "greenplum", "records", "registry"],
      ...["consume", "produce", "load", "admin", "doctor"],
    ],
  },
  "lib/cli/commands": { what: "a file for each command" },
  "lib/cli/flags": { what: "tables of flags: parser, `--help` and docs/flags.md use them" },
  sql: { what: "what a user installs" },
  "sql/kafka": { what: "schema `kafka`; a file for Greenplum, one for PostgreSQL" },
  "sql/crimes": { what: "the example: web tables to copy from" },
  scripts: { what: "what a person runs: demo, tests, benchmarks, binaries, documents, checks" },
  "scripts/bench": { what: "benchmarks: what is measured, how, tables and pictures" },
  "scripts/bench/peers": { what: "small programs around the libraries that are measured" },
  "scripts/compile": { what: "binaries and their archive" },
  "scripts/crimes": { what: "generated rows" },
  "scripts/demo": { what: "the demo's steps" },
  "scripts/deploy": { what: "copying a binary to hosts" },
  "scripts/mutations": { what: "mistakes that the tests must notice: `deno task mutations`" },
  "scripts/servers": { what: "real servers for demo, tests and benchmarks" },
  "scripts/servers/broker": { what: "Kafka, by Java, Docker or an address" },
  "scripts/servers/postgres": { what: "PostgreSQL, from an npm package" },
  "scripts/wasm": { what: "compiling the WebAssembly modules" },
  tests: { what: "tests, by what they need" },
  "tests/unit": { what: "tests that need no server; its folders are those of lib" },
  "tests/broker": { what: "tests that need a broker" },
  "tests/db": { what: "tests that need a database; `golden/` has the schemas that are upgraded" },
  "tests/cli": { what: "tests of the programs as processes, from the sources and compiled" },
  "tests/binary": { what: "tests that need compiled programs" },
  "tests/differential": {
    what: "random input for the code and for foreign programs: `deno task differential`",
  },
  "tests/soak": { what: "everything at once for a long time, with faults: `deno task soak`" },
  "tests/fuzz": { what: "wrong input for every decoder and parser: `deno task fuzz`" },
  "tests/golden": { what: "bytes from real brokers and foreign clients, and how to record them" },
  "tests/support": { what: "what tests share" },
  "tests/support/chaos": { what: "whatever may happen to loads: `deno task chaos`" },
  "tests/support/scripted_broker": { what: "a broker with faults that real ones lack on demand" },
};

/** Folders below these are not listed: they are as their parents say. */
const alike = ["tests/unit", "tests/golden", "tests/db"];

/** The packages that the programs import; the others of deno.json are for development. */
export const runtimePackages = ["kafkajs", "postgres", "prom-client", "protobufjs", "yaml"];

const ENTRY_LINES = 60;
/** Of a file that is written by hand. */
const MOST_LINES = 330;
const entries = ["main.ts", "consumer.ts", "producer.ts"];

/** The map: each folder, what is there, and what it may import. */
export function mapRows(): string[][] {
  return Object.entries(folders).map(([path, { what, imports }]) => [
    `\`${path}\``,
    what,
    (imports ?? []).join(", "),
  ]);
}

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
    const code = withoutComment(line);
    if (path.startsWith("lib/") && /\bDeno\.(exit|args)\b/.test(code)) {
      problems.push(`${at}: Deno.exit and Deno.args belong to the entries`);
    }
    const from = importedBy(code);
    // Text of .proto files has imports of its own.
    if (from === undefined || from.endsWith(".proto") || path.startsWith("tests/")) continue;
    if (path.startsWith("scripts/")) {
      if (/^(\.\.\/)+tests\//.test(from)) problems.push(`${at}: scripts import nothing of tests`);
      continue;
    }
    if (from.startsWith("kafkajs") && folder && !path.startsWith("lib/kafka/kafkajs/")) {
      problems.push(`${at}: kafkajs is used in lib/kafka/kafkajs alone`);
    }
    if (!from.startsWith(".")) {
      const known = runtimePackages.some((name) => from === name || from.startsWith(`${name}/`));
      if (!known && !from.startsWith("node:")) {
        problems.push(`${at}: ${from} is a package for development — runtimePackages lists others`);
      }
      continue;
    }
    const target = normalize(join(dirname(path), from));
    const [, other] = /^lib\/([^/]+)\//.exec(target) ?? [];
    const open = folders[folder === undefined ? "." : `lib/${folder}`]?.imports ?? [];
    if (other !== undefined && other !== folder && !open.includes(other)) {
      problems.push(`${at}: ${folder ?? "an entry"} may not import ${other}`);
    }
    if (folder === "protocol" && !target.startsWith("lib/protocol/")) {
      problems.push(`${at}: protocol imports nothing outside itself`);
    }
  }
  return problems;
}

function withoutComment(line: string): string {
  return line.replace(/^\s*(\*|\/\/|\/\*).*/, "");
}

/** What a line of code imports, if it does. */
function importedBy(code: string): string | undefined {
  return /(?<!")(?:\bfrom\s+|\bimport\s*\(?\s*)"([^"]+)"/.exec(code)?.[1];
}

/** Files written by hand that are too long to be read at once. Golden files, WebAssembly and figures are not. */
export function sizeProblems(texts: ReadonlyMap<string, string>): string[] {
  return [...texts].flatMap(([path, text]) => {
    const lines = text.split("\n").length - 1;
    if (lines <= MOST_LINES || /_wasm\.ts$|\/golden\/|^docs\/benchmarks\.md$/.test(path)) return [];
    return [`${path}: ${lines} lines — split it, a file has at most ${MOST_LINES}`];
  });
}

/** Folders that the map lacks, and those that it has and the project has not. */
export function folderProblems(found: readonly string[]): string[] {
  const listed = found.filter((path) => !alike.some((parent) => path.startsWith(`${parent}/`)));
  return [
    ...listed.filter((path) => !Object.hasOwn(folders, path))
      .map((path) => `${path}: the folder is not in the map — describe it in scripts/layers.ts`),
    ...Object.keys(folders).filter((path) => !listed.includes(path))
      .map((path) => `${path}: the map has a folder that does not exist — scripts/layers.ts`),
  ];
}

/** Files of lib that import each other in a circle, each circle once. Imports of types count. */
export function circles(texts: ReadonlyMap<string, string>): string[] {
  const found: string[] = [];
  const done = new Set<string>();
  const visit = (path: string, above: readonly string[]) => {
    const at = above.indexOf(path);
    if (at >= 0) found.push(`circle: ${[...above.slice(at), path].join(" → ")}`);
    if (at >= 0 || done.has(path)) return;
    for (const line of (texts.get(path) ?? "").split("\n")) {
      const from = importedBy(withoutComment(line));
      if (from?.startsWith(".")) visit(normalize(join(dirname(path), from)), [...above, path]);
    }
    done.add(path);
  };
  for (const path of texts.keys()) if (path.startsWith("lib/")) visit(path, []);
  return found;
}

/** Every folder and file of the project; those that git ignores or keeps for itself are left out. */
async function walk(folder = "."): Promise<{ folders: string[]; files: string[] }> {
  const all = { folders: [folder], files: [] as string[] };
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = folder === "." ? name : `${folder}/${name}`;
    if (!isDirectory) all.files.push(path);
    else if (name === ".ci" || !/^(\..*|node_modules|dist|tmp)$/.test(name)) {
      const below = await walk(path);
      all.folders.push(...below.folders);
      all.files.push(...below.files);
    }
  }
  return all;
}

/** Every problem of the project in the current folder. */
export async function allProblems(): Promise<string[]> {
  const { folders, files } = await walk();
  const written = new Map<string, string>();
  for (const path of files.filter((path) => /\.(ts|sql|md|go)$/.test(path))) {
    written.set(path, await Deno.readTextFile(path));
  }
  const texts = new Map([...written].filter(([path]) => /(?<!\.as)\.ts$/.test(path)));
  const own = new Map(
    [...texts].filter(([path]) => path.startsWith("lib/") || !path.includes("/")),
  );
  return [
    ...[...texts].flatMap(([path, text]) => problemsOf(path, text)),
    ...folderProblems(folders),
    ...circles(own),
    ...sizeProblems(written),
  ];
}

if (import.meta.main) {
  if (Deno.args.includes("--map")) {
    for (const [path, what] of mapRows()) {
      console.log(`${path.replaceAll("`", "").padEnd(32)}${what}`);
    }
    Deno.exit(0);
  }
  const problems = await allProblems();
  for (const problem of problems) console.error(problem);
  Deno.exit(problems.length > 0 ? 1 : 0);
}
