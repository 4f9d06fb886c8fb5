/**
 * Each other release of Kafka that is tested, in short: topics, writing, reading, groups, lag,
 * doctor and a load. All other tests are for one release: see GPDB_KAFKA_TEST_VERSION.
 */
import assert from "node:assert/strict";
import { type Broker, startBroker } from "../../scripts/servers/broker.ts";
import { kafkaVersions } from "../../scripts/servers/broker/options.ts";
import { defaultVersion } from "../../scripts/servers/broker/own.ts";
import type { Postgres } from "../../scripts/servers/postgres.ts";
import { consumer, type Finished, gpdbKafka, producer, text } from "../support/cli.ts";
import { groupOffsets, uniqueName } from "../support/kafka.ts";
import { addSource, installKafka, load, ownServer, startDatabase } from "../support/load.ts";

const CODECS = ["none", "gzip", "snappy", "lz4", "zstd"];

function lines({ code, stdout, stderr }: Finished): string[] {
  assert.equal(code, 0, stderr);
  return text(stdout).split("\n").slice(0, -1);
}

/** Writes rows with each codec, a partition for each, and reads them in both ways of a group. */
async function writeAndRead(broker: Broker, topic: string): Promise<void> {
  const at = ["-b", broker.bootstrap, "--timeout", "30s"];
  const partitions = String(CODECS.length);
  lines(await gpdbKafka(["topics", "create", topic, "--partitions", partitions, ...at]));
  const rows = CODECS.map((codec) => [1, 2, 3].map((i) => `${i},${codec}`));
  await Promise.all(CODECS.map(async (codec, partition) => {
    const stdin = rows[partition].join("\n");
    const args = ["-t", topic, "-z", codec, "-p", String(partition), ...at];
    lines(await producer(args, { stdin }));
  }));
  const expected = rows.flat().sort();
  for (const assign of ["auto", "group"]) {
    const group = `${topic}-${assign}`;
    const read = () => consumer(["-t", topic, "-g", group, "--assign", assign, ...at]);
    assert.deepEqual(lines(await read()).sort(), expected, assign);
    const stored = await groupOffsets(broker, group, topic);
    assert.deepEqual([...stored.values()], CODECS.map(() => 3n), assign);
    assert.deepEqual(lines(await read()), [], assign);
    assert.match(lines(await gpdbKafka(["lag", "-g", group, ...at])).at(-1)!, /^total +0$/);
  }
  const shown = lines(await gpdbKafka(["offsets", "show", "-g", `${topic}-auto`, ...at]));
  assert.equal(shown.filter((line) => / 3 +0 +3 +0$/.test(line)).length, CODECS.length);
  const report = lines(await gpdbKafka(["doctor", "-t", topic, "-g", `${topic}-auto`, ...at]));
  assert.deepEqual(report.filter((line) => /^(warn|fail)/.test(line)), []);
  assert.ok(report.some((line) => line.startsWith("ok    versions: all ")), report.join("\n"));
}

/** Loads what was written, and what is written meanwhile. */
async function loads(pg: Postgres, broker: Broker, topic: string): Promise<void> {
  const name = `of_${broker.version.replaceAll(".", "_")}`;
  await pg.sql.unsafe(`CREATE TABLE ${name} (id int, codec text)`);
  await addSource(pg, broker, { name, topic, table: name });
  const loaded = async () => (await load(pg, name)).rows;
  assert.equal(await loaded(), 3 * CODECS.length);
  assert.equal(await loaded(), 0);
  lines(await producer(["-t", topic, "-b", broker.bootstrap], { stdin: "4,later\n" }));
  assert.equal(await loaded(), 1);
  const [{ count }] = await pg.sql.unsafe(`SELECT count(DISTINCT t)::int FROM ${name} t`);
  assert.equal(count, 3 * CODECS.length + 1);
}

Deno.test({
  name: "kafka versions: each other release is written, read, administered and loaded from",
  ignore: !ownServer,
  async fn(t) {
    await using pg = await startDatabase();
    await installKafka(pg);
    for (const version of kafkaVersions.filter((version) => version !== defaultVersion())) {
      await t.step(`Kafka ${version}`, async (t) => {
        await using broker = await startBroker({ version });
        const topic = uniqueName("release");
        await t.step("topics, rows, groups, lag, doctor", () => writeAndRead(broker, topic));
        await t.step("loads", () => loads(pg, broker, topic));
      });
    }
  },
});
