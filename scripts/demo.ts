/**
 * The main job, from nothing: a Kafka topic becomes rows of a PostgreSQL table, read by four
 * segment readers that the database itself runs; then a table that follows its topic by merges;
 * `deno task demo`. All it starts is stopped and
 * removed at the end, on Ctrl-C too.
 */
import { Failure } from "../lib/failure.ts";
import {
  createTopic,
  load,
  prepareTable,
  produce,
  SEGMENTS,
  startServers,
  TOPIC,
} from "./demo/crimes.ts";
import { showMerge } from "./demo/merge.ts";
import { grouped, perform, say, step } from "./demo/stage.ts";
import type { Postgres } from "./servers/postgres.ts";

async function showTypes({ sql }: Postgres): Promise<void> {
  const types = await sql<{ type: string; count: number }[]>`
    SELECT primary_type AS type, count(*)::int AS count
    FROM crimes GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 8`;
  const most = types[0]?.count ?? 1;
  const width = Math.max(...types.map(({ type }) => type.length));
  say(Deno.stdout, "\n");
  for (const { type, count } of types) {
    const bar = "█".repeat(Math.max(1, Math.round(40 * count / most)));
    say(Deno.stdout, `    ${type.padEnd(width)} ${bar} ${grouped(count)}\n`);
  }
}

async function demo(): Promise<void> {
  const started = performance.now();
  say(Deno.stdout, "A Kafka topic becomes rows of a table\n\n");
  const [broker, postgres] = await startServers();
  await step(`topic ${TOPIC}`, createTopic(broker), (n) => `${n} partitions`);
  await step("produced", produce(broker, 100_000, 1), (n) => `${grouped(n)} rows`);
  await step(
    "table crimes",
    prepareTable(broker, postgres),
    () => `${SEGMENTS} segment readers`,
  );
  const loads = async (what: string) => {
    const began = performance.now();
    const perSecond = (rows: number) =>
      rows === 0 ? "" : `, ${grouped(rows / (performance.now() - began) * 1000)} rows/s`;
    return await step(what, load(postgres), (n) => `${grouped(n)} rows${perSecond(n)}`);
  };
  const found = [await loads("first load")];
  await step("produced", produce(broker, 10_000, 100_001), (n) => `${grouped(n)} rows more`);
  found.push(await loads("second load"), await loads("third load"));
  const [{ count }] = await postgres.sql<{ count: number }[]>`
    SELECT count(DISTINCT id)::int AS count FROM crimes`;
  await showTypes(postgres);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  say(Deno.stdout, `\n${grouped(count)} rows, each once, after ${seconds} s\n`);
  if (found.join() !== "100000,10000,0" || count !== 110_000) {
    throw new Failure("incomplete", `the loads found ${found.join(", ")} rows, ${count} differ`);
  }
  await showMerge(broker, postgres);
}

await perform(demo);
