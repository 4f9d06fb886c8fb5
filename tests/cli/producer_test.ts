import assert from "node:assert/strict";
import { startBroker } from "../../scripts/servers/broker.ts";
import { generateRows } from "../../scripts/generate_rows.ts";
import { producer, runWithin, start, text } from "../support/cli.ts";
import { consoleConsume, createTopic, topicOffsets, uniqueName } from "../support/kafka.ts";
import { stepBeside } from "../support/steps.ts";

Deno.test("producer: no arguments prints the usage and exits 64", async () => {
  const run = await producer([]);
  assert.equal(run.code, 64);
  assert.match(run.stderr, /^kafka_producer: writes each row of its input as a record/);
});

Deno.test("producer: --help goes to stdout and exits 0", async () => {
  const help = await producer(["--help"]);
  assert.deepEqual([help.code, help.stderr], [0, ""]);
  for (const part of ["--key-column N", "-z, --codec", "--no-idempotence", "Exit status"]) {
    assert.ok(text(help.stdout).includes(part), part);
  }
});

Deno.test("producer: invalid arguments are a usage error that names them", async (t) => {
  const cases: [string[], RegExp][] = [
    [["-p", "0"], /no topic: use --topic/],
    [["-t", "a b"], /"a b" cannot be the name of a topic/],
    [["-t", "a", "-t", "b"], /-t is given twice/],
    [["-t", "x", "--header", "yes"], /--header: "yes" is not one of skip, none/],
    [["-t", "x", "--split", "tab"], /--split: "tab" is not one of line, csv, nul/],
    [["-t", "x", "-K", "::"], /--key-delim: "::" is not one ASCII character/],
    [["-t", "x", "--key-column", "0"], /--key-column: "0" is not a whole number from 1/],
    [["-t", "x", "-K", ":", "--key-column", "1"], /--key-delim and --key-column exclude/],
    [["-t", "x", "-K", ":", "--value", "json"], /--key-delim and --value exclude/],
    [["-t", "x", "--key-cut"], /--key-cut requires --key-column/],
    [["-t", "x", "--key-column", "10001"], /--key-column: 10001 is more than 10000/],
    [["-t", "x", "--header-column", "trace"], /"trace" is not NAME=N such as trace=3/],
    [["-t", "x", "--header-column", "trace=0"], /"trace=0" is not NAME=N .*the first field is 1/],
    [["-t", "x", "--tombstone"], /--tombstone requires --key-column or --key-delim/],
    [["-t", "x", "--tombstone", "--key-column", "1"], /--tombstone requires --key-cut/],
    [["-t", "x", "--value", "jsn"], /--value: "jsn" is not one of row, field, hex, json/],
    [["-t", "x", "--value", "json"], /--value json requires --columns: the names/],
    [["-t", "x", "--columns", "a"], /--columns requires --value json/],
    [["-t", "x", "--value", "json", "--columns", "a,,b"], /--columns: name 2 is empty/],
    [["-t", "x", "--value", "json", "--columns", "a,a"], /--columns: "a" is given twice/],
    [["-t", "x", "--value", "json", "--columns", 'a,"b'], /--columns: ""b" does not begin with NA/],
    [
      ["-t", "x", "--value", "json", "--columns", "a:numbr"],
      /--columns: "a" has the unknown type "numbr" — did you mean "number"\?/,
    ],
    [
      ["-t", "x", "--value", "json", "--columns", "a,b", "--key-column", "3"],
      /--key-column: field 3 does not exist, --columns has 2/,
    ],
    [
      ["-t", "x", "--value", "field", "--header-column", "h=3"],
      /--header-column: field 3 does not exist, with --value field a row has 2: one for the value/,
    ],
    [["-t", "x", "-p", "-1"], /-p requires a value|--partition: "-1"/],
    [["-t", "x", "-z", "brotli"], /--codec: "brotli" is not one of none, gzip/],
    [["-t", "x", "--acks", "2"], /--acks: "2" is not one of all, 1, 0/],
    [["-t", "x", "--rate", "fast"], /--rate: "fast" is not a number of rows a second/],
    [["-t", "x", "--rate", "0/s"], /--rate: "0\/s" is not a number of rows a second/],
    [["-t", "x", "--pause", "1s"], /--pause requires --batch-rows/],
    [["-t", "x", "--batch-rows", "5", "--pause", "1"], /--pause: "1" is not a duration/],
    [
      ["-t", "x", "-z", "gzip", "-X", "compression.gzip.level=10"],
      /level: "10" is not a level from 1 to 9, or -1/,
    ],
    [
      ["-t", "x", "-z", "gzip", "-X", "compression.gzip.level=0"],
      /compression\.gzip\.level: "0" is not a level/,
    ],
    [
      ["-t", "x", "-z", "gzip", "-X", "compression.level=high"],
      /level: "high" is not a level from 0 to 12, or -1/,
    ],
    [["-t", "x", "-X", "compression.zstd.level=3"], /compression\.zstd\.level has no effect here/],
    [["-t", "x", "--dry-run", "/nowhere/at/all"], /cannot open "\/nowhere\/at\/all"/],
    [["-t", "x", "--dry-run", "/"], /cannot read \/: /],
  ];
  await Promise.all(cases.map(async ([args, message]) => {
    const run = await producer(args);
    await stepBeside(t, args.join(" "), () => {
      assert.equal(run.code, 64, run.stderr);
      assert.match(run.stderr, message);
      assert.equal(run.stderr.trim().split("\n").length, 1);
    });
  }));
});

Deno.test("producer: no broker: exit 69 within --timeout, and nothing is claimed", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  const args = ["-t", "x", "-b", `127.0.0.1:${port}`, "--timeout", "1s"];
  const run = await runWithin(1_500, "producer", args, { stdin: "a\n" });
  assert.equal(run.code, 69);
  assert.match(run.stderr, new RegExp(`^kafka_producer: .*127.0.0.1:${port}: .*refused.*\n$`));
});

