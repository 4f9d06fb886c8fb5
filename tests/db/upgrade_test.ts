/** Schema kafka of an older version, with data, upgraded by installing today's. */
import assert from "node:assert/strict";
import postgres from "postgres";
import { schemaSql } from "../../lib/greenplum/schema_files.ts";
import { startBroker } from "../../scripts/servers/broker.ts";
import { createTopic, produce, uniqueName } from "../support/kafka.ts";
import { addSource, installConsumer, load, runScript, startDatabase } from "../support/load.ts";
import { dialect, ownServer } from "../support/load.ts";
import { clientSession } from "../support/load_client.ts";
import { addScripted, startScripted } from "../support/load_scripted.ts";
import { addShaped, loadCounts, shapeOf } from "../support/load_shaped.ts";
import { things } from "../support/load_world.ts";

const golden = (version: string) =>
  Deno.readTextFile(new URL(`golden/schema_${version}_${dialect}.sql`, import.meta.url));

Deno.test({
  name: "upgrade: from 0.1.0 with data, nothing is lost and nothing loaded twice",
  ignore: !ownServer,
  async fn() {
    await using broker = await startBroker();
    await using pg = await startDatabase();
    await installConsumer(pg);
    const { sql } = pg;
    const role = uniqueName("etl");
    const topic = uniqueName("upgrade");
    await createTopic(broker, topic);
    await produce(broker, topic, things("a", "b", "c"));
    await sql`CREATE TABLE things (id int, name text)`;
    await runScript(pg, await golden("0.1.0"));
    // What gpdb-kafka sql source of 0.1.0 printed.
    const connection = `--brokers ${broker.bootstrap} --topic ${topic}`;
    let reader = `"$HOME"/kafka_consumer ${connection}`;
    let planner = `"$HOME"/kafka_consumer plan ${connection} --group upgrade`;
    if (dialect === "greenplum") {
      const table = (name: string, columns: string, command: string, place: string) => `
        CREATE READABLE EXTERNAL WEB TABLE kafka.${name} ${columns} EXECUTE '${command}'
        ON ${place} FORMAT 'CSV' (DELIMITER ',' NULL '' NEWLINE 'LF') ENCODING 'UTF8'`;
      await sql.unsafe(
        table("things_reader", "(id int, name text)", `${reader} --ranges-from-query`, "ALL"),
      );
      await sql.unsafe(table(
        "things_planner",
        "(topic text, partition_no integer, earliest bigint, end_offset bigint, at_offset bigint)",
        `${planner} --from-query`,
        "SEGMENT 0",
      ));
      [reader, planner] = ["kafka.things_reader", "kafka.things_planner"];
    }
    await sql`
      SELECT kafka.add_source(name := 'things', topic := ${topic}, target := 'public.things',
        reader := ${reader}, planner := ${planner},
        group_name := 'upgrade', columns := ARRAY['id', 'name'], brokers := ${broker.bootstrap},
        config_file := NULL, fallback := 'earliest', on_lost := 'fail', max_records := NULL)`;
    await sql`CREATE ROLE ${sql(role)} LOGIN PASSWORD 'secret'`;
    await sql`GRANT USAGE ON SCHEMA kafka TO ${sql(role)}`;
    await sql`GRANT INSERT ON things TO ${sql(role)}`;
    await sql`GRANT SELECT ON kafka.status, kafka.lag, kafka.load_offset TO ${sql(role)}`;
    if (dialect === "greenplum") await sql`GRANT SELECT ON kafka.things_reader TO ${sql(role)}`;
    const dsn = new URL(pg.dsn);
    [dsn.username, dsn.password] = [role, "secret"];
    const etl = postgres(dsn.href, { max: 1, onnotice: () => {} });
    try {
      // The new program reads for the old schema: five columns, and the mirror as it was.
      assert.equal((await load({ sql: etl }, "things", 2)).rows, 2);
      for (let i = 0; i < 2; i++) await runScript(pg, await schemaSql(dialect));
      await assert.rejects(
        load({ sql: etl }, "things"),
        (error: { message: string; hint: string }) => {
          assert.match(
            error.message,
            /source "things": its planner was made by an older gpdb-kafka/,
          );
          assert.equal(error.hint, "Run the SQL of gpdb-kafka sql source again.");
          return true;
        },
      );
      await addSource(pg, broker, { name: "things", topic, table: "things", group: "upgrade" });
      // With the rights that its roles had.
      assert.equal((await load({ sql: etl }, "things")).rows, 1);
      assert.equal((await load({ sql: etl }, "things")).rows, 0);
      assert.equal((await etl`SELECT lag::int FROM kafka.lag`)[0].lag, 0);
    } finally {
      await etl.end({ timeout: 1 });
      await sql`DROP OWNED BY ${sql(role)}`;
      await sql`DROP ROLE ${sql(role)}`;
    }
    const rows = await sql`SELECT name FROM things ORDER BY id`;
    assert.deepEqual(rows.map(({ name }) => name), ["a", "b", "c"]);
    const history = await sql`
      SELECT leader_epochs, topics, topic_ids[1] AS topic_id, topic_starts
      FROM kafka.load_history ORDER BY load_no`;
    const [first, last] = [history[0], history.at(-1)!];
    assert.deepEqual([first.topics, first.topic_id, first.topic_starts], [[topic], null, [1]]);
    assert.deepEqual([last.leader_epochs, last.topic_id?.length], [[0], 22]);
  },
});

