/** Topics by pattern, and names that begin as a flag does. */
import assert from "node:assert/strict";
import { type Broker, startBroker } from "../../scripts/servers/broker.ts";
import { consumer, gpdbKafka, producer, start, text } from "../support/cli.ts";
import { until } from "../support/group.ts";
import { createTopic, groupOffsets, produce, uniqueName, withAdmin } from "../support/kafka.ts";
import { stepBeside } from "../support/steps.ts";

const values = (word: string, count = 1) =>
  Array.from({ length: count }, (_, i) => ({ value: `${word}${i}` }));

Deno.test("--topic-pattern reads all topics that it matches, and no other", async () => {
  await using broker = await startBroker();
  const front = uniqueName("orders");
  for (const name of ["_eu", "_us", "x_eu"]) {
    await createTopic(broker, front + name, { partitions: 2 });
  }
  await createTopic(broker, `my_${front}_eu`);
  for (const name of ["_eu", "_us", "x_eu"]) await produce(broker, front + name, values(name), 1);
  await produce(broker, `my_${front}_eu`, values("my"));
  const read = async (...args: string[]) => {
    const run = await consumer(["-b", broker.bootstrap, ...args]);
    assert.equal(run.code, 0, run.stderr);
    return text(run.stdout).split("\n").filter(Boolean).sort();
  };
  assert.deepEqual(await read("--topic-pattern", `^${front}_`, "-o", "earliest"), ["_eu0", "_us0"]);
  const all = await read("--topic-pattern", front, "-o", "earliest", "--columns", "topic");
  assert.deepEqual(all, [
    `my_${front}_eu,my0`,
    `${front}_eu,_eu0`,
    `${front}_us,_us0`,
    `${front}x_eu,x_eu0`,
  ]);
  // Its group's offsets are of each topic; Kafka's own topics are read by their names only.
  const group = uniqueName("group");
  assert.equal((await read("--topic-pattern", `^${front}_`, "-g", group)).length, 2);
  assert.deepEqual(await read("--topic-pattern", `^${front}_`, "-g", group), []);
  assert.deepEqual([...await groupOffsets(broker, group, `${front}_us`)], [[0, 0n], [1, 1n]]);
  const own = await consumer(["-b", broker.bootstrap, "--topic-pattern", "^__consumer_offsets$"]);
  assert.equal(own.code, 69);
  const named = [
    "-b",
    broker.bootstrap,
    "-t",
    "__consumer_offsets",
    "--value",
    "hex",
    "-o",
    "earliest",
  ];
  const internal = await consumer([...named, "--tombstones", "empty"]);
  assert.equal(internal.code, 0, internal.stderr);
  assert.ok(internal.stdout.length > 0);
  // Exactly these offsets of several topics.
  const ranges = `${front}_eu/0:0-0,1:0-1,${front}_us/1:0-1`;
  assert.deepEqual(await read("--topic-pattern", `^${front}_`, "--ranges", ranges), [
    "_eu0",
    "_us0",
  ]);
  const topics = `${front}_eu,${front}_us`;
  assert.deepEqual(await read("--topics", topics, "--ranges", ranges), ["_eu0", "_us0"]);
});

Deno.test("--topic-pattern: what is wrong is one line, with the topics that exist", async () => {
  await using broker = await startBroker();
  const front = uniqueName("sales");
  await createTopic(broker, `${front}_eu`);
  const cases: [string[], number, RegExp][] = [
    [["--topic-pattern", "x", "-t", "y"], 64, /--topic-pattern and --topic exclude each other/],
    [["--topic-pattern", "x", "--topics", "y"], 64, /--topic-pattern and --topics exclude/],
    [["--topic-pattern", "("], 64, /--topic-pattern: "\(" is not a regular expression/],
    [["--topic-pattern", ""], 64, /the value is empty/],
    [
      ["--topic-pattern", `^${front}_ue`],
      69,
      new RegExp(
        `no topic matches "\\^${front}_ue": \\d+ topics are visible, the nearest are "${front}_eu"`,
      ),
    ],
    [
      ["--topic-pattern", "^qqqqqqq$"],
      69,
      /no topic matches "\^qqqqqqq\$": \d+ topics are visible, they are "/,
    ],
    [
      ["--topic-pattern", "^sales", "--ranges", "0:0-1"],
      64,
      /--ranges: of several topics use TOPIC\//,
    ],
    [
      ["--topic-pattern", "^sales", "--ranges", "x/0:0-1"],
      64,
      /topic "x" is not one of those to be/,
    ],
    [["--topics", "a,b", "--ranges", "c/0:0-1"], 64, /topic "c" is not one of those to be read/],
    [["-t", "a", "--ranges", "a/0:0-1,a/0:1-2"], 64, /partition 0 of topic "a" is given twice/],
  ];
  await Promise.all(cases.map(async ([args, code, message]) => {
    const run = await consumer(["-b", broker.bootstrap, ...args]);
    assert.equal(run.code, code, run.stderr);
    assert.match(run.stderr, message);
    assert.equal(run.stderr.trim().split("\n").length, 1, run.stderr);
    assert.equal(run.stdout.length, 0);
  }));
});

