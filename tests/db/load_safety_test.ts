import assert from "node:assert/strict";
import { schemaSql } from "../../lib/greenplum/schema_files.ts";
import { createTopic, groupOffsets, kafkajs, produce, uniqueName } from "../support/kafka.ts";
import { dialect, load, ownServer, runScript } from "../support/load.ts";
import { startWorld, things } from "../support/load_world.ts";
import { startRole } from "../support/role.ts";

const ignore = !ownServer;
const onGreenplum = dialect === "greenplum";

Deno.test({
  name: "load: a value that would end the data stops it, with nothing loaded",
  ignore,
  async fn() {
    await using world = await startWorld();
    const { broker, sql, topic } = world;
    await world.add();
    await produce(broker, topic, [...things("a"), { value: "\\." }, ...things("b")]);
    const failed = await load(world, "things").catch((error) => error);
    assert.match(
      failed.message,
      onGreenplum
        ? /table things_reader command ended with error. kafka_consumer: topic/
        : /the reader of source "things" failed: .* exit code 65: a record/,
    );
    assert.equal(failed.code, "38000");
    assert.equal(await world.names(), "");
    assert.match(await world.told(failed), /partition 0 offset 1: the value/);
    // As with a row that does not fit the table.
    await sql`SELECT kafka.seek('things', 'latest')`;
    await produce(broker, topic, [{ value: "1,b" }, { value: "x,c" }]);
    await assert.rejects(load(world, "things"), /invalid input syntax for (type )?integer: "x"/);
    await world.add({
      name: "things",
      topic,
      table: "things",
      readerFlags: ["--bad-record", "skip"],
    });
    await sql`SELECT kafka.seek('things', '0:0')`;
    assert.equal((await load(world, "things", 3)).rows, 2);
  },
});