Deno.test({
  name:
    "upgrade: from version 3 with data, a source stands where it stood, and can get more topics",
  ignore: !ownServer || dialect === "greenplum",
  async fn() {
    await using world = await startScripted(false);
    const { sql } = world;
    await runScript(world, await golden("version_3"));
    await addScripted(world);
    await addShaped(world, { shape: shapeOf("id integer, name text", { merge: ["id"] }) });
    const log = { clusterId: "c", topicId: "id-t", epoch: 4 };
    await world.plan([{ end: 2, ...log }, { end: 5, ...log }], ["0,0,1,a", "1,4,2,b"]);
    assert.equal((await load(world, "things")).rows, 2);
    await world.plan([{ end: 3, ...log }, { end: 5, ...log }], ["0,2,1,c"]);
    assert.equal((await load(world, "things")).rows, 1);
    const [before] = await sql`SELECT * FROM kafka.status`;
    const places = await sql`SELECT * FROM kafka.load_offset ORDER BY partition_no`;
    for (let i = 0; i < 2; i++) await runScript(world, await schemaSql(dialect));
    const [after] = await sql`SELECT * FROM kafka.status`;
    for (const name of Object.keys(before)) assert.deepEqual(after[name], before[name], name);
    assert.deepEqual(
      [...await sql`SELECT * FROM kafka.load_offset ORDER BY partition_no`],
      places.map((place) => ({ ...place, topic: "t" })),
    );
    const history = await sql`
      SELECT topics, topic_ids, topic_starts, topic_records::int[], topic_lags::int[], leader_epochs
      FROM kafka.load_history ORDER BY load_no`;
    const same = { topics: ["t"], topic_ids: ["id-t"], topic_starts: [1], topic_lags: [0] };
    assert.deepEqual([...history], [
      { ...same, topic_records: [7], leader_epochs: [4, 4] },
      { ...same, topic_records: [1], leader_epochs: [4, 4] },
    ]);
    // As it was: no SQL of gpdb-kafka sql source was run.
    await world.plan([{ end: 3, ...log }, { end: 6, ...log }], ["1,5,2,d"]);
    const { updated } = await loadCounts(world);
    assert.equal(updated, 1);
    // Another topic beside it.
    await sql`
      SELECT kafka.add_source('things', NULL, 'things', 'true #', 'true # --log-identity', 'g',
        topics := ARRAY['t', 'u'])`;
    await world.plan([
      { end: 4, ...log },
      { end: 6, ...log },
      { end: 1, ...log, topicId: "id-u", topic: "u", partition: 0 },
    ], ["3,e", "4,f"]);
    assert.equal((await load(world, "things")).records, 2);
    const rows = await sql`SELECT name FROM things ORDER BY id`;
    assert.deepEqual(rows.map(({ name }) => name), ["c", "d", "e", "f"]);
    const offsets = await sql`
      SELECT topic, partition_no, next_offset::int FROM kafka.load_offset ORDER BY 1, 2`;
    assert.deepEqual(offsets.map((row) => Object.values(row).join(" ")), [
      "t 0 4",
      "t 1 6",
      "u 0 1",
    ]);
  },
});

