/** The transaction of a load by the client: it is committed as a whole, or the load has failed. */
import assert from "node:assert/strict";
import { openDatabase } from "../../lib/load/database.ts";
import { Dsn } from "../../lib/load/dsn.ts";
import { Transaction } from "../../lib/load/transaction.ts";
import { type Postgres, startPostgres } from "../../scripts/servers/postgres.ts";

/** Rows that are in the table for good. */
async function rowsOf({ sql }: Postgres): Promise<number[]> {
  return (await sql`SELECT id FROM things ORDER BY id`).map(({ id }) => id);
}

Deno.test("transaction: what was committed stays; what failed, or was rolled back, does not", async () => {
  await using pg = await startPostgres();
  await pg.sql`CREATE TABLE things (id int)`;
  const database = openDatabase(Dsn.parse("--dsn", pg.dsn), "transaction_test");
  try {
    const good = await Transaction.begin(database);
    await good.rows("INSERT INTO things VALUES (1)");
    assert.deepEqual(await rowsOf(pg), []);
    await good.commit();
    assert.deepEqual(await rowsOf(pg), [1]);

    // An error that the caller overlooks: the server answers ROLLBACK to COMMIT.
    const failed = await Transaction.begin(database);
    await failed.rows("INSERT INTO things VALUES (2)");
    await assert.rejects(failed.rows("SELECT 1 / 0"), { code: "22012" });
    await assert.rejects(failed.commit(), /the server answered ROLLBACK to COMMIT/);
    assert.deepEqual(await rowsOf(pg), [1]);

    const undone = await Transaction.begin(database);
    await undone.rows("INSERT INTO things VALUES (3)");
    assert.equal(await undone.rollback(), true);
    await assert.rejects(undone.rows("SELECT 1"), { code: "CONNECTION_CLOSED" });
    assert.deepEqual(await rowsOf(pg), [1]);
  } finally {
    await database.end({ timeout: 1 });
  }
});

Deno.test("transaction: after its connection is lost nothing of it runs on another one", async () => {
  await using pg = await startPostgres();
  await pg.sql`CREATE TABLE things (id int)`;
  const database = openDatabase(Dsn.parse("--dsn", pg.dsn), "transaction_test");
  try {
    const lost = await Transaction.begin(database);
    await lost.rows("INSERT INTO things VALUES (1)");
    const [{ pid }] = await lost.rows("SELECT pg_backend_pid() AS pid");
    await pg.sql`SELECT pg_terminate_backend(${pid})`;
    await assert.rejects(lost.rows("INSERT INTO things VALUES (2)"));
    await assert.rejects(lost.commit(), { code: "CONNECTION_CLOSED" });
    assert.equal(await lost.rollback(), false);
    assert.deepEqual(await rowsOf(pg), []);
  } finally {
    await database.end({ timeout: 1 });
  }
});
