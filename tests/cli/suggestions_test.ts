import assert from "node:assert/strict";
import { consumer, gpdbKafka, producer } from "../support/cli.ts";

Deno.test("a name that is nearly right is answered with the right one", async () => {
  const cases: [Promise<{ code: number; stderr: string }>, string][] = [
    [gpdbKafka(["topcs"]), 'gpdb-kafka: unknown command "topcs" — did you mean "topics"?'],
    [
      gpdbKafka(["topics", "creat", "x"]),
      'gpdb-kafka topics: unknown verb "creat" — did you mean "create"?',
    ],
    [
      gpdbKafka(["offsets", "exprot"]),
      'gpdb-kafka offsets: unknown verb "exprot": use show, export, import, reset; see --help',
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