Deno.test({
  name:
    "upgrade: from version 3 with data, a source goes on where it stands when a client reads it",
  ignore: !ownServer || dialect === "greenplum",
  async fn() {
    await using world = await startScripted(false);
    await using broker = await startBroker();
    const { sql, pg } = world;
    await runScript(world, await golden("version_3"));
    await addScripted(world);
    await addShaped(world, { shape: shapeOf("id integer, name text", { where: "id >= 0" }) });
    await world.plan([{ end: 2 }], ["0,0,0,a", "0,1,1,b"]);
    assert.equal((await load(world, "things")).rows, 2);
    const etl = await world.role("upgrade_client");
    await sql`GRANT INSERT ON things TO upgrade_client`;
    await sql`SELECT kafka.allow('upgrade_client')`;
    const [{ secret }] = await sql`SELECT secret FROM kafka.signing_key`;
    for (let i = 0; i < 2; i++) await runScript(world, await schemaSql("postgres"));
    assert.equal((await sql`SELECT secret FROM kafka.signing_key`)[0].secret, secret);
    assert.equal((await sql`SELECT via FROM kafka.status`)[0].via, "program");
    await world.plan([{ end: 3 }], ["0,2,2,c"]);
    assert.equal((await load(etl, "things")).rows, 1);
    // The log of the source was a script's: its topic and cluster are not known.
    const topic = "t";
    await createTopic(broker, topic).catch(() => {});
    await sql`UPDATE kafka.load_history SET next_offsets = '{1}'`;
    await produce(broker, topic, [{ value: "8,x" }, { value: "9,y" }]);
    const readerFlags = ["--columns", "partition,offset"];
    const shape = shapeOf("id integer, name text", { where: "id >= 0" });
    await addSource(world, broker, {
      ...{ name: "things", topic, table: "things", via: "client", readerFlags, shape },
    });
    const dsn = new URL(pg.dsn);
    dsn.username = dsn.password = "upgrade_client";
    await using client = clientSession(dsn.href);
    const { rows, records } = await client.load("things");
    assert.ok(rows === records && rows > 0);
    assert.equal((await client.load("things")).records, 0);
  },
});

Deno.test({
  name: "upgrade: from version 2 with data, sources go on as they are, and can merge then",
  ignore: !ownServer || dialect === "greenplum",
  async fn() {
    await using world = await startScripted(false);
    const { sql } = world;
    await runScript(world, await golden("version_2"));
    await addScripted(world);
    await world.plan([{ end: 4 }], ["0,a", "1,b", "2,c"]);
    assert.equal((await load(world, "things")).rows, 3);
    await sql`SELECT kafka.seek('things', '0:4')`;
    const etl = await world.role("upgrade_etl");
    await sql`GRANT INSERT ON things TO upgrade_etl`;
    await sql`SELECT kafka.allow('upgrade_etl')`;
    const [before] = await sql`SELECT * FROM kafka.status`;
    for (let i = 0; i < 2; i++) await runScript(world, await schemaSql(dialect));
    // All that it had is there, and what is new says the same.
    const [after] = await sql`SELECT * FROM kafka.status`;
    for (const name of Object.keys(before)) assert.deepEqual(after[name], before[name], name);
    assert.deepEqual([after.rows_inserted, after.rows_updated, after.rows_deleted], [
      "3",
      "0",
      "0",
    ]);
    const history = await sql`
      SELECT rows::int, inserted::int, rows_read::int FROM kafka.load_history ORDER BY load_no`;
    assert.deepEqual(history.map((row) => Object.values(row)), [[3, 3, 3], [0, 0, 0]]);
    await world.plan([{ end: 6 }], ["3,d"]);
    assert.equal((await load(etl, "things")).rows, 1);
    assert.equal((await etl.sql`SELECT 1 FROM kafka.rejected`).length, 0);
    await addShaped(world, { shape: shapeOf("id integer, name text", { merge: ["id"] }) });
    await world.plan([{ end: 8 }], ["0,6,3,e", "0,7,4,f"]);
    await sql`GRANT DELETE ON things TO upgrade_etl`;
    const { inserted, updated } = await loadCounts(etl);
    assert.deepEqual([inserted, updated], [1, 1]);
    const rows = await sql`SELECT name FROM things ORDER BY id`;
    assert.deepEqual(rows.map(({ name }) => name), ["a", "b", "c", "e", "f"]);
  },
});
