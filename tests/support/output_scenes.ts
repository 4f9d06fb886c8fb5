/** What is in broker and database before the commands of a transcript are run; see outputs.ts. */
import { Cluster } from "../../lib/kafka/cluster.ts";
import { commitOffsets } from "../../lib/kafka/offsets.ts";
import { findCoordinator } from "../../lib/protocol/messages/find_coordinator.ts";
import { offsetCommit } from "../../lib/protocol/messages/offset_commit.ts";
import { generateRows } from "../../scripts/generate_rows.ts";
import { check, produceRows, type World } from "./document_world.ts";
import { consumer, text } from "./cli.ts";
import { createTopic, deleteRecords, kafkajs, produce } from "./kafka.ts";
import { addSource, load } from "./load.ts";
import { clientConfig } from "./scripted_broker/peer.ts";

export interface Scene {
  /** Prepares what the command number `at` finds. What it returns goes on while the command runs. */
  before?(world: World, at: number): Promise<AsyncDisposable | void>;
  /** The exit status of the scene's commands, if it is not 0. */
  code?: number;
  /** A command that is shown as a terminal has it, after some seconds. */
  onTerminal?: RegExp;
  /** The part of an output that can be compared; `stable` works on what this returns. */
  comparable?(output: string, command: string): string;
}

/** Every transcript that the documents show, by its name. */
export const scenes: Record<string, Scene> = {
  // The servers start at the same time: either line may be first.
  demo: { comparable: (output) => output.split("\n").toSorted().join("\n") },
  topics: {
    async before(world, at) {
      if (at === 0) await world.removeTopic();
      else await write(world, [8306, 4262, 7545, 387]);
    },
  },
  offsets: {
    async before(world, at) {
      if (at > 0) return;
      await fresh(world, [7806, 4262, 7545, 387]);
      check(await consumer(["-b", world.broker.bootstrap, "-t", "crimes", "-g", "loader"]));
      await produceRows(world.broker, 500, 0, 10_000);
    },
  },
  lag: {
    async before(world, at) {
      if (at > 0) return follow(world);
      await fresh(world, [20_000, 9000, 13_000, 8000]);
      await commit(world, [3000, 500, 1500]);
    },
    onTerminal: / --watch/,
    comparable: (output, command) =>
      command.includes("--watch")
        // Not the numbers of a row: a slow machine has other speeds, or none yet.
        ? output.replaceAll(/[▁-█]+/g, "GRAPH")
          .replaceAll(/(?<=\s)(?:(?:never|-|\d[\d.]*[dhms]?)(?=\s)[ ]*)+/g, "NUMBERS ")
        : output,
  },
  load: {
    async before(world) {
      await fresh(world, [8306, 4262, 7545, 387]);
      await freshSource(world);
    },
  },
  doctor: {
    code: 1,
    // What the machine has, and how the producer cut its batches.
    comparable: (output) =>
      output.replace(/output: .*/, "output: MACHINE").replace(
        /largest \d+ bytes/,
        "largest N bytes",
      ),
    async before(world) {
      const { broker, sql } = world;
      await fresh(world, [700, 458, 700, 500]);
      await freshSource(world);
      await load({ sql }, "crimes");
      // Since the last load: records deleted before they were loaded, one that would end the data,
      // and three with the day before the month.
      await produceRows(broker, 584, 1, 30_000);
      await deleteRecords(broker, "crimes", { 1: 600 });
      await produceRows(broker, 32, 2, 40_000);
      await produce(broker, "crimes", [{ value: "\\." }], 2);
      const rows = [...generateRows({ rows: 200, start: 50_001 })].map(text).join("").split("\n");
      const turned = rows.filter((row) => /,\d\d\/(1[3-9]|2\d|3[01])\//.test(row)).slice(0, 3)
        .map((row) => row.replaceAll(/,(\d\d)\/(\d\d)\//g, ",$2/$1/"));
      await produce(broker, "crimes", turned.map((value) => ({ value })), 0);
    },
  },
};

/** A new topic crimes with this many rows in each partition. */
async function fresh(world: World, counts: readonly number[]): Promise<void> {
  await world.removeTopic();
  await createTopic(world.broker, "crimes", { partitions: counts.length });
  await write(world, counts);
}

async function write({ broker }: World, counts: readonly number[]): Promise<void> {
  for (const [partition, rows] of counts.entries()) await produceRows(broker, rows, partition);
}

/** An empty table crimes, and a new source for it. */
async function freshSource({ sql, broker }: World): Promise<void> {
  await sql`SELECT kafka.drop_source('crimes')`;
  await sql`TRUNCATE crimes`;
  const source = { name: "crimes", topic: "crimes", table: "crimes", roles: ["etl"] };
  await addSource({ sql }, broker, source);
}

async function commit({ broker }: World, offsets: readonly number[]): Promise<void> {
  const cluster = new Cluster(clientConfig({ brokers: [broker.bootstrap] }), [
    findCoordinator,
    offsetCommit,
  ]);
  const items = offsets.map((offset, partition) => ({ topic: "crimes", partition, offset }));
  try {
    await commitOffsets(cluster, "loader", items);
  } finally {
    cluster.close();
  }
}

/** A producer that writes, and a group that reads its partitions at different speeds. */
async function follow(world: World): Promise<AsyncDisposable> {
  const producer = kafkajs(world.broker).producer();
  await producer.connect();
  let running = true;
  const messages = [0, 1, 2, 3].flatMap((partition) =>
    Array.from({ length: 25 }, () => ({ value: "a row", partition }))
  );
  const work = (async () => {
    for (let tick = 0; running; tick++) {
      await Promise.all([
        producer.send({ topic: "crimes", messages }),
        commit(world, [3000 + 170 * tick, 500 + 100 * tick, 1500 + 22 * tick]),
        new Promise((resolve) => setTimeout(resolve, 100)),
      ]);
    }
    await producer.disconnect();
  })();
  return {
    async [Symbol.asyncDispose]() {
      running = false;
      await work;
    },
  };
}
