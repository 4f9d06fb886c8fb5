import assert from "node:assert/strict";
import { startBroker } from "../../scripts/servers/broker.ts";
import { consumer, gpdbKafka, producer } from "../support/cli.ts";
import { createTopic, deleteTopic, uniqueName } from "../support/kafka.ts";
import { addSource, dialect, installKafka, ownServer, startDatabase } from "../support/load.ts";
import { scriptedBroker } from "../support/scripted_broker/mod.ts";

Deno.test("a name that is nearly right is answered with the right one", async () => {
  const cases: [Promise<{ code: number; stderr: string }>, string][] = [
    [gpdbKafka(["topcs"]), 'gpdb-kafka: unknown command "topcs" — did you mean "topics"?'],
    [
      gpdbKafka(["topics", "creat", "x"]),
      'gpdb-kafka topics: unknown verb "creat" — did you mean "create"?',
    ],
    [
      gpdbKafka(["offsets", "exprot"]),
      'gpdb-kafka offsets: unknown verb "exprot" — did you mean "export"?',
    ],
    [
      gpdbKafka(["offsets", "report"]),
      'gpdb-kafka offsets: unknown verb "report": use show, export, import, reset; see --help',
    ],
    [
      gpdbKafka(["offsets", "-q"]),
      "gpdb-kafka offsets: no verb: use show, export, import, reset; see --help",
    ],
    [gpdbKafka(["sql", "shema"]), 'gpdb-kafka sql: unknown verb "shema" — did you mean "schema"?'],
    [
      gpdbKafka(["load", "x", "--evry", "5s"]),
      'gpdb-kafka load: unknown flag --evry — did you mean "--every"?',
    ],
    [
      consumer(["--topic", "x", "--broker", "b:9092"]),
      'kafka_consumer: unknown flag --broker — did you mean "--brokers"?',
    ],
    [producer(["--topic", "x", "--xyz"]), "kafka_producer: unknown flag --xyz; see --help"],
  ];
  for (const [running, line] of cases) {
    const { code, stderr } = await running;
    assert.deepEqual([code, stderr], [64, `${line}\n`]);
  }
});

Deno.test("a topic that does not exist is answered with the nearest one there is", async () => {
  await using broker = await startBroker();
  const topic = uniqueName("crimes");
  await createTopic(broker, topic);
  const at = ["-b", broker.bootstrap];
  const typed = topic.replace("crimes", "crimse");
  const runs: Promise<{ code: number; stderr: string }>[] = [
    consumer(["-t", typed, ...at]),
    producer(["-t", typed, ...at], { stdin: "1\n" }),
    gpdbKafka(["topics", "describe", typed, ...at]),
    gpdbKafka(["lag", "-g", "g", "-t", typed, ...at]),
    gpdbKafka(["plan", "-t", typed, ...at]),
  ];
  for (const { code, stderr } of await Promise.all(runs)) {
    assert.equal(code, 69, stderr);
    const [, line] = /^[a-z_ -]+: (.*)\n$/.exec(stderr) ?? [];
    assert.equal(
      line,
      `cannot read topic "${typed}": UNKNOWN_TOPIC_OR_PARTITION (3): it does not exist, or this ` +
        `user may not describe it — did you mean "${topic}"?`,
    );
  }
  const far = await consumer(["-t", "nothing-like-it", ...at]);
  assert.match(far.stderr, /may not describe it — check its name, create it, or get the right to/);
  await deleteTopic(broker, topic);
});

Deno.test("the list of topics is asked for once, and not waited for without end", async () => {
  await using kafka = await scriptedBroker({ topics: { crimes: 1 } });
  const lists = () => kafka.requestsOf("metadata").filter(({ request }) => request.topics === null);
  const run = (topic: string) => consumer(["-t", topic, "-b", kafka.bootstrap, "--timeout", "5s"]);
  assert.equal((await run("crimes")).code, 0);
  assert.equal(lists().length, 0);
  assert.match((await run("crimse")).stderr, / — did you mean "crimes"\?\n$/);
  assert.equal(lists().length, 1);
  kafka.on.metadata = async (call) => {
    if (call.request.topics === null) await call.delay(60_000);
  };
  const { code, stderr, ms } = await run("crimse");
  assert.equal(code, 69);
  assert.match(
    stderr,
    /"crimse": UNKNOWN_TOPIC_OR_PARTITION \(3\): .* — check its name, create it/,
  );
  assert.ok(ms < 4500, `${ms} ms`);
});

Deno.test({
  name: "a source or column that does not exist is answered with the nearest one there is",
  ignore: !ownServer,
  async fn() {
    await using broker = await startBroker();
    await using pg = await startDatabase();
    await installKafka(pg);
    const topic = uniqueName("suggested");
    await createTopic(broker, topic);
    await pg.sql`CREATE TABLE things (id int, name text)`;
    await addSource(pg, broker, { name: "things", topic, table: "things" });
    const at = ["--dsn", pg.dsn];
    const cases: [string[], string][] = [
      [
        ["lag", "--source", "thigns", ...at],
        'lag: source "thigns" does not exist in this database — did you mean "things"?',
      ],
      [
        ["load", "thigns", ...at],
        'load: cannot load source "thigns": source "thigns" does not exist (SQLSTATE 42704) — ' +
        'did you mean "things"?',
      ],
      [
        ["load", "crimes", ...at],
        'load: cannot load source "crimes": source "crimes" does not exist (SQLSTATE 42704) — ' +
        "See kafka.status; gpdb-kafka sql source creates one",
      ],
      [
        ["sql", "source", "things", "--column", "nmae", "--for", dialect, ...at],
        'sql: --column: the table has no column "nmae" — ' +
        'did you mean "name"?',
      ],
    ];
    for (const [args, line] of cases) {
      const { code, stderr } = await gpdbKafka(args);
      assert.deepEqual([code, stderr], [64, `gpdb-kafka ${line}\n`]);
    }
    const source = await gpdbKafka(["doctor", "--source", "thigns", ...at]);
    assert.match(
      new TextDecoder().decode(source.stdout),
      /^fail {2}source: source "thigns" does not exist; there are: "things" — did you mean "things"\?$/m,
    );
    await pg.sql`ALTER TABLE things RENAME COLUMN name TO names`;
    const renamed = await gpdbKafka(["doctor", "--source", "things", ...at]);
    assert.match(
      new TextDecoder().decode(renamed.stdout),
      /^fail {2}table: public\.things has no column name — .* \(did you mean column "names"\?\)$/m,
    );
    await deleteTopic(broker, topic);
  },
});
