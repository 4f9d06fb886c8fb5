import assert from "node:assert/strict";
import { startBroker } from "../../scripts/servers/broker.ts";
import { consumer, gpdbKafka, start, text } from "../support/cli.ts";
import { createTopic, deleteRecords, deleteTopic, produce, uniqueName } from "../support/kafka.ts";
import { addSource, installKafka, load, ownServer, startDatabase } from "../support/load.ts";
import { startRole } from "../support/role.ts";
import { closedPort, silentPort } from "../support/silence.ts";
import { hasScript, startOnTerminal } from "../support/terminal.ts";
import { stepBeside } from "../support/steps.ts";

/** A topic of two partitions, of which a group has read 5 and 3 records. */
async function scene(name: string) {
  const broker = await startBroker();
  const topic = uniqueName(name);
  await createTopic(broker, topic, { partitions: 2 });
  const write = (partition: number, count: number) =>
    produce(broker, topic, Array.from({ length: count }, (_, i) => ({ value: `${i}` })), partition);
  await write(0, 5);
  await write(1, 3);
  const read = () => consumer(["-b", broker.bootstrap, "-t", topic, "-g", topic]);
  assert.equal((await read()).code, 0);
  return {
    broker,
    topic,
    write,
    read,
    args: ["lag", "-b", broker.bootstrap, "-g", topic],
    [Symbol.asyncDispose]: () => broker[Symbol.asyncDispose](),
  };
}

/** Reads a running program's lines one after the other. */
function linesOf(child: Deno.ChildProcess) {
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  return {
    async next(): Promise<string> {
      while (!rest.includes("\n")) {
        const { value, done } = await reader.read();
        assert.ok(!done, "it ended");
        rest += value;
      }
      const [line, ...more] = rest.split("\n");
      rest = more.join("\n");
      return line;
    },
    cancel: () => reader.cancel(),
  };
}

Deno.test("lag: how far a group is behind; nothing joins it, and nothing moves", async () => {
  await using s = await scene("lag");
  await s.write(0, 7);
  const expected = [
    /^TOPIC +PARTITION +STORED +END +LAG$/,
    /^lag-\S+ +0 +5 +12 +7$/,
    /^lag-\S+ +1 +3 +3 +0$/,
    /^total +7$/,
  ];
  for (let i = 0; i < 2; i++) {
    const run = await gpdbKafka(s.args);
    assert.deepEqual([run.code, run.stderr], [0, ""]);
    const lines = text(run.stdout).split("\n");
    for (const [i, pattern] of expected.entries()) assert.match(lines[i], pattern);
    assert.equal(lines.length, expected.length + 1);
  }
});

Deno.test("lag: records deleted unread, and partitions without a stored offset, are noted", async () => {
  await using s = await scene("notes");
  const other = uniqueName("other");
  await createTopic(s.broker, other);
  await s.write(0, 5);
  await deleteRecords(s.broker, s.topic, { 0: 8 });
  const run = await gpdbKafka([...s.args, "-t", s.topic, "-t", other]);
  const lines = text(run.stdout).split("\n");
  assert.match(lines[1], / 0 +5 +10 +2 {2}3 deleted unread$/);
  assert.match(lines[3], new RegExp(`^${other} +0 +- +0 +0  nothing stored$`));
});

Deno.test("lag: --interval alone takes two samples, and shows the speed between them", async () => {
  await using s = await scene("speed");
  await s.write(0, 3);
  const run = await gpdbKafka([...s.args, "--interval", "300ms"]);
  const lines = text(run.stdout).split("\n");
  assert.match(lines[0], /LAG +IN\/S +OUT\/S +CATCH-UP$/);
  assert.match(lines[1], / 0 +5 +8 +3 +0 +0 {2}never$/);
  assert.match(lines[3], /^total +3 +0 +0 {2}never$/);
  assert.equal(lines.length, 5);
});