Deno.test("names that begin with - are read, written and administered", async () => {
  await using broker = await startBroker();
  const topic = `-x-${crypto.randomUUID().slice(0, 8)}`;
  const at = ["-b", broker.bootstrap];
  const made = await gpdbKafka(["topics", "create", ...at, "--partitions", "1", "--", topic]);
  assert.equal(made.code, 0, made.stderr);
  const written = await producer([...at, `--topic=${topic}`], { stdin: "a\nb\n" });
  assert.equal(written.code, 0, written.stderr);
  for (const flags of [[`--topic=${topic}`], [`-t=${topic}`], [`-t${topic}`], ["-t", topic]]) {
    const run = await consumer([...at, ...flags, "-o", "earliest"]);
    assert.equal(text(run.stdout), "a\nb\n", `${flags}: ${run.stderr}`);
  }
  const described = await gpdbKafka(["topics", "describe", ...at, "--", topic]);
  assert.ok(text(described.stdout).startsWith(`${topic}: 1 partition`), described.stderr);
  const deleted = await gpdbKafka(["topics", "delete", ...at, "--yes", "--", topic]);
  assert.equal(deleted.code, 0, deleted.stderr);
});

/** Rows of a run without an end, as they come. */
function follow(broker: Broker, args: string[]) {
  const child = start("consumer", ["-b", broker.bootstrap, ...args]);
  child.stdin.close();
  const rows: string[] = [];
  const said = new Response(child.stderr).text();
  const reading = (async () => {
    let rest = "";
    for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop()!;
      rows.push(...lines);
    }
  })();
  return {
    rows,
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await child.status;
      await Promise.all([reading, said]);
    },
  };
}

const ways: Record<string, string[]> = {
  "alone": [],
  "a slot": ["--slot", "0/2"],
  "a group": ["--assign", "group"],
};

Deno.test("a run without an end reads new topics of its pattern from their start", async (t) => {
  await using broker = await startBroker();
  await Promise.all(
    Object.entries(ways).map(async ([name, way]) => {
      const front = uniqueName("new");
      await createTopic(broker, `${front}_a`);
      await produce(broker, `${front}_a`, values("old"));
      const begun = async () =>
        (await groupOffsets(broker, front, `${front}_a`).catch(() => null))?.get(0) === 1n;
      const args = [
        ...["-X", "metadata.max.age.ms=200", "--topic-pattern", `^${front}_`, "-g", front],
        ...["--fallback", "latest", "--until", "forever", ...way],
      ];
      {
        await using run = follow(broker, args);
        await until("it began", 60_000, begun);
        await produce(broker, `${front}_a`, values("a"));
        await createTopic(broker, `${front}_b`);
        await produce(broker, `${front}_b`, values("b", 3));
        await until("a new topic", 60_000, () => run.rows.length >= 4);
        await createTopic(broker, `${front}_c`, { partitions: 2 });
        await produce(broker, `${front}_c`, values("c", 2));
        await until("another one", 60_000, () => run.rows.length >= 6);
        await produce(broker, `${front}_a`, values("more"));
        await until("the first one again", 60_000, () => run.rows.length >= 7);
        assert.deepEqual(run.rows.toSorted(), ["a0", "b0", "b1", "b2", "c0", "c1", "more0"]);
        // A run that is ended by a signal commits only as a member; all others every five seconds.
        if (name !== "a group") {
          await until(
            "it commits",
            60_000,
            async () => (await groupOffsets(broker, front, `${front}_a`)).get(0) === 3n,
          );
        }
      }
      const stored = async (
        topic: string,
      ) => [...(await groupOffsets(broker, front, topic)).values()];
      await stepBeside(t, name, async () => {
        assert.deepEqual(await stored(`${front}_a`), [3n]);
        assert.deepEqual(await stored(`${front}_b`), [3n]);
        const [first] = await stored(`${front}_c`);
        assert.equal(first, 2n);
      });
    }),
  );
});

Deno.test("two members of a group read the topics of a pattern, also the new ones, and no row is lost", async () => {
  await using broker = await startBroker();
  const front = uniqueName("shared");
  await createTopic(broker, `${front}_0`, { partitions: 2 });
  await produce(broker, `${front}_0`, values("0-0-"), 0);
  const args = [
    ...["-X", "metadata.max.age.ms=200", "--topic-pattern", `^${front}_`, "-g", front],
    ...["--assign", "group", "--until", "forever"],
  ];
  await using one = follow(broker, args);
  await using two = follow(broker, args);
  const rows = () => new Set([...one.rows, ...two.rows]);
  await until("the first row", 60_000, () => rows().size === 1);
  for (let i = 1; i < 4; i++) {
    await createTopic(broker, `${front}_${i}`, { partitions: 2 });
    for (let t = 0; t <= i; t++) {
      for (const p of [0, 1]) await produce(broker, `${front}_${t}`, values(`${t}-${p}-${i}-`), p);
    }
  }
  const wanted = 1 + 2 * (2 + 3 + 4);
  await until("all of them", 90_000, () => rows().size === wanted);
  await until("both are members", 90_000, async () => {
    const members = await withAdmin(broker, (admin) => admin.describeGroups([front]));
    return members.groups[0].members.length === 2 && members.groups[0].state === "Stable";
  });
});
