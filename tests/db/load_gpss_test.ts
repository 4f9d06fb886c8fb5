import assert from "node:assert/strict";
import { startBroker } from "../../scripts/servers/broker.ts";
import { gpdbKafka, text } from "../support/cli.ts";
import { createTopic, produce, uniqueName } from "../support/kafka.ts";
import {
  dialect,
  installKafka,
  load,
  ownServer,
  runScript,
  startDatabase,
} from "../support/load.ts";

Deno.test({
  name: "load: a source made from a load file of GPSS maps, filters and merges as that file says",
  ignore: !ownServer,
  async fn() {
    await using broker = await startBroker();
    await using pg = await startDatabase();
    await installKafka(pg);
    const topic = uniqueName("gpss");
    await createTopic(broker, topic);
    await pg.sql`CREATE TABLE devices (device text, humidity float8, place text, note text)`;
    const folder = await Deno.makeTempDir();
    const path = `${folder}/job.yaml`;
    try {
      await Deno.writeTextFile(
        path,
        `DATABASE: x
VERSION: 2
KAFKA:
  INPUT:
    SOURCE: { BROKERS: "${broker.bootstrap}", TOPIC: ${topic} }
    VALUE:
      COLUMNS: [{ NAME: Data, TYPE: json }]
      FORMAT: json
    META:
      COLUMNS: [{ NAME: meta, TYPE: json }]
      FORMAT: json
    FILTER: data->>'device' <> 'test';
  OUTPUT:
    TABLE: devices
    MODE: MERGE
    MATCH_COLUMNS: [device]
    UPDATE_COLUMNS: [humidity, place]
    DELETE_CONDITION: ext.humidity < 0
    MAPPING:
      - { NAME: device, EXPRESSION: "data->>'device'" }
      - { NAME: humidity, EXPRESSION: "(data->>'humidity')::float" }
      - { NAME: place, EXPRESSION: "(meta->>'partition') || ':' || (meta->>'offset')" }
`,
      );
      const made = await gpdbKafka([
        ...["sql", "source", "--from-gpss", path, "--for", dialect, "--dsn", pg.dsn],
      ]);
      assert.equal(made.code, 0, made.stderr);
      await runScript(pg, text(made.stdout));
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
    const write = (...values: unknown[]) =>
      produce(broker, topic, values.map((value) => ({ value: JSON.stringify(value) })));
    const rows = async () => {
      const found = await pg.sql`SELECT device, humidity, place FROM devices ORDER BY device`;
      return found.map(({ device, humidity, place }) => `${device} ${humidity} ${place}`);
    };
    await write(
      { device: "a", humidity: 1 },
      { device: "test", humidity: 2 },
      { device: "b", humidity: 3 },
      { device: "a", humidity: 4 },
    );
    assert.equal((await load(pg, "devices")).records, 4);
    assert.deepEqual(await rows(), ["a 4 0:3", "b 3 0:2"]);
    await write({ device: "b", humidity: 5 }, { device: "a", humidity: -1 });
    await load(pg, "devices");
    assert.deepEqual(await rows(), ["b 5 0:4"]);
  },
});

Deno.test({
  name:
    "load: changes by a load file of GPSS: the order is a field, the key and the place are there",
  ignore: !ownServer,
  async fn() {
    await using broker = await startBroker();
    await using pg = await startDatabase();
    await installKafka(pg);
    const topic = uniqueName("cdc");
    await createTopic(broker, topic);
    await pg.sql`
      CREATE TABLE ogg_cdc (id int PRIMARY KEY, name text, ts timestamp, place text, number int)`;
    const file = new URL("../unit/greenplum/gpss/cdc_v2.yaml", import.meta.url);
    const path = await Deno.makeTempFile({ suffix: ".yaml" });
    try {
      const text = (await Deno.readTextFile(file)).replace("kafkahost", broker.bootstrap);
      await Deno.writeTextFile(path, text.replace("ogg-cdc", topic));
      const args = ["sql", "source", "cdc", "--from-gpss", path, "--for", dialect, "--dsn", pg.dsn];
      const made = await gpdbKafka(args);
      assert.equal(made.code, 0, made.stderr);
      await runScript(pg, new TextDecoder().decode(made.stdout));
    } finally {
      await Deno.remove(path);
    }
    const change = (op: string, id: number, name: string, second: number) => ({
      key: `${100 + id}`,
      value: JSON.stringify({
        op_type: op,
        current_ts: `2026-01-31T12:00:0${second}`,
        after: { ID: id, NAME: name },
      }),
    });
    await produce(broker, topic, [
      change("I", 1, "late", 5),
      change("I", 1, "early", 1), // older by its time, whatever its offset
      change("I", 2, "x", 1),
      change("I", 3, "y", 1),
      change("D", 2, "x", 2),
    ]);
    await load(pg, "cdc");
    const rows = await pg.sql`SELECT id, name, ts::text, place, number FROM ogg_cdc ORDER BY id`;
    assert.deepEqual([...rows.map((row) => Object.values(row).join(" "))], [
      "1 late 2026-01-31 12:00:05 0:0 101",
      "3 y 2026-01-31 12:00:01 0:3 103",
    ]);
  },
});