Deno.test("producer: an unknown topic, or partition, is reported", async () => {
  await using broker = await startBroker();
  const at = ["-b", broker.bootstrap];
  const unknown = await producer([...at, "-t", uniqueName("nowhere")], { stdin: "a\n" });
  assert.equal(unknown.code, 69);
  assert.match(unknown.stderr, /UNKNOWN_TOPIC_OR_PARTITION \(3\)/);

  const topic = uniqueName("narrow");
  await createTopic(broker, topic, { partitions: 2 });
  const wrong = await producer([...at, "-t", topic, "-p", "2"], { stdin: "a\n" });
  assert.equal(wrong.code, 64);
  assert.match(wrong.stderr, /--partition: topic "narrow-.*" has 2 partitions/);
});

Deno.test("producer: --dry-run needs no broker", async () => {
  const run = await producer(["-t", "x", "-b", "127.0.0.1:1", "--dry-run", "--header", "skip"], {
    stdin: "h\n1\n\n22\n",
  });
  assert.deepEqual([run.code, run.stderr], [
    0,
    "2 rows, 3 bytes read, in 1 batches of 78 bytes, the largest 78; nothing was sent; " +
    "1 empty lines left out\n",
  ]);
});

Deno.test("producer: gzip's level comes from either property, the last one", async () => {
  // A file that one read gets, so that its rows are one batch however slow the machine is.
  const file = await Deno.makeTempFile();
  await Deno.writeTextFile(file, [...generateRows({ rows: 2000 })].map(text).join(""));
  const bytes = async (...properties: string[]) => {
    const args = ["-t", "x", "--dry-run", "-z", "gzip", "--stats"];
    const run = await producer([...args, file, ...properties.flatMap((one) => ["-X", one])]);
    assert.equal(run.code, 0, run.stderr);
    return JSON.parse(run.stderr).batches.bytes;
  };
  try {
    const [usual, minus, one, nine, stored, last, kcat] = await Promise.all([
      bytes(),
      bytes("compression.gzip.level=-1"),
      bytes("compression.gzip.level=1"),
      bytes("compression.gzip.level=9"),
      bytes("compression.level=0"),
      bytes("compression.gzip.level=9", "compression.level=1"),
      bytes("compression.level=12"),
    ]);
    assert.ok(stored > one && one > usual && usual > nine, `${[stored, one, usual, nine]}`);
    assert.deepEqual([minus, last, kcat], [usual, one, nine]);
  } finally {
    await Deno.remove(file);
  }
});

