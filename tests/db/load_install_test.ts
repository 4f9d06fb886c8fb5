/** Installing schema kafka as the role that it is meant for, and what sources leave behind. */
import assert from "node:assert/strict";
import postgres from "postgres";
import { schemaSql } from "../../lib/greenplum/schema_files.ts";
import { createTopic, produce, uniqueName } from "../support/kafka.ts";
import { addSource, dialect, load, ownServer, runScript } from "../support/load.ts";
import { startWorld, things } from "../support/load_world.ts";

Deno.test({
  name: "schema: a role that is not a superuser installs it, adds sources and loads",
  ignore: !ownServer || dialect !== "postgres",
  async fn() {
    await using world = await startWorld();
    const { broker, sql, topic } = world;
    await produce(broker, topic, things("a", "b"));
    const owner = uniqueName("kafka_owner");
    // As the head of sql/kafka/postgres.sql says; the database is this test's own.
    await sql`DROP SCHEMA kafka CASCADE`;
    await sql.unsafe(`
      CREATE ROLE "${owner}" LOGIN PASSWORD 'secret' NOSUPERUSER;
      GRANT pg_execute_server_program TO "${owner}";
      CREATE EXTENSION IF NOT EXISTS file_fdw;
      GRANT USAGE ON FOREIGN DATA WRAPPER file_fdw TO "${owner}";
      GRANT CREATE ON SCHEMA public TO "${owner}"`);
    const [{ name }] = await sql`SELECT current_database() AS name`;
    await sql.unsafe(`GRANT CREATE ON DATABASE "${name}" TO "${owner}"`);
    const dsn = new URL(world.dsn);
    [dsn.username, dsn.password] = [owner, "secret"];
    const session = { sql: postgres(dsn.href, { max: 2, onnotice: () => {} }) };
    try {
      for (let i = 0; i < 2; i++) await runScript(session, await schemaSql("postgres"));
      const add = () => addSource(session, broker, { name: "things", topic, table: "things" });
      await assert.rejects(add(), (error: { message: string; hint: string }) => {
        assert.match(
          error.message,
          new RegExp(`role "${owner}", which owns schema kafka, may not`),
        );
        assert.equal(error.hint, `GRANT INSERT ON public.things TO "${owner}";`);
        return true;
      });
      await sql.unsafe(`GRANT INSERT ON things TO "${owner}"`);
      await add();
      assert.equal((await session.sql`SELECT 1 FROM things_peek`).length, 2);
      assert.equal((await load(session, "things")).rows, 2);
      assert.equal((await session.sql`SELECT lag::int FROM kafka.lag`)[0].lag, 0);
      // Neither the role nor a trigger that runs with its rights is more than that.
      const [rights] = await session.sql`SELECT rolsuper FROM pg_roles WHERE rolname = ${owner}`;
      assert.equal(rights.rolsuper, false);
      await session.sql`SELECT kafka.drop_source('things')`;
    } finally {
      await session.sql.end({ timeout: 1 });
      await sql.unsafe(`DROP OWNED BY "${owner}" CASCADE; DROP ROLE "${owner}"`);
    }
    assert.equal(await world.names(), "a b");
  },
});

Deno.test({
  name: "source: tables by the source's name; recreated only if changed, and dropped with it",
  ignore: !ownServer,
  async fn() {
    await using world = await startWorld();
    const { broker, sql, topic } = world;
    const other = uniqueName("other");
    await createTopic(broker, other);
    await produce(broker, topic, things("a"));
    await produce(broker, other, things("b", "c"));
    const role = uniqueName("watcher");
    await sql`CREATE ROLE ${sql(role)}`;
    try {
      await world.add();
      await world.add({ name: "more", topic: other });
      assert.equal((await sql`SELECT 1 FROM things_peek`).length, 1);
      assert.equal((await sql`SELECT 1 FROM more_peek`).length, 2);
      const peek = async () =>
        (await sql`SELECT oid FROM pg_class WHERE oid = 'things_peek'::regclass`)[0].oid;
      const mayRead = async () =>
        (await sql`SELECT has_table_privilege(${role}, 'things_peek', 'SELECT') AS may`)[0].may;
      await sql`GRANT SELECT ON things_peek TO ${sql(role)}`;
      const first = await peek();
      await world.add();
      assert.equal(await peek(), first);
      await world.add({ readerFlags: ["--tombstones", "empty"] });
      assert.notEqual(await peek(), first);
      assert.equal(await mayRead(), true);
    } finally {
      await sql`DROP OWNED BY ${sql(role)}`;
      await sql`DROP ROLE ${sql(role)}`;
    }
    await load(world, "more");
    await sql`SELECT kafka.drop_source('things')`;
    const left = await sql`
      SELECT relname FROM pg_class WHERE relname LIKE 'things\\_%' ESCAPE '\\' OR relname LIKE 'more\\_%' ESCAPE '\\'
      ORDER BY 1`;
    assert.deepEqual(
      left.map(({ relname }) => relname),
      dialect === "greenplum" ? ["more_peek", "more_planner", "more_reader"] : ["more_peek"],
    );
    assert.equal(await world.names(), "b c");
    await world.add();
    assert.equal((await load(world, "things")).rows, 1);
  },
});
