/** What is measured: each section gives tables, and says how they were made. */
import { generateRows } from "../generate_rows.ts";
import type { Broker } from "../servers/broker.ts";
import type { Contestant } from "./contestants.ts";
import { inTurn, measure, type Result } from "./measure.ts";

/** One table, and the picture that may be made of it. */
export interface Table {
  title: string;
  /** For the file name of the picture. */
  id: string;
  /** What must be known to read it. */
  note?: string;
  results: Result[];
}

/** What all sections need. */
export interface Bench {
  broker: Broker;
  contestants: readonly Contestant[];
  rows: number;
  runs: number;
  codecs: readonly string[];
  /** A folder for files. */
  folder: string;
  report: (line: string) => void;
  /** The same with another broker. */
  on: (broker: Broker) => Promise<Bench>;
}

/** Of a topic, if nothing else is asked for. */
export const PARTITIONS = 8;

export async function createTopic(
  broker: Broker,
  name: string,
  partitions = PARTITIONS,
): Promise<void> {
  const { code, stderr } = await broker.run("org.apache.kafka.tools.TopicCommand", [
    ...["--bootstrap-server", broker.bootstrap, "--create", "--topic", name],
    ...["--partitions", `${partitions}`],
  ]);
  if (code !== 0) throw new Error(`cannot create topic ${name}: ${stderr}`);
}

export async function deleteTopics(broker: Broker, names: readonly string[]): Promise<void> {
  const { code, stderr } = await broker.run("org.apache.kafka.tools.TopicCommand", [
    ...["--bootstrap-server", broker.bootstrap, "--delete", "--topic", names.join("|")],
  ]);
  if (code !== 0) throw new Error(`cannot delete topics ${names.join(", ")}: ${stderr}`);
}

/** A file of rows; `size` makes each row about this many bytes instead of the usual 249. */
export async function rowsFile(bench: Bench, rows: number, size?: number): Promise<string> {
  const path = `${bench.folder}/rows-${rows}-${size ?? "crimes"}.csv`;
  if (await Deno.stat(path).then(() => true, () => false)) return path;
  using file = await Deno.open(path, { write: true, create: true });
  const writeAll = (bytes: Uint8Array) => {
    for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at));
  };
  if (size === undefined) { for (const chunk of generateRows({ rows })) writeAll(chunk); }
  else {
    const filler = "x".repeat(Math.max(size - 12, 0));
    for (let row = 0; row < rows; row += 1000) {
      const lines = Array.from(
        { length: Math.min(1000, rows - row) },
        (_, i) => `${String(row + i).padStart(10, "0")},${filler}\n`,
      );
      writeAll(new TextEncoder().encode(lines.join("")));
    }
  }
  return path;
}

/** A topic of these rows, written by our producer. */
export async function filled(
  bench: Bench,
  topic: string,
  { codec = "none", rows = bench.rows, size, times = 1, partitions = PARTITIONS, exists }: {
    codec?: string;
    rows?: number;
    size?: number;
    /** How often the same rows are written. */
    times?: number;
    partitions?: number;
    /** The topic is there already. */
    exists?: boolean;
  } = {},
): Promise<string> {
  if (!exists) await createTopic(bench.broker, topic, partitions);
  const [us] = bench.contestants;
  // Without a producer id: the floor sends these batches again.
  const command = [...us.produce!(topic, codec)!, "--no-idempotence"];
  const input = await rowsFile(bench, rows, size);
  for (let i = 0; i < times; i++) await measure({ command, input });
  return topic;
}

/** All read a topic of each codec. */
export async function consume(bench: Bench): Promise<Table[]> {
  const tables: Table[] = [];
  for (const codec of bench.codecs) {
    const topic = await filled(bench, `bench-${codec}`, { codec });
    const readers = bench.contestants.filter(({ consume, reads }) =>
      consume !== null && (reads?.includes(codec) ?? true)
    );
    bench.report(`consume, ${codec}`);
    const results = await inTurn(
      readers.map(({ name, consume }) => ({
        name,
        run: (warm) =>
          measure(
            { command: consume!(topic, bench.rows) },
            warm && !name.startsWith("floor") ? bench.rows : undefined,
          ),
      })),
      bench.runs,
    );
    tables.push({ title: `Consume, codec ${codec}`, id: `consume-${codec}`, results });
  }
  return tables;
}

/** All write the same file to topics of their own, with each codec. */
export async function produce(bench: Bench): Promise<Table[]> {
  const tables: Table[] = [];
  const input = await rowsFile(bench, bench.rows);
  for (const codec of bench.codecs) {
    const writers = bench.contestants.flatMap(({ name, produce }, i) => {
      const topic = `bench-to-${codec}-${i}`;
      const command = produce?.(topic, codec) ?? null;
      return command === null ? [] : [{ name, topic, command }];
    });
    // The floor's batches.
    if (!await topicExists(bench, `bench-${codec}`)) {
      await filled(bench, `bench-${codec}`, { codec });
    }
    for (const { topic } of writers) await createTopic(bench.broker, topic);
    bench.report(`produce, ${codec}`);
    const results = await inTurn(
      writers.map(({ name, command }) => ({ name, run: () => measure({ command, input }) })),
      bench.runs,
    );
    tables.push({ title: `Produce, codec ${codec}`, id: `produce-${codec}`, results });
  }
  return tables;
}

async function topicExists({ broker }: Bench, topic: string): Promise<boolean> {
  const { stdout } = await broker.run("org.apache.kafka.tools.TopicCommand", [
    ...["--bootstrap-server", broker.bootstrap, "--list"],
  ]);
  return new TextDecoder().decode(stdout).split("\n").includes(topic);
}

/** All read a topic with nothing in it: what is left is starting. */
export async function start(bench: Bench): Promise<Table[]> {
  await createTopic(bench.broker, "bench-empty");
  const able = new Set(["gpdb-kafka", "kcat", "franz-go", "Sarama"]);
  const readers = bench.contestants.filter(({ name }) => able.has(name));
  bench.report("start");
  const results = await inTurn(
    readers.map(({ name, consume }) => ({
      name,
      run: () => measure({ command: consume!("bench-empty", 0) }),
    })),
    Math.max(bench.runs, 11),
  );
  return [{ title: "Start: an empty topic is read", id: "start", results }];
}