Deno.test("producer: files come one after the other, each with its header and its line numbers", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/a.csv`, "id,name\n1,a\n2,b");
    await Deno.writeTextFile(`${folder}/b.csv`, "id,name\n3,c\n4\n5,e\n");
    await using broker = await startBroker();
    const topic = uniqueName("files");
    await createTopic(broker, topic);
    const args = ["-b", broker.bootstrap, "-t", topic, "--header", "skip", "--key-column", "2"];
    const files = [`${folder}/a.csv`, `${folder}/b.csv`];
    const failed = await producer([...args, "--dry-run", ...files]);
    assert.equal(failed.code, 65);
    assert.match(failed.stderr, /b\.csv line 3 has no column 2 that can be its key \(--bad-record/);
    const run = await producer([...args, "--bad-record", "skip", ...files]);
    assert.equal(run.code, 0, run.stderr);
    assert.match(
      run.stderr,
      /b\.csv line 3 has no column 2.*; left out\n4 rows, 12 bytes .*; 1 bad/,
    );
    assert.equal(text(await consoleConsume(broker, topic, 4)), "1,a\n2,b\n3,c\n5,e\n");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("producer: --rate and --batch-rows hold rows back", async () => {
  await using broker = await startBroker();
  const topic = uniqueName("slow");
  await createTopic(broker, topic);
  const stdin = "row\n".repeat(60);
  const args = ["-b", broker.bootstrap, "-t", topic, "--stats"];
  const rate = await producer([...args, "--rate", "40/s"], { stdin });
  assert.equal(rate.code, 0, rate.stderr);
  const { seconds, rows } = JSON.parse(rate.stderr);
  assert.ok(rows === 60 && seconds > 1.3 && seconds < 3, rate.stderr);

  const pauses = await producer([...args, "--batch-rows", "20", "--pause", "300ms"], { stdin });
  assert.equal(pauses.code, 0, pauses.stderr);
  assert.ok(JSON.parse(pauses.stderr).seconds > 0.6, pauses.stderr);
  assert.deepEqual((await topicOffsets(broker, topic))[0].high, 120n);
});

/** Rows can be in the log before the producer has read that they are: it needs a moment. */
function answered(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 500));
}

for (const [signal, status] of [["SIGINT", 130], ["SIGTERM", 143]] as const) {
  Deno.test(`producer: ${signal}: what was acknowledged is reported, exit ${status}`, async () => {
    await using broker = await startBroker();
    const topic = uniqueName("stopped");
    await createTopic(broker, topic, { partitions: 2 });
    const child = start("producer", ["-b", broker.bootstrap, "-t", topic]);
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode("row\n".repeat(1000) + "half a"));
    const deadline = Date.now() + 20_000;
    const written = async () =>
      (await topicOffsets(broker, topic)).reduce((n, p) => n + p.high, 0n);
    while (await written() < 1000n && Date.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await answered();
    const sent = performance.now();
    child.kill(signal);
    const { code, stderr } = await child.output();
    assert.ok(performance.now() - sent < 500);
    await writer.abort().catch(() => {});
    assert.equal(code, status);
    assert.equal(
      text(stderr),
      `kafka_producer: stopped by ${signal} before its end; ` +
        "1000 of 1000 rows read were acknowledged\n",
    );
    assert.equal(await written(), 1000n);
  });
}

Deno.test("producer: a broker that goes away for good: exit 69 and the rows that are safe", async () => {
  await using broker = await startBroker({ own: true });
  const topic = uniqueName("gone");
  await createTopic(broker, topic);
  const args = ["-b", broker.bootstrap, "-t", topic, "--timeout", "2s"];
  const child = start("producer", args);
  const output = child.output();
  const writer = child.stdin.getWriter();
  const write = (rows: string) => writer.write(new TextEncoder().encode(rows));
  await write("row\n".repeat(500));
  const deadline = Date.now() + 20_000;
  while ((await topicOffsets(broker, topic))[0].high < 500n && Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await answered();
  await broker.nodes[0].kill();
  await write("lost\n".repeat(10));
  const { code, stderr } = await output;
  await writer.abort().catch(() => {});
  assert.equal(code, 69);
  const counts = "500 rows are known to be delivered, rows from stdin line 501 on are in doubt";
  assert.match(text(stderr), new RegExp(`^kafka_producer: .*; ${counts}\n$`));
});
