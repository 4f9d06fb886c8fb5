/** What the commands say of a source with several topics. */
import assert from "node:assert/strict";
import { gpdbKafka, text } from "../support/cli.ts";
import { createTopic, deleteTopic, produce, uniqueName } from "../support/kafka.ts";
import { ownServer, runScript } from "../support/load.ts";
import { startWorld, things } from "../support/load_world.ts";

Deno.test({
  name: "topics: sql source, load, lag and doctor know each topic of a source",
  ignore: !ownServer,
  async fn() {
    await using world = await startWorld();
    const { broker, sql, dsn } = world;
    const front = `${uniqueName("tools")}.`;
    const [eu, us] = ["eu", "us"].map((name) => front + name);
    await createTopic(broker, eu, { partitions: 2 });
    await createTopic(broker, us);
    await sql`CREATE TABLE merged (id int PRIMARY KEY, name text, source text, at timestamptz)`;
    const made = await gpdbKafka([
      ...["sql", "source", "orders", "--for", "postgres", "--dsn", dsn, "-b", broker.bootstrap],
      ...["--topic-pattern", `^${front}`, "--table", "merged", "--columns", "at=timestamp,topic"],
      ...["--fields", "id,name", "--select", "source = upper(topic)"],
      ...["--merge", "id", "--merge-order", "at"],
    ]);
    assert.equal(made.code, 0, made.stderr);
    await runScript({ sql }, text(made.stdout));
    await produce(broker, eu, [{ value: "1,old", timestamp: 1000 }], 1);
    await produce(broker, us, [{ value: "1,new", timestamp: 2000 }, {
      value: "2,x",
      timestamp: 3000,
    }]);
    const loaded = await gpdbKafka(["load", "orders", "--once", "--dsn", dsn]);
    assert.equal(loaded.code, 0, loaded.stderr);
    const rows = await sql`SELECT id, name, source FROM merged ORDER BY id`;
    assert.deepEqual(rows.map((row) => Object.values(row)), [
      [1, "new", us.toUpperCase()],
      [2, "x", us.toUpperCase()],
    ]);

    await produce(broker, eu, things("a", "b"));
    const lag = await gpdbKafka(["lag", "--source", "orders", "--dsn", dsn, "--json"]);
    assert.equal(lag.code, 0, lag.stderr);
    const { partitions, total } = JSON.parse(text(lag.stdout));
    assert.deepEqual(
      partitions.map((
        { topic, partition, database, databaseLag }: Record<string, unknown>,
      ) => [topic, partition, database, databaseLag]),
      [[eu, 0, 0, 2], [eu, 1, 1, 0], [us, 0, 2, 0]],
    );
    assert.equal(total.databaseLag, 2);

    const doctor = async () => {
      const run = await gpdbKafka(["doctor", "--source", "orders", "--dsn", dsn]);
      return { code: run.code, report: text(run.stdout) };
    };
    const { code, report } = await doctor();
    assert.equal(code, 0, report);
    for (
      const line of [
        `ok    source: source "orders" loads the topics that match "^${front}" into public.merged`,
        `ok    topics: 2 topics match "^${front}"`,
        `ok    topic of ${eu}: topic "${eu}" has 2 partitions`,
        `ok    log of ${eu}: the topic has 3 offsets`,
        `ok    offsets of ${eu}: source "orders" is 2 offsets behind the end of partitions 0, 1`,
        `ok    offsets of ${us}: source "orders" is 0 offsets behind the end of partition 0`,
        `ok    rows of ${us}: each of the last 2 is one row`,
        `ok    types of ${us}: the database can read all 2`,
        `ok    plan: the next load of source "orders" reads 2 offsets of the topics that match`,
        "ok    program: the brokers and the topic can be reached from there, too",
      ]
    ) assert.ok(report.includes(line), `${line} is not in\n${report}`);
    // What is said of all is said once.
    assert.equal(report.match(/ {4}(plan|table)( of \S+)?: /g)?.length, 2);

    await deleteTopic(broker, us);
    const broken = await doctor();
    assert.equal(broken.code, 1);
    assert.match(
      broken.report,
      new RegExp(`fail {2}plan: topic "${us}" of source "orders" does not exist`),
    );
  },
});

Deno.test({
  name:
    "topics: wrong flags of sql source are one line each; a list is quoted, and a single topic is as before",
  ignore: !ownServer,
  async fn() {
    const table = ["--for", "postgres", "--column", "id:int", "--column", "name:text"];
    const source = (...args: string[]) =>
      gpdbKafka([
        ...["sql", "source", "orders", ...args.includes("--fields") ? table.slice(0, 2) : table],
        ...args,
      ]);
    const cases: [string[], RegExp][] = [
      [
        ["--topics", "a,b", "--topic-pattern", "x"],
        /--topics and --topic-pattern exclude each other/,
      ],
      [["--topic", "a", "--topics", "a,b"], /--topic and --topics exclude each other/],
      [["--topic", "a", "--topic-pattern", "x"], /--topic and --topic-pattern exclude/],
      [["--topics", "a,,b"], /--topics: "" cannot be the name of a topic/],
      [["--topics", "a,b c"], /--topics: "b c" cannot be the name of a topic/],
      [["--topic-pattern", "("], /--topic-pattern: "\(" is not a regular expression/],
      [
        ["--topics", "a,b", "--fields", "id:int,name:text", "--merge", "id"],
        /--merge: offsets of several topics have no order — use --merge-order FIELD/,
      ],
    ];
    for (const [args, message] of cases) {
      const run = await source(...args);
      assert.equal(run.code, 64, run.stderr);
      assert.match(run.stderr, message);
      assert.equal(run.stderr.trim().split("\n").length, 1, run.stderr);
    }
    const odd = text((await source("--topic-pattern", "^it's \\.x$")).stdout);
    assert.match(odd, /topic := NULL/);
    assert.match(odd, /topic_pattern := E'\^it''s \\\\\.x\$'/);
    const many = text((await source("--topics", "a,-b,a")).stdout);
    assert.match(many, /topics := ARRAY\['a', '-b'\]::text\[\]/);
    assert.match(many, /kafka_consumer --topics a,-b/);
    const key = await source(
      ...["--topics", "a,b", "--columns", "topic", "--fields", "id:int", "--merge", "topic,id"],
    );
    assert.equal(key.code, 0, key.stderr);
    const one = text((await source("--topics", "a")).stdout);
    assert.equal(one, text((await source("--topic", "a")).stdout));
    assert.doesNotMatch(one, /topics/);
  },
});
