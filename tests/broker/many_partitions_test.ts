/** A topic of 2,000 partitions: written, read and administered. */
import assert from "node:assert/strict";
import { startBroker } from "../../scripts/servers/broker.ts";
import { consumer, type Finished, gpdbKafka, producer, text } from "../support/cli.ts";
import { uniqueName } from "../support/kafka.ts";

const PARTITIONS = 2000;

Deno.test("2,000 partitions are written and read, each row once, and administered", async () => {
  // One of its own: files of so many logs would stay in the other tests' broker for a minute.
  await using broker = await startBroker({ own: true });
  const topic = uniqueName("thousands");
  const at = ["-b", broker.bootstrap, "--timeout", "60s"];
  const lines = (run: Finished): string[] => {
    assert.equal(run.code, 0, run.stderr);
    return text(run.stdout).split("\n").slice(0, -1);
  };
  lines(await gpdbKafka(["topics", "create", topic, "--partitions", `${PARTITIONS}`, ...at]));
  const rows = Array.from({ length: 8 * PARTITIONS }, (_, i) => `key ${i},${i}`);
  const written = [...at, "-t", topic, "--key-column", "1"];
  lines(await producer(written, { stdin: rows.map((row) => `${row}\n`).join("") }));
  const read = () => consumer([...at, "-t", topic, "-g", topic, "--columns", "partition"]);
  const seen = lines(await read()).map((row) => /^(\d+),(.*)$/.exec(row)!);
  assert.deepEqual(seen.map(([, , row]) => row).sort(), rows.toSorted());
  // Eight keys for each: hardly any partition has none.
  const used = new Set(seen.map(([, partition]) => partition)).size;
  assert.ok(used > PARTITIONS * 0.99, `${used} partitions`);
  assert.deepEqual(lines(await read()), []);
  const described = lines(await gpdbKafka(["topics", "describe", topic, ...at]));
  assert.equal(described[0], `${topic}: ${PARTITIONS} partitions, replication 1`);
  const stored = lines(await gpdbKafka(["offsets", "show", "-g", topic, ...at]));
  const lag = lines(await gpdbKafka(["lag", "-g", topic, ...at]));
  for (const shown of [described, stored, lag]) assert.ok(shown.length > PARTITIONS);
  assert.match(lag.at(-1)!, /^total +0$/);
});
