import assert from "node:assert/strict";
import { startBroker } from "../../scripts/servers/broker.ts";
import { generateRows } from "../../scripts/generate_rows.ts";
import { consumer, producer, runWithin, start, text, versionLine } from "../support/cli.ts";
import { createTopic, deleteRecords, groupOffsets, produce, uniqueName } from "../support/kafka.ts";
import { closedPort, silentPort } from "../support/silence.ts";
import { stepBeside } from "../support/steps.ts";

Deno.test("consumer: no arguments prints the usage and exits 64", async () => {
  const run = await consumer([]);
  assert.equal(run.code, 64);
  assert.match(run.stderr, /^kafka_consumer: writes what is new in a Kafka topic/);
  assert.equal(run.stdout.length, 0);
});

Deno.test("consumer: --help and --version go to stdout and exit 0", async () => {
  const help = await consumer(["--help"]);
  assert.deepEqual([help.code, help.stderr], [0, ""]);
  for (const part of ["--topic TOPIC", "--ranges", "-b, --brokers", "Exit status", "  74  "]) {
    assert.ok(text(help.stdout).includes(part), part);
  }
  const version = await consumer(["--version"]);
  assert.match(text(version.stdout), versionLine("kafka_consumer"));
});

Deno.test("consumer: invalid arguments are a usage error that names them", async (t) => {
  const cases: [string[], Record<string, string>, RegExp][] = [
    [["-t", "x", "--nope"], {}, /unknown flag --nope/],
    [["-t", "x", "-Z"], {}, /unknown flag -Z/],
    [["--commit", "yes"], {}, /no topic: use --topic/],
    [["-t", "a b"], {}, /"a b" cannot be the name of a topic/],
    [["-t", "x", "stray"], {}, /"stray" is not a flag/],
    [["-t"], {}, /-t requires a value: TOPIC/],
    [["-t", "x", "-v=yes"], {}, /unknown flag -=|does not accept a value/],
    [["-t", "x", "-c", "0"], {}, /--max-records: "0" is not a whole number from 1/],
    [["-t", "x", "-o", "tomorrow"], {}, /--offset: "tomorrow" is not one of/],
    [["-t", "x", "-o", "@noon"], {}, /--offset: "noon" is not a time/],
    [["-t", "x", "--timeout", "5"], {}, /--timeout: "5" is not a duration/],
    [["-t", "x", "--commit", "maybe"], {}, /--commit: "maybe" is not one of yes, no/],
    [["-t", "x", "--slot", "4/4"], {}, /--slot: "4\/4" is not I\/N/],
    [["-t", "x", "--slot", "0/4", "--assign", "all"], {}, /exclude each other/],
    [["-t", "x", "--assign", "segment"], {}, /GP_SEGMENT_ID and GP_SEGMENT_COUNT are not set/],
    [["-t", "x", "--ranges", "0:5-4"], {}, /"0:5-4" is not PARTITION:FROM-TO/],
    [["-t", "x", "--ranges", "0:1-2,0:3-4"], {}, /partition 0 is given twice/],
    [["-t", "x", "-b", "host:port"], {}, /--brokers: broker 1 is not HOST:PORT/],
    [["-t", "x", "-zookeeper", "zk:2181"], {}, /Kafka 4 has no ZooKeeper.*--brokers/],
    [["-zookeeper=zk:2181", "-topic=x"], {}, /Kafka 4 has no ZooKeeper/],
    [["-t", "x"], { GP_SEGMENT_ID: "abc", GP_SEGMENT_COUNT: "4" }, /GP_SEGMENT_ID=abc/],
    [["-t", "x"], { GP_SEGMENT_ID: "4", GP_SEGMENT_COUNT: "4" }, /GP_SEGMENT_ID=4/],
    [["-t", "x"], { GP_SEGMENT_ID: "0" }, /GP_SEGMENT_COUNT= do not name a segment/],
    [
      ["-t", "x", "--csv", "delimeter=;"],
      {},
      /--csv: "delimeter" is .* did you mean "delimiter"\?/,
    ],
    [
      ["-t", "x", "--csv", "delimiter=;", "--value", "hex"],
      {},
      /--csv requires --value row or rows/,
    ],
    [["-t", "x", "--csv", "null=-", "--bad-record", "pass"], {}, /pass: with --csv every row is/],
    [["-t", "x", "--value", "rows", "--bad-record", "pass"], {}, /pass: with --value rows every/],
    [["-t", "x", "--log-file", "/nowhere/at/all"], {}, /--log-file: cannot open "\/nowhere/],
  ];
  await Promise.all(cases.map(async ([args, env, message]) => {
    const run = await consumer(args, { env });
    await stepBeside(t, `${args.join(" ")} ${Object.entries(env).join(" ")}`, () => {
      assert.equal(run.code, 64, run.stderr);
      assert.match(run.stderr, message);
      assert.equal(run.stderr.trim().split("\n").length, 1);
      assert.equal(run.stdout.length, 0);
    });
  }));
});

Deno.test("consumer: a closed port is one line and exit 69, within --timeout", async () => {
  const port = closedPort();
  const args = ["-t", "x", "-b", `127.0.0.1:${port}`, "--timeout", "1s"];
  const run = await runWithin(1_500, "consumer", args);
  assert.equal(run.code, 69);
  assert.match(run.stderr, new RegExp(`^kafka_consumer: .*127.0.0.1:${port}: .*refused.*\n$`));
});

Deno.test("consumer: a port that accepts and never answers ends within --timeout", async () => {
  await using silent = silentPort();
  const args = ["-t", "x", "-b", `127.0.0.1:${silent.port}`, "--timeout", "1s"];
  const run = await runWithin(1_500, "consumer", args);
  assert.equal(run.code, 69);
  assert.match(run.stderr, /did not answer ApiVersions within 1 s/);
});

Deno.test("consumer: a missing topic is exit 69, naming it", async () => {
  await using broker = await startBroker();
  const run = await consumer(["-t", "no-such-topic", "-b", broker.bootstrap]);
  assert.equal(run.code, 69);
  assert.match(run.stderr, /topic "no-such-topic": UNKNOWN_TOPIC_OR_PARTITION \(3\)/);
});

Deno.test("consumer: reads what is new, once; the original's flags work", async () => {
  await using broker = await startBroker();
  const topic = uniqueName("new");
  await createTopic(broker, topic, { partitions: 3 });
  const args = ["-brokers", broker.bootstrap, `-topic=${topic}`, "-group", topic, "-verbose"];
  const empty = await consumer(args);
  assert.deepEqual([empty.code, text(empty.stdout)], [0, ""]);
  await produce(broker, topic, [{ value: "1,a" }, { value: '2,"b ""c"""' }], 0);
  await produce(broker, topic, [{ value: "3,ü€😀" }], 2);
  const first = await consumer(args);
  assert.equal(first.code, 0, first.stderr);
  assert.equal(text(first.stdout), '1,a\n2,"b ""c"""\n3,ü€😀\n');
  assert.match(first.stderr, /3 rows, \d+ bytes of 3 partitions/);
  const second = await consumer(args);
  assert.deepEqual([second.code, text(second.stdout)], [0, ""]);
  assert.deepEqual(
    await groupOffsets(broker, topic, topic),
    new Map([[0, 2n], [1, 0n], [2, 1n]]),
  );
});

Deno.test("consumer: segments share the partitions; ON MASTER reads all", async () => {
  await using broker = await startBroker();
  const topic = uniqueName("segments");
  await createTopic(broker, topic, { partitions: 5 });
  for (let p = 0; p < 5; p++) await produce(broker, topic, [{ value: `p${p}` }], p);
  const read = async (id: string, ...more: string[]) => {
    const env = { GP_SEGMENT_ID: id, GP_SEGMENT_COUNT: "2", KAFKA_BROKERS: broker.bootstrap };
    const run = await consumer(["-t", topic, "--commit", "no", ...more], { env });
    assert.equal(run.code, 0, run.stderr);
    return text(run.stdout);
  };
  assert.equal(await read("0"), "p0\np2\np4\n");
  assert.equal(await read("1"), "p1\np3\n");
  assert.equal(await read("-1"), "p0\np1\np2\np3\np4\n");
  assert.equal(await read("0", "--slot", "1/5"), "p1\n");
  assert.equal(await read("1", "--assign", "all"), "p0\np1\np2\np3\np4\n");
});

Deno.test("consumer: where to start, and that only a stored start commits", async () => {
  await using broker = await startBroker();
  const topic = uniqueName("start");
  await createTopic(broker, topic);
  const records = [1, 2, 3, 4, 5].map((n) => ({ value: `r${n}`, timestamp: n * 1000 }));
  await produce(broker, topic, records);
  const read = async (...more: string[]) => {
    const run = await consumer(["-b", broker.bootstrap, "-t", topic, "-g", topic, ...more]);
    return run.code === 0 ? text(run.stdout).trim().replaceAll("\n", " ") : run.stderr;
  };
  assert.equal(await read("-o", "earliest"), "r1 r2 r3 r4 r5");
  assert.equal(await read("-o", "beginning", "-c", "2"), "r1 r2");
  assert.equal(await read("-o", "3"), "r4 r5");
  assert.equal(await read("-o", "-2"), "r4 r5");
  assert.equal(await read("-o", "latest"), "");
  assert.equal(await read("-o", "@2500"), "r3 r4 r5");
  assert.equal(await read("-o", "@1970-01-01T00:00:04Z"), "r4 r5");
  assert.equal(await read("-o", "@9000"), "");
  assert.equal(await read("--ranges", "0:1-3"), "r2 r3");
  assert.match(await read("--ranges", "0:1-9"), /can be read up to offset 5, not up to 9/);
  assert.match(await read("--ranges", "7:0-1"), /topic .* has no partition 7/);
  assert.match(await read("--fallback", "fail"), /has no stored offset for topic/);
  assert.match(await read("-o", "17"), /offset 17 of topic .* partition 0 does not exist/);
  assert.equal(await read("-o", "17", "--on-lost", "latest"), "");
  assert.deepEqual(await groupOffsets(broker, topic, topic), new Map([[0, -1n]]));
  assert.equal(await read("-c", "2"), "r1 r2");
  assert.equal(await read("-c", "2"), "r3 r4");
  assert.equal(await read(), "r5");
  assert.equal(await read("--fallback", "fail"), "");
});

Deno.test("consumer: --fallback latest remembers where that was", async () => {
  await using broker = await startBroker();
  const topic = uniqueName("latest");
  await createTopic(broker, topic);
  await produce(broker, topic, [{ value: "old" }]);
  const args = ["-b", broker.bootstrap, "-t", topic, "-g", topic, "--fallback", "latest"];
  assert.equal(text((await consumer(args)).stdout), "");
  await produce(broker, topic, [{ value: "new" }]);
  assert.equal(text((await consumer(args)).stdout), "new\n");
});

Deno.test("consumer: deleted records are an error unless --on-lost says how to continue", async () => {
  await using broker = await startBroker();
  const topic = uniqueName("lost");
  await createTopic(broker, topic);
  await produce(broker, topic, ["a", "b", "c", "d"].map((value) => ({ value })));
  const args = ["-b", broker.bootstrap, "-t", topic, "-g", topic];
  assert.equal(text((await consumer([...args, "-c", "1"])).stdout), "a\n");
  await deleteRecords(broker, topic, { 0: 3 });
  const run = await consumer(args);
  assert.deepEqual([run.code, text(run.stdout)], [65, ""]);
  assert.match(run.stderr, /offset 1 of topic "lost-.*" partition 0 does not exist \(.* 3 to 4\)/);
  assert.equal(text((await consumer([...args, "--on-lost", "earliest"])).stdout), "d\n");
});

Deno.test("consumer: --stats says in JSON what was read", async () => {
  await using broker = await startBroker();
  const topic = uniqueName("stats");
  await createTopic(broker, topic, { partitions: 2 });
  await produce(broker, topic, [{ value: "a" }, { value: null }, { value: "bc" }], 1);
  const run = await consumer(["-b", broker.bootstrap, "-t", topic, "-o", "earliest", "--stats"]);
  const { seconds, ...stats } = JSON.parse(run.stderr);
  assert.ok(seconds >= 0 && seconds < 30);
  assert.deepEqual(stats, {
    records: 2,
    rows: 2,
    skipped: 0,
    tombstones: 1,
    bytes: 5,
    lost: 0,
    partitions: [
      { topic, partition: 0, from: 0, to: 0, end: 0 },
      { topic, partition: 1, from: 0, to: 3, end: 3 },
    ],
  });
});

Deno.test("consumer: of many compressed batches each row comes once", async () => {
  await using broker = await startBroker();
  const rows = [...generateRows({ rows: 40_000 })].map(text).join("").trim().split("\n").sort();
  for (const codec of ["snappy", "lz4", "zstd"]) {
    const topic = uniqueName(codec);
    await createTopic(broker, topic, { partitions: 2 });
    const at = ["-b", broker.bootstrap, "-t", topic];
    const sent = await producer([...at, "-z", codec], { stdin: rows.join("\n") });
    assert.equal(sent.code, 0, sent.stderr);
    const plain = await consumer([...at, "-v"]);
    assert.match(plain.stderr, /^40000 rows/m);
    assert.ok(text(plain.stdout).trim().split("\n").sort().join() === rows.join(), codec);
    const columns = ["-o", "earliest", "--columns", "partition", "--max-records", "39999"];
    const most = await consumer([...at, ...columns]);
    assert.equal(most.code, 0, most.stderr);
    const left = new Set(rows);
    for (const row of text(most.stdout).trim().split("\n")) {
      assert.ok(/^[01],/.test(row) && left.delete(row.slice(2)), row);
    }
    assert.equal(left.size, 1);
  }
});

Deno.test("consumer: --log-file gets a line a run, and what went wrong", async () => {
  await using broker = await startBroker();
  const topic = uniqueName("log");
  await createTopic(broker, topic, { partitions: 2 });
  await produce(broker, topic, [{ value: "a" }, { value: '"' }], 1);
  const file = await Deno.makeTempFile();
  const env = { GP_SEGMENT_ID: "0", GP_SEGMENT_COUNT: "1" };
  const args = ["-b", broker.bootstrap, "-t", topic, "-g", topic, "--log-file", file];
  assert.equal((await consumer(args, { env })).code, 65);
  assert.equal((await consumer([...args, "--bad-record", "skip", "-q"], { env })).code, 0);
  const lines = (await Deno.readTextFile(file)).trim().split("\n");
  await Deno.remove(file);
  const time = String.raw`^\d{4}-\d\d-\d\dT[\d:.]+Z `;
  assert.match(lines[0], new RegExp(`${time}.*topic "${topic}" partition 1 offset 1: the value`));
  assert.match(lines[1], new RegExp(`${time}topic "${topic}" partition 1 offset 1: .*; left out$`));
  const ranges =
    `segment=0 topic=${topic} ranges=0:0-0,1:0-2 rows=1 bytes=2 skipped=1 tombstones=0 lost=0`;
  assert.match(lines.at(-1)!, new RegExp(`${time}${ranges} seconds=[\\d.]+$`));
});

Deno.test("consumer: a reader that goes away ends it with 74, and nothing is committed", async () => {
  await using broker = await startBroker();
  const topic = uniqueName("pipe");
  await createTopic(broker, topic);
  const value = "x".repeat(1000);
  for (let i = 0; i < 4; i++) {
    await produce(broker, topic, Array.from({ length: 500 }, () => ({ value })));
  }
  const child = start("consumer", ["-b", broker.bootstrap, "-t", topic, "-g", topic]);
  child.stdin.close();
  const reader = child.stdout.getReader();
  await reader.read();
  await reader.cancel();
  const stderr = await new Response(child.stderr).text();
  assert.equal((await child.status).code, 74, stderr);
  assert.match(stderr, /stdout was closed by its reader/);
  assert.deepEqual(await groupOffsets(broker, topic, topic), new Map([[0, -1n]]));
});

Deno.test("consumer: SIGINT and SIGTERM end it within 100 ms, blocked stdout or not", async () => {
  await using broker = await startBroker();
  const topic = uniqueName("signal");
  await createTopic(broker, topic);
  const value = "x".repeat(1000);
  await produce(broker, topic, Array.from({ length: 900 }, () => ({ value })));
  const ended = async (signal: Deno.Signal, code: number) => {
    const child = start("consumer", ["-b", broker.bootstrap, "-t", topic, "-g", topic]);
    child.stdin.close();
    const reader = child.stdout.getReader();
    await reader.read(); // The rest does not fit into the pipe: it blocks there.
    const sent = performance.now();
    child.kill(signal);
    const status = await child.status;
    const took = performance.now() - sent;
    await reader.cancel();
    assert.match(await new Response(child.stderr).text(), new RegExp(`stopped by ${signal}`));
    assert.equal(status.code, code);
    return took;
  };
  for (const [signal, code] of [["SIGINT", 130], ["SIGTERM", 143]] as const) {
    // A busy machine makes any single one late, but not all of them.
    const took: number[] = [];
    while (took.length < 5 && !took.some((ms) => ms < 100)) took.push(await ended(signal, code));
    assert.ok(took.some((ms) => ms < 100), `${signal}: ${took} ms`);
  }
  assert.deepEqual(await groupOffsets(broker, topic, topic), new Map([[0, -1n]]));
});

Deno.test("consumer: a group with live members keeps its offsets: exit 69", async () => {
  await using broker = await startBroker();
  const topic = uniqueName("member");
  await createTopic(broker, topic);
  await produce(broker, topic, [{ value: "a" }]);
  const { kafkajs } = await import("../support/kafka.ts");
  const member = kafkajs(broker).consumer({ groupId: topic });
  await member.connect();
  await member.subscribe({ topics: [topic] });
  const joined = new Promise((resolve) => member.on(member.events.GROUP_JOIN, resolve));
  await member.run({ autoCommit: false, eachBatch: () => Promise.resolve() });
  await joined;
  const run = await consumer(["-b", broker.bootstrap, "-t", topic, "-g", topic]);
  await member.disconnect();
  assert.equal(run.code, 69);
  assert.match(run.stderr, /the group has live members/);
});