Deno.test({
  name: "load: a SELECT with a LIMIT from the peek table moves nothing",
  ignore,
  async fn() {
    await using world = await startWorld();
    const { broker, sql, topic } = world;
    await world.add();
    // More than a pipe holds, so that the consumer meets the closed one.
    const records = Array.from({ length: 20_000 }, (_, i) => ({ value: `${i},name of ${i}` }));
    await produce(broker, topic, records);
    for (let i = 0; i < 2; i++) {
      const seen = await sql`SELECT id FROM things_peek LIMIT 10`;
      assert.deepEqual(seen.map(({ id }) => id), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    }
    assert.equal((await groupOffsets(broker, "gpdb-kafka.things", topic)).get(0), -1n);
    assert.equal((await load(world, "things")).rows, 20_000);
    await load(world, "things");
    assert.equal((await sql`SELECT 1 FROM things_peek LIMIT 10`).length, 0);
    assert.equal((await sql`SELECT 1 FROM things`).length, 20_000);
  },
});

Deno.test({
  name: "load: hostile names of source, schema, table, column and topic",
  ignore,
  async fn() {
    await using world = await startWorld();
    const { broker, sql } = world;
    const hostile = `*/ '; DROP TABLE things; -- "$(touch x)" \\ ü`;
    const topic = `-${uniqueName("--o..")}`;
    await createTopic(broker, topic);
    const name = (text: string) => sql(text.replaceAll('"', '""'));
    const quoted = `"${hostile.replaceAll('"', '""')}"`;
    await sql.unsafe(`CREATE SCHEMA ${quoted}`);
    await sql.unsafe(`CREATE TABLE ${quoted}.${quoted} (${quoted} text, "select" int)`);
    await world.add({ name: hostile, topic, table: `${quoted}.${quoted}` });
    await produce(broker, topic, [{ value: `"'; ""x""",7` }]);
    assert.equal((await load(world, hostile)).rows, 1);
    assert.equal((await load(world, hostile)).rows, 0);
    const [row] = await sql.unsafe(`SELECT * FROM ${quoted}.${quoted}`);
    assert.deepEqual({ ...row }, { [hostile]: `'; "x"`, select: 7 });
    const [lag] = await sql`SELECT * FROM kafka.lag WHERE source = ${hostile}`;
    assert.deepEqual([lag.topic, Number(lag.next_offset), lag.error], [topic, 1, null]);
    assert.equal((await sql`SELECT * FROM ${name("things")}`).length, 0);
  },
});

Deno.test({
  name: "load: a role that may insert may load, and nothing else",
  ignore,
  async fn() {
    await using world = await startWorld();
    const { broker, sql, topic } = world;
    await using loader = await startRole(world, "etl");
    await using other = await startRole(world, "stranger");
    await sql.unsafe(`GRANT USAGE ON SCHEMA kafka TO ${other.quoted}`);
    await world.add({ roles: [loader.name] });
    await produce(broker, topic, things("a"));
    const [etl, stranger] = [loader.sql, other.sql];
    const reader = onGreenplum ? "kafka.things_reader" : "touch x";
    assert.equal((await load({ sql: etl }, "things")).rows, 1);
    assert.equal((await etl`SELECT * FROM kafka.lag`)[0].lag, "0");
    assert.equal((await etl`SELECT * FROM kafka.status`).length, 1);
    const refused = [
      load({ sql: stranger }, "things"),
      stranger`SELECT * FROM kafka._copy('things', '0:0-1')`,
      stranger`SELECT * FROM kafka._begin('things', 1)`,
      etl`SELECT * FROM kafka.seek('things', 'earliest')`,
      etl`SELECT kafka.pause('things')`,
      etl`SELECT kafka.drop_source('things')`,
      etl`UPDATE kafka.source SET reader = 'touch x'`,
      etl`SELECT kafka.prune('0 s')`,
      etl`SELECT * FROM kafka._plan((SELECT ROW(s.*)::kafka.source FROM kafka.source s), '', '', true, 0)`,
      etl`SELECT kafka.add_source('s', 't', 'things', ${reader}, 'touch x', 'g')`,
    ];
    for (const [i, query] of refused.entries()) {
      await assert.rejects(async () => await query, { code: "42501" }, `query ${i}`);
    }
    const evil = etl`SELECT * FROM kafka._copy('things', '0:0-1; touch x')`;
    await assert.rejects(
      async () => await evil,
      /are not ranges|is not a list of ranges|permission denied/,
    );
    assert.equal(await world.names(), "a");
  },
});

Deno.test({
  name: "load: what fails at the broker is reported; the copy in Kafka only warns",
  ignore,
  async fn() {
    await using world = await startWorld();
    const { broker, sql, topic } = world;
    await world.add({ name: "closed", brokers: "127.0.0.1:1" });
    if (!onGreenplum) {
      await sql`
        UPDATE kafka.source SET planner = replace(planner, '--timeout 10s', '--timeout 1s')
        WHERE name = 'closed'`;
    }
    await assert.rejects(
      load(world, "closed"),
      onGreenplum
        ? /table closed_planner command ended with error. .* 127.0.0.1:1: .*refused/
        : /planner of source "closed" failed: .*69: broker or/,
    );
    const [lag] = await sql`SELECT * FROM kafka.lag`;
    assert.match(lag.error, onGreenplum ? /127.0.0.1:1: .*refused/ : /exit code 69/);
    assert.equal(lag.next_offset, null);

    // A group with live members keeps its offsets.
    await world.add({ group: topic });
    await produce(broker, topic, things("a"));
    const member = kafkajs(broker).consumer({ groupId: topic });
    await member.connect();
    await member.subscribe({ topics: [topic] });
    const joined = new Promise((resolve) => member.on(member.events.GROUP_JOIN, resolve));
    await member.run({ autoCommit: false, eachBatch: () => Promise.resolve() });
    await joined;
    assert.equal((await load(world, "things")).rows, 1);
    assert.equal((await load(world, "things")).rows, 0);
    await member.disconnect();
    // Greenplum throws away what a command says that ends well.
    if (!onGreenplum) {
      assert.match(await world.told(), /cannot commit the offsets of the database for group/);
    }
  },
});

Deno.test({
  name: "schema: it can be installed again, and rejects a newer one",
  ignore,
  async fn() {
    await using world = await startWorld();
    const { broker, sql, topic } = world;
    assert.equal((await sql`SELECT * FROM kafka.lag`).length, 0);
    await world.add();
    await produce(broker, topic, things("a"));
    await load(world, "things");
    await runScript(world, await schemaSql(dialect));
    assert.equal((await load(world, "things")).rows, 0);
    await sql`INSERT INTO kafka.schema_version VALUES (99)`;
    await assert.rejects(
      runScript(world, await schemaSql(dialect)),
      /cannot install schema kafka: it is at version 99, which is newer/,
    );
  },
});
