import assert from "node:assert/strict";
import { startBroker } from "../../scripts/servers/broker.ts";
import { generateRows } from "../../scripts/generate_rows.ts";
import { startPostgres } from "../../scripts/servers/postgres.ts";
import { createTopic, uniqueName } from "../support/kafka.ts";

const CRIMES_SQL = new URL("../../sql/crimes/postgres.sql", import.meta.url);
const program = (name: string) => new URL(`../../${name}.ts`, import.meta.url);

Deno.test({
  name: "a table goes out through the producer and comes back through the consumer as it was",
  ignore: Boolean(Deno.env.get("DATABASE_URL")), // its server has programs of its own
  async fn() {
    await using broker = await startBroker();
    await using pg = await startPostgres();
    const producer = await pg.installProgram({
      name: "kafka_producer",
      entry: program("producer"),
    });
    const consumer = await pg.installProgram({
      name: "kafka_consumer",
      entry: program("consumer"),
    });
    await pg.runFile(CRIMES_SQL);
    await pg.copyIn(
      "COPY crimes FROM STDIN (FORMAT csv)",
      generateRows({ rows: 5000, newlines: true }),
    );
    await pg.sql`
      INSERT INTO crimes (id, description, location) VALUES
        (-1, E'two\nlines and "quotes", commas', ''), (-2, NULL, E'\r\n'), (-3, '\\.', '"'),
        (-4, ' spaces ', E'tab\there')`;

    for (const more of ["", "--key-column 1 -z lz4"]) {
      const topic = uniqueName("table");
      await createTopic(broker, topic, { partitions: 3 });
      const at = `-b ${broker.bootstrap} -t ${topic}`;
      await pg.sql.unsafe(
        `COPY crimes TO PROGRAM '${producer} ${at} --split csv -q ${more}' (FORMAT csv)`,
      );
      await pg.sql`DROP TABLE IF EXISTS back`;
      await pg.sql`CREATE TABLE back (LIKE crimes)`;
      await pg.sql.unsafe(
        `COPY back FROM PROGRAM '${consumer} ${at} -o earliest' (FORMAT csv)`,
      );
      const [{ rows, lost, odd }] = await pg.sql`
        SELECT (SELECT count(*)::int FROM back) AS rows,
          (SELECT count(*)::int FROM (TABLE crimes EXCEPT ALL TABLE back) AS a) AS lost,
          (SELECT count(*)::int FROM (TABLE back EXCEPT ALL TABLE crimes) AS b) AS odd`;
      assert.deepEqual([rows, lost, odd], [5004, 0, 0]);
    }

    await assert.rejects(
      async () =>
        await pg.sql.unsafe(
          `COPY crimes TO PROGRAM '${producer} -b ${broker.bootstrap} -t nowhere-at-all' (FORMAT csv)`,
        ),
      { detail: "child process exited with exit code 69" },
    );
  },
});
