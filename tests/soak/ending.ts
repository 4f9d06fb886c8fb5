/** What must hold when nothing is written any more. */
import assert from "node:assert/strict";
import { until } from "../support/group.ts";
import { groupOffsets, topicOffsets } from "../support/kafka.ts";
import { TOPIC, type World } from "./world.ts";

/** Runs without an end commit every few seconds; milliseconds. */
const COMMITTED = 15_000;

/** Ends the programs by SIGTERM: none may fail, or leave a file. */
export async function endPrograms({ consumers, loaders, temporary }: World): Promise<void> {
  for (const run of [...consumers.map(({ run }) => run), ...Object.values(loaders)]) {
    const { code, signal } = await run.end();
    assert.ok(
      signal === "SIGTERM" || code === 143 || code === 0,
      `${run.name}: ${code}\n${run.said}`,
    );
  }
  assert.deepEqual([...Deno.readDirSync(temporary)].map(({ name }) => name), []);
}

/** Every row is in both tables once, and was written by both consumers once. */
export async function checkRows({ pg, fed, consumers }: World): Promise<void> {
  for (const table of ["by_program", "by_client"]) {
    const [row] = await pg.sql.unsafe(`
      SELECT count(*)::int AS rows, count(DISTINCT id)::int AS ids, min(id)::int AS least,
        max(id)::int AS most, count(DISTINCT (partition_no, offset_no))::int AS places,
        count(*) FILTER (WHERE payload IS DISTINCT FROM 'row "' || id || '"')::int AS wrong
      FROM ${table}`);
    const wanted = { rows: fed, ids: fed, least: 0, most: fed - 1, places: fed, wrong: 0 };
    assert.deepEqual({ ...row }, wanted, table);
  }
  for (const { run, numbers } of consumers) {
    const { counts, next, doubled } = numbers;
    assert.deepEqual(
      { rows: counts.length, next, doubled },
      { rows: fed, next: fed, doubled: 0 },
      run.name,
    );
  }
}

/** The merged table has the newest row of each key, unless that one deletes it. */
export async function checkMerge({ pg }: World): Promise<void> {
  const wanted = `
    SELECT key, id, op, payload FROM (
      SELECT DISTINCT ON (key) key, id, op, payload FROM by_program ORDER BY key, id DESC
    ) newest WHERE op <> 'd'`;
  const found = "SELECT key, id, op, payload FROM merged";
  const [row] = await pg.sql.unsafe(`
    SELECT (SELECT count(*) FROM merged)::int AS rows,
      (SELECT count(*) FROM (${wanted} EXCEPT ALL ${found}) x)::int AS missing,
      (SELECT count(*) FROM (${found} EXCEPT ALL ${wanted}) x)::int AS wrong`);
  assert.deepEqual({ missing: row.missing, wrong: row.wrong }, { missing: 0, wrong: 0 });
  assert.ok(row.rows > 100, `${row.rows} keys`);
}

/** What the groups have committed comes to where the partitions end: nothing is left to read. */
export async function checkGroups({ broker, consumers }: World): Promise<void> {
  const ends = await topicOffsets(broker, TOPIC);
  for (const { run } of consumers) {
    await until(`${run.name}: all offsets are committed`, COMMITTED, async () => {
      const offsets = await groupOffsets(broker, run.name, TOPIC);
      return ends.every(({ partition, high }) => offsets.get(partition) === high);
    });
  }
}

/** Nothing of a load is left: no session, no temporary file, no row but where each source stands. */
export async function checkDatabase({ pg }: World): Promise<void> {
  await pg.sql`SELECT kafka.prune('0 seconds')`;
  const [row] = await pg.sql`
    SELECT (SELECT count(*) FROM kafka.load_history)::int AS history,
      (SELECT count(*) FROM kafka.load_plan)::int AS plans,
      (SELECT count(*) FROM kafka.rejected_row)::int AS rejected,
      (SELECT count(*) FROM pg_ls_tmpdir())::int AS files,
      (SELECT count(*) FROM pg_prepared_xacts)::int AS prepared,
      (SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'gpdb-kafka%')::int
        AS sessions,
      (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory')::int AS locks`;
  assert.deepEqual({ ...row }, {
    ...{ history: 3, plans: 0, rejected: 0, files: 0, prepared: 0, sessions: 0, locks: 0 },
  });
}
