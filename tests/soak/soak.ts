/**
 * Writes and loads for a long time, while something goes wrong now and then:
 *
 *     deno task soak [--minutes N] [--seed S] [--write]
 *
 * A producer writes 400 rows a second; kafka.load by a program of the server, two loads by
 * gpdb-kafka (one of them merges), and two consumers read them all the time. Each fault is waited out:
 * everyone must have caught up within two minutes. At the end each row is where it must be, once, and
 * memory, descriptors, logs, files and catalogs have not grown. With --write the figures become
 * docs/proof/soak.json.
 */
import assert from "node:assert/strict";
import { parseArgs } from "node:util";
import { commit, type Origin, origin, writeProof } from "../../scripts/proof.ts";
import { sleep, until } from "../support/group.ts";
import { Random } from "../support/random.ts";
import { checkDatabase, checkGroups, checkMerge, checkRows, endPrograms } from "./ending.ts";
import { faults } from "./faults.ts";
import type { Course } from "./series.ts";
import { type Catalog, readCatalog, tooMuch, Watch } from "./watch.ts";
import { lagOf, loaded, startWorld, type World } from "./world.ts";

/**
 * Within this time after a fault everyone has what was written by then, milliseconds: a request that
 * is lost is given up after --timeout, which is a minute here.
 */
const RECOVERY = 120_000;
/** After this time it is reported who has said what. */
const SLOW = 45_000;
/** The longest pause between two faults, milliseconds. */
const LONGEST_PAUSE = 10_000;
/** Of the time, and the longest, seconds: until programs have what they need. */
const WARM_UP = { part: 0.2, most: 240 };
/** What programs and the database's server may write of one fault, bytes. */
const MOST_LOGGED = 16 * 1024;
/** Of schema kafka with all its rows, old ones that are not vacuumed yet too. */
const MOST_SCHEMA = 8 * 1024 ** 2;

export interface Soaked {
  seed: number;
  minutes: number;
  /** How often each kind of fault has hit. */
  faults: Record<string, number>;
  /** Resident, MiB. */
  memory: Record<string, Course>;
  descriptors: Record<string, Course>;
  /** Rows of the database's catalog at the start and at the end. */
  catalog: { first: Catalog; last: Catalog };
  /** Of tables of schema kafka with kafka.prune every 10 s: the most rows, and bytes at the end. */
  history: { most: number; bytes: number };
  /** Of all programs, and of the database's server; bytes. */
  logged: { programs: number; server: number };
  /** Records; and the longest time that everyone needed after a fault, seconds. */
  lag: { most: number; last: number; slowest: number };
  rows: number;
  /** How often the status page and the metrics were read. */
  pages: number;
}

async function serverLog({ pg }: World): Promise<number> {
  return (await Deno.stat(`${pg.home}/../log`)).size;
}

/** Who has what, and has said what: for messages. */
async function state(world: World): Promise<string> {
  const { producer, consumers, loaders } = world;
  const runs = [producer, ...consumers.map(({ run }) => run), ...Object.values(loaders)];
  return [
    `${new Date().toISOString()}: ${world.fed} rows were written`,
    JSON.stringify(await loaded(world)),
    ...consumers.map(({ run, numbers }) => `${run.name}: ${numbers.next}`),
    ...runs.map(({ name, said }) => `${name} said: ${said.slice(-6000)}`),
  ].join("\n");
}

/** Until all that is written now has come everywhere; milliseconds. */
async function caughtUp(world: World): Promise<number> {
  const wanted = world.fed;
  const took = await until(`all have ${wanted} rows`, RECOVERY, async () => {
    const least = Math.min(
      ...Object.values(await loaded(world)),
      ...world.consumers.map(({ numbers }) => numbers.next),
    );
    if (least < wanted) await sleep(100);
    return least >= wanted;
  }).catch(async (error) => {
    throw new Error(`${error.message}\n${await state(world)}`);
  });
  if (took > SLOW) console.warn(`after ${took} ms all have ${wanted} rows\n${await state(world)}`);
  return took;
}