Deno.test("lag: --watch prints lines off a terminal, and ends with 130 at a SIGINT", async () => {
  await using s = await scene("watch");
  const child = start("main", [...s.args, "--watch", "--interval", "200ms"]);
  child.stdin.close();
  const lines = linesOf(child);
  assert.match(
    await lines.next(),
    /^TIME +TOPIC +PARTITION +STORED +END +LAG +IN\/S +OUT\/S +CATCH-UP$/,
  );
  const time = "\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z";
  assert.match(await lines.next(), new RegExp(`^${time}  watch-\\S+ +0 +5 +5 +0 +- +- +0s$`));
  await s.write(0, 40);
  const line = async (pattern: RegExp) => {
    while (!pattern.test(await lines.next()));
  };
  await line(/ total +40 +\d+(\.\d)? +0 {2}never$/);
  assert.equal((await s.read()).code, 0);
  await line(/ 0 +45 +45 +0 +\d+(\.\d)? +\d+(\.\d)? {2}0s$/);
  child.kill("SIGINT");
  await lines.cancel();
  assert.equal((await child.status).code, 130);
  assert.equal(await new Response(child.stderr).text(), "");
});

Deno.test("lag: --watch --json is a document a line; a closed stdout is 74", async () => {
  await using s = await scene("json");
  await s.write(1, 2);
  const child = start("main", [...s.args, "--json", "--watch", "--interval", "100ms"]);
  child.stdin.close();
  const lines = linesOf(child);
  const samples = [JSON.parse(await lines.next()), JSON.parse(await lines.next())];
  const partition = { topic: s.topic, partition: 1, stored: 3, start: 0, end: 5, lag: 2 };
  assert.deepEqual(samples[0].partitions[1], {
    ...partition,
    inPerSecond: null,
    outPerSecond: null,
    catchUpSeconds: null,
  });
  assert.deepEqual(samples[1].partitions[1], {
    ...partition,
    inPerSecond: 0,
    outPerSecond: 0,
    catchUpSeconds: null,
  });
  assert.deepEqual([samples[0].group, samples[0].total.lag], [s.topic, 2]);
  assert.ok(Date.parse(samples[1].time) > Date.parse(samples[0].time));
  await lines.cancel();
  assert.equal((await child.status).code, 74);
  assert.match(
    await new Response(child.stderr).text(),
    /^gpdb-kafka lag: stdout was closed by its reader\n$/,
  );
});

Deno.test({
  name: "lag: --watch draws in place on a terminal, with a graph",
  ignore: !hasScript,
  async fn() {
    await using s = await scene("drawn");
    await s.write(0, 8);
    const child = startOnTerminal("main", [...s.args, "--watch", "--interval", "100ms"]);
    const lines = linesOf(child);
    let seen = "";
    while (!seen.includes("███")) seen += await lines.next() + "\n";
    child.kill("SIGTERM");
    await child.stdin.close();
    await lines.cancel();
    await child.status;
    // A runtime that finds no room for its cache says so first.
    const shown = seen.slice(seen.indexOf("\x1b[J")).replaceAll("\x1b[J", "<clear>").replaceAll(
      "\x1b[7A",
      "<7 up>",
    )
      .replaceAll("\r", "");
    assert.match(shown, /^<clear>drawn-\S+ {2}\d\d:\d\d:\d\d {2}lag 8\n█\n\nTOPIC /);
    assert.match(shown, /\ntotal .*\n<7 up><clear>drawn-\S+ .* lag 8\n██\n/);
  },
});

