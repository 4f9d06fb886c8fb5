import assert from "node:assert/strict";
import { startBroker } from "../../scripts/servers/broker.ts";
import { consumer, text } from "../support/cli.ts";
import { createTopic, groupOffsets, produce, uniqueName } from "../support/kafka.ts";

Deno.test("rows: several in a record; offsets are of records, and only whole ones are committed", async () => {
  await using broker = await startBroker();
  const topic = uniqueName("rows");
  const letters = `${topic}-letters`;
  for (const name of [topic, letters]) await createTopic(broker, name);
  await produce(broker, topic, [
    { key: "a", value: '1,x\n2,"y\nz"\r\n' },
    { key: "b", value: "3,x\n4,y" },
    { key: "c", value: "5,x\n\n6,y" },
    { key: "d", value: "7,x\n" },
  ]);
  const at = ["-b", broker.bootstrap, "-t", topic, "-g", topic, "--value", "rows"];
  const first = await consumer([...at, "--max-records", "1", "--stats"]);
  assert.equal(first.code, 0, first.stderr);
  assert.equal(text(first.stdout), '1,x\n2,"y\nz"\n');
  const { records, rows } = JSON.parse(first.stderr);
  assert.deepEqual([records, rows], [1, 2]);
  assert.equal((await groupOffsets(broker, topic, topic)).get(0), 1n);

  const bad = await consumer([...at, "--columns", "key"]);
  assert.equal(bad.code, 65);
  assert.match(bad.stderr, /partition 0 offset 2: the value holds an empty row/);
  assert.equal((await groupOffsets(broker, topic, topic)).get(0), 1n);

  const rest = await consumer([
    ...[...at, "--columns", "key,offset", "--bad-record", `dead-letter=${letters}`, "--stats"],
  ]);
  assert.equal(rest.code, 0, rest.stderr);
  assert.equal(text(rest.stdout), '"b",1,3,x\n"b",1,4,y\n"d",3,7,x\n');
  assert.equal((await groupOffsets(broker, topic, topic)).get(0), 4n);
  const letter = await consumer([
    ...["-b", broker.bootstrap, "-t", letters, "-o", "earliest", "--value", "field"],
    ...["--columns", "key,header:dead-letter.offset"],
  ]);
  assert.equal(text(letter.stdout), '"c","2","5,x\n\n6,y"\n');
});

Deno.test("csv: rows of another dialect, as several segments read them, are the standard's", async () => {
  await using broker = await startBroker();
  const topic = uniqueName("csv");
  await createTopic(broker, topic, { partitions: 2 });
  const latin1 = (text: string) => Uint8Array.from(text, (char) => char.charCodeAt(0));
  await produce(broker, topic, [{ value: latin1("1;'caf\xe9; \\'x\\'';\\N\n") }], 0);
  await produce(broker, topic, [{ value: "2;a,b;" }], 1);
  const dialect = "delimiter=;,quote=',null=\\N,encoding=latin1,escape=\\";
  for (const [slot, row] of [["0/2", "1,\"café; 'x'\",\n"], ["1/2", '2,"a,b",""\n']]) {
    const run = await consumer([
      ...["-b", broker.bootstrap, "-t", topic, "-o", "earliest", "--slot", slot, "--csv", dialect],
    ]);
    assert.equal(run.code, 0, run.stderr);
    assert.equal(text(run.stdout), row);
  }
});
