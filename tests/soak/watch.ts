/** Looks at everything once a second, and judges what it has seen at the end. */
import type { Postgres } from "../../scripts/servers/postgres.ts";
import { type Course, Series, useOf } from "./series.ts";
import { lagOf, processes, type World } from "./world.ts";

const MIB = 1024 ** 2;
/** More growth of a process than this is a fault: memory in MiB, descriptors. */
const MOST_GROWTH = 16;
const MOST_NEW_DESCRIPTORS = 4;
/** A session of the database fills its caches first: seconds after which its growth is one. */
const SESSION_LEAST = 60;
/** More than this in a process at any time is a fault, too. */
const MOST_MEMORY = 768;
const MOST_DESCRIPTORS = 200;

/** Every 10 s the history is shortened to this many seconds. */
const PRUNE_EVERY = 10;
const KEPT = 30;
/** The status page and the metrics are read this often, seconds. */
const PAGE_EVERY = 5;

/** Of the catalog: rows of each table that a load could leave something in, and its size. */
export type Catalog = Record<string, number>;

const catalogs = [
  ...["pg_class", "pg_attribute", "pg_type", "pg_proc", "pg_depend", "pg_shdepend"],
  ...["pg_description", "pg_constraint", "pg_trigger", "pg_namespace", "pg_foreign_table"],
  "pg_largeobject_metadata",
];

export async function readCatalog({ sql }: Postgres): Promise<Catalog> {
  const counts = catalogs.map((name) => `(SELECT count(*) FROM ${name})::int AS ${name}`);
  const [row] = await sql.unsafe(`SELECT ${counts.join(", ")}`);
  return { ...row };
}

export class Watch {
  readonly #world: World;
  readonly #started = performance.now();
  readonly #memory = new Map<string, Series>();
  readonly #descriptors = new Map<string, Series>();
  readonly #over = new AbortController();
  readonly #running: Promise<void>;
  /** The largest that it was, records. */
  mostLag = 0;
  /** The most rows that tables of the schema had, of all loads. */
  mostHistory = 0;
  /** How often status page and metrics were read. */
  pages = 0;

  constructor(world: World) {
    this.#world = world;
    this.#running = this.#watch();
    this.#running.catch(() => {}); // it is thrown by unlessBroken
  }

  /** What the work comes to; throws as soon as something seen meanwhile must not be. */
  async unlessBroken<T>(work: Promise<T>): Promise<T> {
    const done = await Promise.race([work, this.#running]);
    return done as T; // the watch itself ends after end() only
  }

  get seconds(): number {
    return (performance.now() - this.#started) / 1000;
  }

  /** Ends with what has gone wrong meanwhile. */
  async end(): Promise<void> {
    this.#over.abort();
    await this.#running;
  }

  courses(warmUp: number): { memory: Record<string, Course>; descriptors: Record<string, Course> } {
    const all = (series: Map<string, Series>) =>
      Object.fromEntries([...series].map(([name, one]) => [name, one.course(warmUp)]));
    return { memory: all(this.#memory), descriptors: all(this.#descriptors) };
  }

  async #watch(): Promise<void> {
    for (let second = 1; !this.#over.signal.aborted; second++) {
      await this.#look();
      if (second % PRUNE_EVERY === 0) await this.#prune(`${KEPT} seconds`);
      if (second % PAGE_EVERY === 0) await this.#readPages();
      const wait = 1000 * second - (performance.now() - this.#started);
      if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    }
  }

  async #look(): Promise<void> {
    const { producer, consumers, loaders } = this.#world;
    for (const run of [producer, ...consumers.map(({ run }) => run), ...Object.values(loaders)]) {
      run.check();
    }
    for (const { name, pid } of await processes(this.#world)) {
      // What sessions share with each other is the server's.
      const use = await useOf(pid, name.startsWith("session") ? "RssAnon" : "VmRSS");
      if (use === null) continue;
      series(this.#memory, name).add(pid, this.seconds, use.memory / MIB);
      series(this.#descriptors, name).add(pid, this.seconds, use.descriptors);
    }
    this.mostLag = Math.max(this.mostLag, await lagOf(this.#world));
  }

  async #prune(age: string): Promise<void> {
    const { sql } = this.#world.pg;
    const [{ rows }] = await sql`
      SELECT ((SELECT count(*) FROM kafka.load_history) + (SELECT count(*) FROM kafka.load_plan)
        + (SELECT count(*) FROM kafka.rejected_row))::int AS rows`;
    this.mostHistory = Math.max(this.mostHistory, rows);
    await sql`SELECT kafka.prune(${age})`;
  }

  async #readPages(): Promise<void> {
    for (const path of ["", "metrics"]) {
      const answer = await fetch(`http://127.0.0.1:${this.#world.port}/${path}`);
      if (!answer.ok || !(await answer.text()).includes("by_client")) {
        throw new Error(`/${path} answers ${answer.status}`);
      }
      this.pages++;
    }
  }
}

function series(all: Map<string, Series>, name: string): Series {
  let found = all.get(name);
  if (!found) all.set(name, found = new Series());
  return found;
}

/** What grows or is too large, a line each. */
export function tooMuch(
  { memory, descriptors }: ReturnType<Watch["courses"]>,
): string[] {
  const judge = (
    what: string,
    courses: Record<string, Course>,
    mostGrowth: number,
    most: number,
  ) =>
    Object.entries(courses).flatMap(([name, { growth, peak, seconds }]) => [
      ...growth > mostGrowth && (seconds >= SESSION_LEAST || !name.startsWith("session "))
        ? [`${name}: ${what} grows by ${growth.toFixed(1)} in ${seconds.toFixed(0)} s`]
        : [],
      ...peak > most ? [`${name}: ${what} is ${peak.toFixed(0)}`] : [],
    ]);
  return [
    ...judge("memory (MiB)", memory, MOST_GROWTH, MOST_MEMORY),
    ...judge("descriptors", descriptors, MOST_NEW_DESCRIPTORS, MOST_DESCRIPTORS),
  ];
}
