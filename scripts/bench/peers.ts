/**
 * Measures the programs against everything that a user might pick instead:
 *
 *     deno task bench:peers [--rows N] [--runs N] [--codecs none,gzip,snappy,lz4,zstd]
 *                           [--only consume|produce|start|scale|sizes|load|greenplum]
 *                           [--peers kcat,franz-go,…] [--binaries DIR] [--write]
 *
 * Peers that are not installed are left out, by name; --peers names those to measure. --write puts
 * the tables and pictures into docs/, each section in place of its last one; --binaries measures
 * compiled programs. "sizes" leaves out the largest topics if less than 23 GB of disk are free.
 */
import { parseArgs } from "node:util";
import { type Broker, startBroker } from "../servers/broker.ts";
import { contestants } from "./contestants.ts";
import { greenplum } from "./greenplum.ts";
import { load } from "./load.ts";
import { report, writeSection } from "./report.ts";
import { scale, sizes } from "./scale.ts";
import { type Bench, consume, produce, start, type Table } from "./sections.ts";

const sections: Record<string, (bench: Bench) => Promise<Table[]>> = {
  consume,
  produce,
  start,
  scale,
  sizes,
  load,
  greenplum,
};

const options = {
  rows: { type: "string", default: "2000000" },
  runs: { type: "string", default: "5" },
  codecs: { type: "string", default: "none,gzip,snappy,lz4,zstd" },
  only: { type: "string", default: undefined },
  peers: { type: "string", default: undefined },
  binaries: { type: "string", default: undefined },
  write: { type: "boolean", default: false },
} as const;
const { values: flags } = parseArgs({ options });
const chosen = flags.only === undefined ? Object.keys(sections) : flags.only.split(",");
const unknown = chosen.find((name) => !Object.hasOwn(sections, name));
if (unknown !== undefined) {
  console.error(`unknown section "${unknown}": use ${Object.keys(sections).join(", ")}`);
  Deno.exit(64);
}
const folder = await Deno.makeTempDir();
try {
  await using broker = await startBroker({ own: true, steady: true });
  const missing = new Set<string>();
  const on = async (broker: Broker): Promise<Bench> => ({
    broker,
    contestants: (await contestants(broker, folder, flags.binaries, (name) => missing.add(name)))
      .filter(({ name }) =>
        /^(gpdb-kafka|floor)/.test(name) || (flags.peers?.split(",").includes(name) ?? true)
      ),
    rows: Number(flags.rows),
    runs: Number(flags.runs),
    codecs: flags.codecs.split(","),
    folder,
    report: (line) => console.error(`… ${line}`),
    on,
  });
  const bench = await on(broker);
  const args = Object.entries(flags)
    .filter(([name, value]) => value !== options[name as keyof typeof options].default)
    .flatMap(([name, value]) => {
      if (name === "only" || name === "write") return [];
      return [`--${name} ${name === "binaries" ? "dist/linux-x86_64" : value}`];
    });
  for (const name of chosen) {
    const tables = await sections[name](bench);
    if (tables.length === 0) continue;
    const text = report(bench, name, tables, [...missing], args);
    console.log(text);
    if (flags.write) await writeSection(Object.keys(sections), name, text, tables);
  }
} finally {
  await Deno.remove(folder, { recursive: true });
}
