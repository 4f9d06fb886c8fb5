/** Whether a program stays as fast while one thing after another grows. */
import { statfsSync } from "node:fs";
import { startBroker } from "../servers/broker.ts";
import type { Contestant } from "./contestants.ts";
import { inTurn, measure, measureTogether } from "./measure.ts";
import { type Bench, deleteTopics, filled, rowsFile, type Table } from "./sections.ts";
import { counted } from "./table.ts";

/** One topic that all of some contestants read. */
interface Case {
  group: string;
  topic: string;
  rows: number;
  gigabytes: number;
  readers: readonly Contestant[];
}

/** More readers, partitions and brokers. */
export async function scale(bench: Bench): Promise<Table[]> {
  return [
    await readersAtOnce(bench, "none"),
    await readersAtOnce(bench, "lz4"),
    await partitions(bench),
    await brokers(bench),
  ];
}

/** More rows, and longer rows. */
export async function sizes(bench: Bench): Promise<Table[]> {
  return [await data(bench, "none"), await data(bench, "lz4"), await rowLengths(bench)];
}

/** Ours, and the peers that are as fast as it gets: one in C, one in Go. */
function fast({ contestants }: Bench): Contestant[] {
  return contestants.filter(({ name }) => ["gpdb-kafka", "kcat", "franz-go"].includes(name));
}

/** All cases are read in turn, so that those of one table can be compared. */
async function compare(
  { runs, report }: Bench,
  cases: readonly Case[],
  table: Omit<Table, "results">,
): Promise<Table> {
  report(table.title);
  const runners = cases.flatMap(({ readers, topic, rows, group, gigabytes }) =>
    readers.map(({ name, consume }) => ({
      name,
      group,
      gigabytes,
      run: (warm: boolean) => measure({ command: consume!(topic, rows) }, warm ? rows : undefined),
    }))
  );
  return { ...table, results: await inTurn(runners, runs) };
}

async function readersAtOnce(bench: Bench, codec: string): Promise<Table> {
  const topic = await filled(bench, `scale-readers-${codec}`, { codec, partitions: 16 });
  const [{ name, consume }] = bench.contestants;
  const gigabytes = await gigabytesOf(bench, bench.rows);
  const title = `Readers at once, codec ${codec}`;
  bench.report(title);
  const results = await inTurn(
    [1, 2, 4, 8, 16].map((count) => ({
      name,
      group: counted(count, "reader"),
      gigabytes,
      run: () =>
        measureTogether(
          Array.from({ length: count }, (_, i) => ({
            command: [...consume!(topic, 0), "--partition", share(16, i, count)],
          })),
        ),
    })),
    bench.runs,
  );
  await deleteTopics(bench.broker, [topic]);
  const note = "Each is a process that reads its share of the same 16 partitions. CPU is that of " +
    "all of them, memory that of the largest one.";
  return { title, id: `readers-${codec}`, note, results };
}

/** The partitions of the i-th of `count` readers. */
function share(partitions: number, i: number, count: number): string {
  return Array.from({ length: partitions }, (_, p) => p).filter((p) => p % count === i).join(",");
}

async function partitions(bench: Bench): Promise<Table> {
  const { rows } = bench;
  const gigabytes = await gigabytesOf(bench, rows);
  const cases: Case[] = [];
  for (const count of [1, 16, 256]) {
    const topic = await filled(bench, `scale-partitions-${count}`, { partitions: count });
    const group = counted(count, "partition");
    cases.push({ group, topic, rows, gigabytes, readers: fast(bench) });
  }
  const table = await compare(bench, cases, { title: "Partitions", id: "partitions" });
  await deleteTopics(bench.broker, cases.map(({ topic }) => topic));
  return table;
}

