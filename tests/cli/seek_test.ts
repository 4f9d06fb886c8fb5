/** `gpdb-kafka seek`, and the other commands about sources that gpdb-kafka reads itself. */
import assert from "node:assert/strict";
import { gpdbKafka, text } from "../support/cli.ts";
import { produce } from "../support/kafka.ts";
import { dialect, load } from "../support/load.ts";
import { clientSession } from "../support/load_client.ts";
import { startWorld, things } from "../support/load_world.ts";
import { startRole } from "../support/role.ts";

const ignore = dialect === "greenplum";

/** What a command prints when it succeeds. */
async function done(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await gpdbKafka(args);
  assert.deepEqual([code, stderr], [0, ""], args.join(" "));
  return text(stdout);
}

Deno.test({
  name: "seek, lag, doctor: of a source that gpdb-kafka reads, Kafka is asked by the command",
  ignore,
  async fn() {
    await using world = await startWorld(2);
    const { broker, topic, sql, dsn } = world;
    await using client = clientSession(dsn);
    await world.add({ via: "client" });
    await produce(broker, topic, things("a", "b", "c"), 0);
    await produce(broker, topic, things("x"), 1);
    await client.load("things");
    const seek = (position: string) => done("seek", "things", position, "--dsn", dsn);
    const places = async () =>
      (await sql`SELECT next_offset::int AS at FROM kafka.load_offset ORDER BY partition_no`)
        .map(({ at }) => at);
    assert.equal(
      await seek("earliest"),
      `TOPIC${" ".repeat(topic.length - 5)}  PARTITION  NEXT OFFSET\n` +
        `${topic}          0            0\n${topic}          1            0\n`,
    );
    assert.deepEqual(await places(), [0, 0]);
    await seek("0:2");
    assert.deepEqual(await places(), [2, 0]);
    await seek("latest");
    assert.deepEqual(await places(), [3, 1]);
    await seek("@2001-01-01 00:00+00");
    assert.deepEqual(await places(), [0, 0]);
    await seek("@2999-01-01 00:00+00");
    assert.deepEqual(await places(), [3, 1]);
    await seek("0:1,1:0");
    const lag = JSON.parse(
      await done("lag", "--source", "things", "--dsn", dsn, "-b", broker.bootstrap, "--json"),
    );
    assert.deepEqual(
      lag.partitions.map((
        { database, databaseLag }: Record<string, number>,
      ) => [database, databaseLag]),
      [[1, 2], [0, 1]],
    );

    const doctor = await gpdbKafka([
      "doctor",
      "--source",
      "things",
      "--dsn",
      dsn,
      "-b",
      broker.bootstrap,
    ]);
    const report = text(doctor.stdout);
    assert.match(report, /gpdb-kafka load reads the topic itself/);
    assert.match(report, /the next load of source "things" reads 3 offsets/);
    assert.match(report, /may load into public\.things: INSERT/);
    assert.doesNotMatch(report, /COPY … FROM PROGRAM|file_fdw|kafka_consumer does not run/);

    // In SQL there is nobody to ask Kafka, and each function says what does.
    await assert.rejects(
      async () => await sql`SELECT * FROM kafka.seek('things', 'earliest')`,
      /the database cannot ask Kafka about source "things": .* — use gpdb-kafka lag --source things, or gpdb-kafka seek things POSITION/,
    );
    const [{ error }] = await sql`SELECT error FROM kafka.lag`;
    assert.match(error, /use gpdb-kafka lag --source things/);
    await assert.rejects(load(world, "things"), /cannot load source "things" with kafka.load/);

    // These need nothing of Kafka.
    const [status] = await sql`SELECT via, paused, partitions FROM kafka.status`;
    assert.deepEqual({ ...status }, { via: "client", paused: false, partitions: 2 });
    await sql`SELECT kafka.prune('0 s')`;
    assert.deepEqual(await places(), [1, 0]);
    assert.equal((await client.load("things")).rows, 3);
    await sql`SELECT kafka.drop_source('things')`;
    assert.equal((await sql`SELECT 1 FROM kafka.source`).length, 0);
  },
});

Deno.test({
  name: "seek: wrong positions, other sources and roles without rights have one line each",
  ignore,
  async fn() {
    await using world = await startWorld();
    const { broker, topic, sql, dsn } = world;
    await world.add({ via: "client" });
    await produce(broker, topic, things("a"));
    await using etl = await startRole(world, "seek_etl");
    await sql`SELECT kafka.allow(${etl.name})`;
    await sql.unsafe(`GRANT INSERT ON things TO ${etl.quoted}`);
    const cases: [string[], number, RegExp][] = [
      [["things"], 64, /no source or no position/],
      [["things", "earliest", "x"], 64, /"x" is one argument too many/],
      [["thing", "earliest"], 64, /source "thing" does not exist .*did you mean "things"/],
      [["things", "somewhere"], 64, /"somewhere" is not one of earliest, latest, @TIME/],
      [["things", "@yesterday-ish"], 65, /invalid input syntax for type timestamp/],
      [["things", "0:7"], 64, /partition 0 has the offsets 0 to 1, not 7/],
      [["things", "3:0"], 64, /has no partition 3/],
    ];
    for (const [args, code, message] of cases) {
      const run = await gpdbKafka(["seek", ...args, "--dsn", dsn]);
      assert.equal(run.code, code, run.stderr);
      assert.match(run.stderr, message);
      assert.equal(run.stderr.trim().split("\n").length, 1, run.stderr);
    }
    const run = await gpdbKafka(["seek", "things", "earliest", "--dsn", etl.dsn]);
    assert.equal(run.code, 77, run.stderr);
    assert.match(run.stderr, /permission denied for source "things": ownership/);
    assert.equal((await sql`SELECT 1 FROM kafka.load_history`).length, 0);
  },
});
