/**
 * `deno task bench`: what the decoder does a second, alone; then the whole consumer beside kcat,
 * where that is installed, on the same topics in the same run. These machines are noisy: trust
 * medians of one run, and their ratio, not a time of one day against that of another.
 *
 *     deno task bench [--rows 2000000] [--runs 5] [--codecs none,gzip,snappy,lz4,zstd] [--beside DIR]
 *
 * --beside names another checkout, whose consumer runs in turn with this one's: before and after.
 */
import { parseArgs } from "node:util";
import { encodeBatch, type RecordParts } from "../lib/protocol/record.ts";
import { Batch } from "../lib/protocol/record_batch.ts";
import { Flag, Kernel } from "../lib/protocol/kernel/kernel.ts";
import { startBroker } from "./servers/broker.ts";
import { generateRows } from "./generate_rows.ts";

const { values: flags } = parseArgs({
  options: {
    rows: { type: "string", default: "2000000" },
    runs: { type: "string", default: "5" },
    codecs: { type: "string", default: "none" },
    beside: { type: "string" },
  },
});
const rows = Number(flags.rows);
const runs = Number(flags.runs);
const PARTITIONS = 8;
const root = new URL("../", import.meta.url).pathname.slice(0, -1);

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}

/** Decodes one batch of 4,000 rows (1 MB) over and over. */
function benchDecoder(): void {
  const values: Uint8Array[] = [];
  for (const chunk of generateRows({ rows: 4000 })) {
    for (let at = 0, end; (end = chunk.indexOf(10, at)) !== -1; at = end + 1) {
      values.push(chunk.slice(at, end));
    }
  }
  const records = values.map((value): RecordParts => ({ key: null, value, headers: [] }));
  const batch = encodeBatch(records, 0);
  const kernel = new Kernel();
  const start = Kernel.DATA + 64;
  kernel.reserve(batch.length + 64);
  const summed = batch.length - Batch.attributes;
  const cases: [string, (flags: number) => void, number][] = [
    ["CRC32C", () => kernel.crc32c(start + Batch.attributes, summed), 0],
    ["decode", decode, 0],
    ["decode + guard", decode, Flag.guard | Flag.trimmed],
  ];
  function decode(flags: number): void {
    const from = start + Batch.records;
    const end = start + batch.length;
    kernel.rows({ start: from, end, count: values.length, out: Kernel.DATA, flags });
    if (kernel.emitted !== values.length) throw new Error(`${kernel.emitted} rows came out`);
  }
  console.log(`Decoding, a batch of ${values.length} records, ${batch.length} bytes:`);
  for (const [name, work, flags] of cases) {
    const times: number[] = [];
    for (let i = 0; i < 400; i++) {
      kernel.bytes.set(batch, start); // decoding in place overwrites it
      const began = performance.now();
      work(flags);
      times.push(performance.now() - began);
    }
    const seconds = median(times) / 1000;
    const millions = (values.length / seconds / 1e6).toFixed(1);
    const gigabytes = (batch.length / seconds / 1e9).toFixed(2);
    console.log(`  ${name.padEnd(16)} ${millions.padStart(6)} M records/s  ${gigabytes} GB/s`);
  }
}

interface Figures {
  wall: number;
  cpu: number;
  memory: number;
}

/** Runs a command to /dev/null and reads what the system says of it: seconds, seconds, MiB. */
async function measure(command: string[]): Promise<Figures> {
  const script = 'exec /usr/bin/time -f "%e %U %S %M" -o "$0" "$@" > /dev/null';
  const told = await Deno.makeTempFile();
  try {
    const child = new Deno.Command("sh", { args: ["-c", script, told, ...command] }).spawn();
    const { code } = await child.status;
    if (code !== 0) throw new Error(`${command.join(" ")}: exit ${code}`);
    const [wall, user, system, kilobytes] = (await Deno.readTextFile(told)).trim().split(" ")
      .map(Number);
    return { wall, cpu: user + system, memory: kilobytes / 1024 };
  } finally {
    await Deno.remove(told);
  }
}

async function output(command: string, args: string[]): Promise<string | null> {
  try {
    const { stdout } = await new Deno.Command(command, { args, stderr: "null" }).output();
    return new TextDecoder().decode(stdout);
  } catch {
    return null;
  }
}

async function benchConsumer(): Promise<void> {
  const kcat = /version ([\d.]+)/i.exec(await output("kcat", ["-V"]) ?? "")?.[1];
  await using broker = await startBroker({ own: true, steady: true });
  console.log(
    `\nConsumer, ${rows.toLocaleString("en-US")} rows, ${PARTITIONS} partitions, Kafka ` +
      `${broker.version}, Deno ${Deno.version.deno}, kcat ${
        kcat ?? "not installed"
      }, ${runs} runs:`,
  );
  for (const codec of flags.codecs.split(",")) {
    const topic = `bench-${codec}`;
    await broker.run("org.apache.kafka.tools.TopicCommand", [
      ...["--bootstrap-server", broker.bootstrap, "--create", "--topic", topic],
      ...["--partitions", `${PARTITIONS}`],
    ]);
    await fill(broker.bootstrap, topic, codec);
    // deno-fmt-ignore
    const consumer = (folder: string) => [Deno.execPath(), "run", "-A", "--quiet",
      `${folder}/consumer.ts`, "-b", broker.bootstrap, "-t", topic, "--commit", "no"];
    const ours = consumer(root);
    const peers: [string, string[]][] = [
      ["kafka_consumer", ours],
      ["  CRC off", [...ours, "-X", "check.crcs=false"]],
    ];
    if (flags.beside !== undefined) peers.push(["  beside", consumer(flags.beside)]);
    if (kcat) {
      // deno-fmt-ignore
      peers.push(["kcat", ["kcat", "-C", "-b", broker.bootstrap, "-t", topic, "-o", "beginning",
        "-e", "-q"]]);
    }
    const figures = peers.map((): Figures[] => []);
    for (let run = 0; run <= runs; run++) {
      for (const [index, [, command]] of peers.entries()) {
        const figure = await measure(command);
        if (run > 0) figures[index].push(figure); // the first one warms caches
      }
    }
    report(codec, peers.map(([name]) => name), figures);
  }
}

async function fill(bootstrap: string, topic: string, codec: string): Promise<void> {
  // deno-fmt-ignore
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", `${root}/producer.ts`, "-b", bootstrap, "-t", topic, "-z", codec, "-q"],
    stdin: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  for (const chunk of generateRows({ rows })) await writer.write(chunk);
  await writer.close();
  if (!(await child.status).success) throw new Error("cannot fill the topic");
}

function report(codec: string, names: string[], figures: Figures[][]): void {
  const of = (index: number, what: keyof Figures) => median(figures[index].map((f) => f[what]));
  const last = names.length - 1;
  console.log(`  ${codec}`.padEnd(20) + "   wall s    CPU s   peak MiB");
  for (const [index, name] of names.entries()) {
    const ratio = names[last] === "kcat" && index < last
      ? `   ${(of(index, "wall") / of(last, "wall")).toFixed(2)} of kcat's wall, ` +
        `${(of(index, "cpu") / of(last, "cpu")).toFixed(2)} of its CPU`
      : "";
    console.log(
      `    ${name.padEnd(16)}${of(index, "wall").toFixed(2).padStart(9)}` +
        `${of(index, "cpu").toFixed(2).padStart(9)}${
          of(index, "memory").toFixed(0).padStart(11)
        }${ratio}`,
    );
  }
}

benchDecoder();
await benchConsumer();