/** Clusters beside the broker of all other tables, which is the first of them. */
async function brokers(bench: Bench): Promise<Table> {
  const { rows } = bench;
  const gigabytes = await gigabytesOf(bench, rows);
  const topic = "scale-brokers";
  await using clusters = new AsyncDisposableStack();
  const cases: Case[] = [];
  for (const count of [1, 2, 3]) {
    const at = count === 1 ? bench : await bench.on(clusters.use(
      await startBroker({
        own: true,
        steady: true,
        nodes: count,
        properties: { "default.replication.factor": "1" },
      }),
    ));
    await filled(at, topic, { partitions: 12 });
    const group = counted(count, "broker");
    cases.push({ group, topic, rows, gigabytes, readers: fast(at) });
  }
  const note =
    "The same rows in 12 partitions, spread over a cluster. All brokers run on this one " +
    "machine: what is seen is what more connections cost, not what more machines bring.";
  const table = await compare(bench, cases, { title: "Brokers", id: "brokers", note });
  await deleteTopics(bench.broker, [topic]);
  return table;
}

/** Of one file, which is written into the topic again and again: 4 GB need no file of 4 GB. */
async function data(bench: Bench, codec: string): Promise<Table> {
  const all = await gigabytesOf(bench, bench.rows);
  const shares = [0.2, 1, 2, 4, 8];
  const { bavail, bsize } = statfsSync(bench.broker.folder);
  // A third of what is free: the topics before are still being deleted, and the machine has users.
  const needed = () => 3 * all * shares.reduce((sum, one) => sum + one);
  while (shares.length > 1 && needed() > bavail * bsize / 1e9) {
    bench.report(`data of ${megabytes(all * shares.pop()!)} is left out: too little disk is free`);
  }
  const cases: Case[] = [];
  for (const share of shares) {
    const times = Math.max(share, 1);
    const rows = Math.floor(bench.rows * Math.min(share, 1));
    const topic = await filled(bench, `scale-data-${codec}-${share}`, { codec, rows, times });
    const gigabytes = times * await gigabytesOf(bench, rows);
    cases.push({
      group: megabytes(gigabytes),
      topic,
      rows: rows * times,
      gigabytes,
      readers: bench.contestants.slice(0, 1),
    });
  }
  await written();
  const title = `Sizes of topics, codec ${codec}`;
  const note =
    "Starting takes about the same time with each size, so the smallest takes more per GB.";
  const table = await compare(bench, cases, { title, id: `data-${codec}`, note });
  await deleteTopics(bench.broker, cases.map(({ topic }) => topic));
  return table;
}

async function rowLengths(bench: Bench): Promise<Table> {
  const bytes = 249 * bench.rows;
  const cases: Case[] = [];
  for (const size of [20, 249, 2_000, 20_000]) {
    const isUsual = size === 249;
    // kcat needs minutes for 500 MB of short rows.
    const rows = Math.floor(Math.min(bytes / size, 2.5 * bench.rows));
    const length = isUsual ? undefined : size;
    const topic = await filled(bench, `scale-size-${size}`, { rows, size: length });
    const gigabytes = await gigabytesOf(bench, rows, length);
    const group = `${rows.toLocaleString("en-US")} × ${size.toLocaleString("en-US")} bytes`;
    cases.push({ group, topic, rows, gigabytes, readers: fast(bench) });
    if (!isUsual) await Deno.remove(await rowsFile(bench, rows, length));
  }
  await written();
  const title = "Lengths of rows, codec none";
  const table = await compare(bench, cases, { title, id: "row-lengths" });
  await deleteTopics(bench.broker, cases.map(({ topic }) => topic));
  return table;
}

/** Waits for the disk, which else is busy with new topics while they are read. */
async function written(): Promise<void> {
  await new Deno.Command("sync").output();
}

async function gigabytesOf(bench: Bench, rows: number, size?: number): Promise<number> {
  return (await Deno.stat(await rowsFile(bench, rows, size))).size / 1e9;
}

function megabytes(gigabytes: number): string {
  return `${Math.round(1000 * gigabytes).toLocaleString("en-US")} MB`;
}
