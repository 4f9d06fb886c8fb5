/**
 * Loads, and whatever may happen to them; after every round each table is what its model says:
 *
 *     deno task chaos --rounds N [--seed S] [--write [--piece FILE]…]
 *
 * A real broker and a real PostgreSQL; a source that inserts and one that merges, each read by a
 * program and by a client. A round writes records, starts a load, and something happens to it. The seed
 * decides what, to which source, and when, as a part of the time that a load takes. Fails if what was
 * promised of an event does not hold, and, in a full run, if an event never met a load. With --write the
 * figures become docs/proof/chaos.json, with those of each FILE: such a file of another piece of the run.
 */
import assert from "node:assert/strict";
import { parseArgs } from "node:util";
import { commit } from "../../../scripts/proof.ts";
import { until } from "../group.ts";
import { groupOffsets } from "../kafka.ts";
import { dialect } from "../load.ts";
import { Random } from "../random.ts";
import { administrationEvents } from "./administration.ts";
import { brokerEvents } from "./brokers.ts";
import type { ChaosEvent } from "./event.ts";
import { type Chaos, writeChaos } from "./figures.ts";
import { killEvents } from "./kills.ts";
import { sessionEvents } from "./sessions.ts";
import type { ChaosSource, Way } from "./source.ts";
import { sameTable } from "./tables.ts";
import { ChaosWorld } from "./world.ts";

const events: readonly ChaosEvent[] = [
  ...sessionEvents,
  ...killEvents,
  ...brokerEvents,
  ...administrationEvents,
];

/** In a run of this many rounds for each event, each of them must have met a load. */
const FULL = 10;

export interface ChaosOptions {
  rounds: number;
  seed: number;
  ways: readonly Way[];
  /** Called after each round. */
  done?(line: string, chaos: Chaos): Promise<void> | void;
}

/** One round; returns the outcome. */
export async function round(world: ChaosWorld, event: ChaosEvent, source: ChaosSource) {
  await source.write(world.random);
  const outcome = await event.run(world, source);
  await world.quiet();
  const { hit, ended, rows } = outcome;
  if (rows !== "some") {
    const { before, after } = source;
    const allowed = { all: [after], none: [before], either: [before, after] }[rows];
    const what = `${rows} of the rows that were written are to be there; it ended with ${ended}`;
    const table = await source.table();
    if (!allowed.includes(table)) sameTable(table, allowed[0], what);
  }
  await world.finish(source);
  source.settle();
  return { hit, ended };
}

/** As many rounds as are asked for. Throws what is not as promised, with the seed and the round. */
export async function chaos({ rounds, seed, ways, done }: ChaosOptions): Promise<Chaos> {
  console.log(`GPDB_KAFKA_CHAOS_SEED=${seed}`);
  await using world = await ChaosWorld.start(ways, seed);
  const possible = events.filter(({ way, greenplum }) =>
    (way === undefined || ways.includes(way)) && (dialect === "postgres" || greenplum)
  );
  const chaos: Chaos = { rounds: 0, seed, kinds: {}, sources: {} };
  for (const { name, outcome } of possible) {
    chaos.kinds[name] = { hit: 0, late: 0, outcome, ended: {} };
  }
  for (const { name } of world.sources) chaos.sources[name] = 0;
  let order: ChaosEvent[] = [];
  while (chaos.rounds < rounds) {
    // Of its own: what a round draws does not depend on how those before it went.
    world.random = new Random(Math.imul(seed, 0x9e3779b1) ^ chaos.rounds);
    if (order.length === 0) order = world.random.shuffle(possible);
    const event = order.pop()!;
    const source = world.random.shuffle(world.sources)
      .find(({ way }) => event.way === undefined || event.way === way)!;
    const what = `round ${chaos.rounds + 1}: ${event.name}, ${source.name}`;
    try {
      const { hit, ended } = await round(world, event, source);
      const kind = chaos.kinds[event.name];
      kind[hit ? "hit" : "late"]++;
      if (hit) kind.ended[ended] = (kind.ended[ended] ?? 0) + 1;
      chaos.rounds++;
      chaos.sources[source.name]++;
      await done?.(`${what}: ${hit ? "hit" : "late"}: ${ended}`, chaos);
    } catch (error) {
      const { message, stack } = error as Error;
      throw new Error(`seed ${seed}, ${what}: ${message}\n${stack}`, { cause: error });
    }
  }
  for (const source of world.sources) await checkMirror(world, source);
  if (rounds >= FULL * possible.length) {
    const missed = Object.entries(chaos.kinds).filter(([, { hit }]) => hit === 0);
    assert.deepEqual(missed.map(([name]) => name), [], `seed ${seed}: these met no load`);
  }
  return chaos;
}

/** Kafka's group has the offsets that the database had when the last load began. */
async function checkMirror(world: ChaosWorld, source: ChaosSource): Promise<void> {
  const { name, ends } = source;
  const expected = ends.map((end, partition) => `${partition}:${end}`).join();
  let found = "";
  // A load does not wait for it for long.
  await until(`the group of ${name} is at ${expected}`, 30_000, async () => {
    await world.finish(source);
    const group = await groupOffsets(world.broker, `gpdb-kafka.${name}`, name);
    found = [...group].map(([partition, offset]) => `${partition}:${offset}`).join();
    return found === expected;
  }).catch((error) => {
    throw new Error(`${error.message}, not at ${found}`);
  });
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      rounds: { type: "string", default: "100" },
      seed: { type: "string", default: `${Date.now() % 1_000_000}` },
      write: { type: "boolean", default: false },
      piece: { type: "string", multiple: true, default: [] },
    },
  });
  const [rounds, seed] = [values.rounds, values.seed].map(Number);
  if (![rounds, seed].every((number) => Number.isInteger(number) && number >= 0)) {
    console.error("--rounds and --seed are whole numbers");
    Deno.exit(64);
  }
  const started = await commit();
  const write = async (chaos: Chaos) => {
    if (values.write) await writeChaos(chaos, started, values.piece);
  };
  const found = rounds === 0 ? { rounds, seed, kinds: {}, sources: {} } : await chaos({
    ...{ rounds, seed, ways: ["program", "client"] },
    async done(line, chaos) {
      console.log(`${new Date().toISOString()} ${line}`);
      // A run of an hour may be ended: what it has done until then counts.
      if (chaos.rounds % 50 === 0) await write(chaos);
    },
  });
  await write(found);
  console.log(JSON.stringify(found, null, 2));
}
