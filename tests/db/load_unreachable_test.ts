/** A database that cannot be reached any more while a load, or a question, is under way. */
import assert from "node:assert/strict";
import { Failure } from "../../lib/failure.ts";
import { openDatabase } from "../../lib/load/database.ts";
import { Dsn } from "../../lib/load/dsn.ts";
import { databaseProblem } from "../../lib/load/errors.ts";
import { askPlanned } from "../../lib/load/stand.ts";
import { start } from "../support/cli.ts";
import { until } from "../support/group.ts";
import { produce } from "../support/kafka.ts";
import { dialect, ownServer } from "../support/load.ts";
import { clientSession } from "../support/load_client.ts";
import { startWorld, things } from "../support/load_world.ts";
import { Relay } from "../support/relay.ts";

for (const via of ["program", "client"] as const) {
  Deno.test({
    name: `unreachable: a load by ${via} that cannot be cancelled ends by SIGTERM all the same`,
    ignore: !ownServer || dialect === "greenplum",
    async fn() {
      await using world = await startWorld();
      const { broker, topic, sql } = world;
      await world.add(via === "client" ? { via } : {});
      await produce(broker, topic, things("a"));
      const dsn = new URL(world.dsn);
      await using relay = new Relay(Number(dsn.port));
      dsn.port = `${relay.port}`;
      await sql.begin(async (tx) => {
        await tx`LOCK TABLE things IN ACCESS EXCLUSIVE MODE`;
        const child = start("main", ["load", "things", "--dsn", dsn.href, "--every", "1s"]);
        const output = child.output();
        await until("the load waits for the table", 30_000, async () => {
          const waiting = await sql`
            SELECT 1 FROM pg_stat_activity WHERE application_name = 'gpdb-kafka load things'
              AND wait_event_type = 'Lock' AND datname = current_database()`;
          return waiting.length > 0;
        });
        relay.refuse();
        child.kill("SIGTERM");
        const { code, stderr } = await output;
        assert.equal(code, 143, new TextDecoder().decode(stderr));
        // It waits for a lock, and would notice that its client is gone after it only.
        await sql`
          SELECT pg_terminate_backend(pid) FROM pg_stat_activity
          WHERE application_name = 'gpdb-kafka load things' AND datname = current_database()`;
      });
      assert.equal(await world.names(), "");
    },
  });
}

Deno.test({
  name: "unreachable: a load whose session is ended while it writes rows fails at once",
  ignore: !ownServer || dialect === "greenplum",
  async fn() {
    await using world = await startWorld();
    const { broker, topic, sql } = world;
    await world.add({ via: "client" });
    // More than the sockets hold, and a server that reads slowly: it leaves some of it unread, and
    // the connection does not end in order.
    const some = things(...Array<string>(150).fill("x".repeat(5000)));
    for (let batch = 0; batch < 20; batch++) await produce(broker, topic, some);
    await sql.unsafe(`
      CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_catalog.pg_sleep(0.01); RETURN NEW; END $$;
      CREATE TRIGGER slow BEFORE INSERT ON things FOR EACH ROW EXECUTE FUNCTION slow()`);
    await using client = clientSession(world.dsn);
    const loading = client.load("things").then(() => null, (error) => error);
    await until("the load writes", 30_000, async () => {
      const writing = await sql`SELECT 1 FROM pg_stat_progress_copy WHERE tuples_processed > 10`;
      return writing.length > 0;
    });
    await sql`
      SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE application_name = 'gpdb-kafka load things' AND datname = current_database()`;
    const from = performance.now();
    const { kind, passing } = databaseProblem(await loading)!;
    assert.deepEqual([kind, passing], ["broker", true]);
    // Less than what a rollback may take.
    assert.ok(performance.now() - from < 4000);
    await sql`DROP TRIGGER slow ON things`;
    assert.equal((await client.load("things")).rows, 3000);
  },
});

Deno.test({
  name: "unreachable: after a question that cannot be rolled back its connection answers at once",
  ignore: !ownServer || dialect === "greenplum",
  async fn() {
    await using world = await startWorld();
    await world.add({ via: "client" });
    const sql = openDatabase(Dsn.parse("--dsn", world.dsn), "asks");
    const [{ pid }] = await sql`SELECT pg_backend_pid() AS pid`;
    try {
      const asking = askPlanned(sql, "things", {
        purpose: "check",
        warn: () => {},
        readerOf() {
          Deno.kill(pid, "SIGSTOP");
          throw new Failure("usage", "no such flag");
        },
      }, "SELECT 1");
      await assert.rejects(asking, /no such flag/);
      // Else it would wait for a server that does not answer, or for ever.
      await assert.rejects(async () => await sql`SELECT 1`, { code: "CONNECTION_ENDED" });
    } finally {
      Deno.kill(pid, "SIGCONT");
      await sql.end({ timeout: 1 });
    }
  },
});