/** Faults until the time is over, and each kind at least once. */
async function trouble(world: World, random: Random, minutes: number) {
  const hits = Object.fromEntries(Object.keys(faults).map((name) => [name, 0]));
  const end = Date.now() + 60_000 * minutes;
  let slowest = 0;
  let order: string[] = [];
  while (Date.now() < end || Object.values(hits).includes(0)) {
    if (order.length === 0) order = random.shuffle(Object.keys(faults));
    const name = order.pop()!;
    try {
      if (await faults[name](world, random)) hits[name]++;
      slowest = Math.max(slowest, await caughtUp(world));
    } catch (error) {
      throw new Error(`${name}: ${error instanceof Error ? error.message : error}`, {
        cause: error,
      });
    }
    await sleep(random.int(0, Math.min(LONGEST_PAUSE, 2000 * minutes)));
  }
  return { hits, slowest };
}

/** Throws if anything is lost, doubled, left, or grows. */
export async function soak({ minutes, seed }: { minutes: number; seed: number }): Promise<Soaked> {
  await using world = await startWorld();
  await caughtUp(world);
  const first = await readCatalog(world.pg);
  const log = await serverLog(world);
  const watch = new Watch(world);
  const { hits, slowest } = await watch.unlessBroken(trouble(world, new Random(seed), minutes));
  await watch.end();

  const { code } = await world.stopWriting();
  assert.equal(code, 0, world.producer.said);
  await caughtUp(world);
  const lag = {
    most: watch.mostLag,
    last: await lagOf(world),
    slowest: Math.round(slowest / 100) / 10,
  };
  assert.equal(lag.last, 0);
  await checkGroups(world);
  await endPrograms(world);
  await checkRows(world);
  await checkMerge(world);
  await checkDatabase(world);

  const last = await readCatalog(world.pg);
  assert.deepEqual(last, first, "the catalog has grown");
  const [{ bytes }] = await world.pg.sql<{ bytes: number }[]>`
    SELECT sum(pg_total_relation_size(oid))::int AS bytes FROM pg_class
    WHERE relnamespace = 'kafka'::regnamespace AND relkind = 'r'`;
  assert.ok(bytes < MOST_SCHEMA, `schema kafka has ${bytes} bytes`);
  const runs = [
    ...[world.producer, ...world.consumers.map(({ run }) => run)],
    ...Object.values(world.loaders),
  ];
  const logged = {
    programs: runs.reduce((sum, { logged }) => sum + logged, 0),
    server: await serverLog(world) - log,
  };
  const count = Object.values(hits).reduce((sum, hits) => sum + hits, 0);
  for (const [who, bytes] of Object.entries(logged)) {
    assert.ok(bytes < count * MOST_LOGGED, `${who}: ${bytes} bytes of messages, ${count} faults`);
  }
  const courses = watch.courses(Math.min(WARM_UP.most, WARM_UP.part * watch.seconds));
  assert.deepEqual(tooMuch(courses), []);
  return {
    ...{ seed, minutes, faults: hits, ...courses, catalog: { first, last } },
    history: { most: watch.mostHistory, bytes },
    ...{ logged, lag, rows: world.fed, pages: watch.pages },
  };
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      minutes: { type: "string", default: "1" },
      seed: { type: "string", default: "1" },
      write: { type: "boolean", default: false },
    },
  });
  const [minutes, seed] = [values.minutes, values.seed].map(Number);
  if (!(minutes > 0 && seed >= 0)) {
    console.error("--minutes is a number above 0, --seed one from 0 on");
    Deno.exit(64);
  }
  const started = await commit();
  const soaked = await soak({ minutes, seed });
  console.log(JSON.stringify(soaked, null, 2));
  if (values.write) {
    const from = await origin(`deno task soak --minutes ${minutes} --seed ${seed} --write`);
    const figures: Origin & Soaked = { ...from, commit: started, ...soaked };
    await writeProof("soak", figures);
  }
}