Deno.test({
  name: "lag: --source shows the database's own offsets beside Kafka's, which come later",
  ignore: !ownServer,
  async fn() {
    await using broker = await startBroker();
    await using pg = await startDatabase();
    await installKafka(pg);
    const topic = uniqueName("source");
    await createTopic(broker, topic, { partitions: 2 });
    await pg.sql`CREATE TABLE things (id int)`;
    await addSource(pg, broker, { name: "things", topic, table: "things" });
    const write = (count: number) =>
      produce(broker, topic, Array.from({ length: count }, (_, i) => ({ value: `${i}` })));
    // The source says which brokers.
    const lag = async (...args: string[]) => {
      const run = await gpdbKafka(["lag", "--source", "things", "--dsn", pg.dsn, ...args]);
      assert.deepEqual([run.code, run.stderr], [0, ""]);
      return text(run.stdout);
    };
    await write(4);
    assert.match(await lag(), / 0 +- +4 +4 +- +4 {2}nothing stored\n/);
    await load(pg, "things");
    await write(2);
    const table = (await lag()).split("\n");
    assert.match(table[0], /^TOPIC +PARTITION +STORED +END +LAG +DATABASE +DB LAG$/);
    assert.match(table[1], /^source-\S+ +0 +- +6 +6 +4 +2$/); // Kafka is told by the next load
    assert.match(table[3], /^total +6 +2$/);
    await load(pg, "things");
    await load(pg, "things");
    const json = JSON.parse(await lag("--json"));
    assert.deepEqual([json.source, json.group], ["things", "gpdb-kafka.things"]);
    const [first] = json.partitions;
    assert.deepEqual([first.stored, first.lag, first.database, first.databaseLag], [6, 0, 6, 0]);

    // Whoever may load may ask.
    await using loader = await startRole(pg, "loader");
    await addSource(pg, broker, { name: "things", topic, table: "things", roles: [loader.name] });
    const theirs = await gpdbKafka(["lag", "--source", "things", "--dsn", loader.dsn]);
    assert.deepEqual([theirs.code, theirs.stderr], [0, ""]);

    await deleteTopic(broker, topic);
    await createTopic(broker, topic);
    await write(9);
    const other = await gpdbKafka(["lag", "--source", "things", "--dsn", pg.dsn]);
    assert.equal(other.code, 65);
    assert.match(
      other.stderr,
      /^gpdb-kafka lag: cannot read the lag of source "things": topic ".*" was deleted and created .*\n$/,
    );

    const unknown = await gpdbKafka(["lag", "--source", "x", "--dsn", pg.dsn]);
    assert.equal(unknown.code, 64);
    assert.match(
      unknown.stderr,
      /^gpdb-kafka lag: source "x" does not exist in this database — .*\n$/,
    );
  },
});

Deno.test("lag: what can't be done is one line that says why", async (t) => {
  await using s = await scene("refused");
  const dsn = "postgres://nobody@127.0.0.1:1/none";
  const cases: [string[], number, RegExp][] = [
    [["--json"], 64, /no group: use --group NAME/],
    [["-g", "x", "stray"], 64, /"stray" is not a flag/],
    [["-g", "x", "--frob"], 64, /unknown flag --frob/],
    [["-g", "x", "--interval", "5"], 64, /--interval: "5" is not a duration/],
    [["-g", "x", "--dsn", dsn], 64, /--dsn requires --source/],
    [["-g", "x", "--source", "s", "--dsn", dsn], 64, /--group: --source gives it already/],
    [["--source", "s"], 64, /no database: use --dsn/],
    [["--source", "s", "--dsn", "mysql://x"], 64, /--dsn must be of the form postgres/],
    [
      ["--source", "s", "--dsn", dsn],
      69,
      /cannot read source "s": the database cannot be reached/,
    ],
    [["-g", "no-such-group"], 65, /group "no-such-group" has no stored offsets — check its name/],
    [
      ["-g", s.topic, "-t", "no-such-topic"],
      69,
      /topic "no-such-topic": UNKNOWN_TOPIC_OR_PARTITION/,
    ],
  ];
  await Promise.all(cases.map(async ([args, code, message]) => {
    const env = { DATABASE_URL: "" };
    const run = await gpdbKafka(["lag", ...args, "-b", s.broker.bootstrap], { env });
    await stepBeside(t, args.join(" "), () => {
      assert.equal(run.code, code, run.stderr);
      assert.match(run.stderr, message);
      assert.match(run.stderr, /^gpdb-kafka lag: [^\n]+\n$/);
      assert.equal(run.stdout.length, 0);
    });
  }));
});

Deno.test("lag: a closed port and one that never answers end within --timeout", async () => {
  await using silent = silentPort();
  const cases = [closedPort(), silent.port].flatMap((port) => [
    ["-g", "x", "-b", `127.0.0.1:${port}`],
    ["-g", "x", "-b", `127.0.0.1:${port}`, "--watch", "--json"],
    ["--source", "x", "--dsn", `postgres://nobody@127.0.0.1:${port}/none`],
  ]);
  await Promise.all(cases.map(async (args) => {
    const run = await gpdbKafka(["lag", ...args, "--timeout", "1s"]);
    assert.equal(run.code, 69, run.stderr);
    assert.match(run.stderr, /^gpdb-kafka lag: .*(refused|did not answer|no answer|REFUSED).*\n$/);
    assert.ok(run.ms < 4000, `${args} ${run.ms} ms`);
  }));
});
