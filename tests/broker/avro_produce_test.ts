import assert from "node:assert/strict";
import { startBroker } from "../../scripts/servers/broker.ts";
import { startRegistry } from "../../scripts/servers/registry.ts";
import { consumer, producer, text } from "../support/cli.ts";
import { createTopic, topicOffsets, uniqueName } from "../support/kafka.ts";

const fields = [
  { name: "id", type: "long" },
  { name: "name", type: ["null", "string"] },
  { name: "amount", type: { type: "bytes", logicalType: "decimal", precision: 20, scale: 3 } },
  { name: "at", type: ["null", { type: "long", logicalType: "timestamp-micros" }] },
  { name: "day", type: { type: "int", logicalType: "date" } },
  { name: "score", type: "double" },
  { name: "ok", type: "boolean" },
  { name: "state", type: { type: "enum", name: "State", symbols: ["NEW", "PAID"] } },
  { name: "raw", type: ["bytes", "null"] },
];
const order = (more: unknown[] = []) =>
  JSON.stringify({ type: "record", name: "shop.Order", fields: [...fields, ...more] });
const names = fields.map(({ name }) => name).join(",");

const rows = [
  '1,"a ""b"", c",123.450,2026-01-31T12:34:56.000007Z,2026-01-31,0.1,true,NEW,\\x00ff',
  '-9223372036854775808,"",-0.001,,0001-01-01,-1.5e-07,false,PAID,',
  "3,,12345678901234567.890,1969-12-31T23:59:59.999999Z,9999-12-31,NaN,true,PAID,\\x",
];

Deno.test("produce: Avro by a schema that is registered, and what reads it finds the rows", async () => {
  await using broker = await startBroker();
  await using registry = await startRegistry();
  const folder = await Deno.makeTempDir();
  try {
    const [first, second] = ["first", "second", "wrong"].map((name) => `${folder}/${name}.avsc`);
    await Deno.writeTextFile(first, order());
    await Deno.writeTextFile(
      second,
      order([{ name: "note", type: ["null", "string"], default: null }]),
    );
    const topic = uniqueName("avro-out");
    await createTopic(broker, topic);
    const at = ["-b", broker.bootstrap, "-t", topic];
    const avro = [...at, "--value", "avro", "--registry", registry.url, "--columns"];
    const stdin = rows.map((row, i) => `k${i},${row}\n`).join("");
    const keyed = ["--key-column", "1", "--key-cut", "--tombstone"];

    // A dry run, and columns that do not fit, register nothing.
    const dry = await producer(
      [...avro, `key,${names}`, ...keyed, "--schema", first, "--dry-run"],
      { stdin },
    );
    assert.equal(dry.code, 0, dry.stderr);
    const misfit = await producer([...avro, "key,id,names", ...keyed, "--schema", first], {
      stdin,
    });
    assert.equal(misfit.code, 64);
    assert.match(
      misfit.stderr,
      /--columns: the schema has no field "names" — did you mean "name"\?/,
    );
    const unknown = await producer([...avro, `key,${names}`, ...keyed], { stdin });
    assert.equal(unknown.code, 64, unknown.stderr);
    assert.match(
      unknown.stderr,
      /no version latest of subject ".*-value" — use --schema FILE to reg/,
    );
    const checked = await producer([
      ...[...avro, `key,${names}`, ...keyed, "--schema", first],
      ...["-X", "auto.register.schemas=false"],
    ], { stdin });
    assert.equal(checked.code, 64);
    assert.match(
      checked.stderr,
      /does not have the schema of first.avsc, and auto.register.schemas is/,
    );

    const sent = await producer([...avro, `key,${names}`, ...keyed, "--schema", first], {
      stdin: `${stdin}gone${",".repeat(fields.length)}\n`,
    });
    assert.equal(sent.code, 0, sent.stderr);
    // The next ones know the schema; one has a field more, which no column is.
    for (
      const more of [[], ["--schema", second], [
        "-X",
        "auto.register.schemas=false",
        "--schema",
        first,
      ]]
    ) {
      const again = await producer([...avro, `key,${names}`, ...keyed, ...more], { stdin });
      assert.equal(again.code, 0, again.stderr);
    }
    const out = await consumer([
      ...[...at, "-o", "earliest", "--value", "avro", "--registry", registry.url],
      ...["--columns", "key", "--fields", names, "--tombstones", "row"],
    ]);
    assert.equal(out.code, 0, out.stderr);
    const expected = rows.map((row, i) => `"k${i}",${row}\n`.replace("-1.5e-07", "-1.5e-7"));
    const gone = `"gone"${",".repeat(fields.length)}\n`;
    assert.equal(
      text(out.stdout),
      [...expected, gone, ...expected, ...expected, ...expected].join(""),
    );

    const before = (await topicOffsets(broker, topic))[0].high;
    const bad = await producer([...avro, names, "--schema", first], { stdin: "x,,1,,,1,t,NEW,\n" });
    assert.equal(bad.code, 65);
    assert.match(bad.stderr, /stdin line 1 column 1 "id" is not a whole number of 64 bits/);
    assert.equal((await topicOffsets(broker, topic))[0].high, before);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
