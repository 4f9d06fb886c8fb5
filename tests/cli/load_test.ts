import assert from "node:assert/strict";
import { startBroker } from "../../scripts/servers/broker.ts";
import { freePorts } from "../../scripts/servers/broker/ports.ts";
import { gpdbKafka, start, text } from "../support/cli.ts";
import { createTopic, produce, uniqueName } from "../support/kafka.ts";
import { addSource, dialect, installKafka, ownServer, startDatabase } from "../support/load.ts";

/** A running `load --every`, and the lines it prints. */
function startLoad(args: string[]) {
  const child = start("main", ["load", ...args]);
  child.stdin.close();
  const lines = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let seen = "";
  return {
    child,
    stderr: new Response(child.stderr).text(),
    /** Waits for a line like this. */
    async line(pattern: RegExp): Promise<void> {
      const timer = setTimeout(() => child.kill("SIGKILL"), 60_000); // a lost line is a failure
      while (!pattern.test(seen)) {
        const { value, done } = await lines.read();
        assert.ok(!done, `no ${pattern} in:\n${seen}`);
        seen += value;
      }
      clearTimeout(timer);
      seen = "";
    },
    async end(signal: Deno.Signal): Promise<number> {
      child.kill(signal);
      while (!(await lines.read()).done);
      return (await child.status).code;
    },
  };
}

Deno.test({
  name: "load: --once until there is nothing new; --every continues, even after a lost connection",
  ignore: !ownServer,
  async fn() {
    await using broker = await startBroker();
    await using pg = await startDatabase();
    await installKafka(pg);
    const topic = uniqueName("cli");
    await createTopic(broker, topic);
    await pg.sql`CREATE TABLE things (id int)`;
    await addSource(pg, broker, { name: "things", topic, table: "things" });
    const write = (count: number) =>
      produce(broker, topic, Array.from({ length: count }, (_, i) => ({ value: `${i}` })));

    await write(5);
    const once = await gpdbKafka(["load", "things", "--dsn", pg.dsn, "-c", "2"]);
    assert.deepEqual([once.code, once.stderr], [0, ""]);
    assert.match(
      text(once.stdout),
      /^\S+Z things: load 1: 2 rows in .*lag 3\n.*load 2: 2 rows.*lag 1\n.*load 3: 1 rows.*lag 0\n$/,
    );
    const again = await gpdbKafka(["load", "things"], { env: { DATABASE_URL: pg.dsn } });
    assert.deepEqual([again.code, text(again.stdout)], [0, ""]);

    const [port] = freePorts(1);
    const address = `127.0.0.1:${port}`;
    const running = startLoad(["things", "--dsn", pg.dsn, "--every", "200ms", "--listen", address]);
    await write(3);
    await running.line(/load 4: 3 rows/);
    const metrics = await (await fetch(`http://${address}/metrics`)).text();
    assert.match(metrics, /^gpdb_kafka_rows_total\{source="things"\} 3$/m);
    const health = await fetch(`http://${address}/healthz`);
    assert.deepEqual([health.status, await health.text()], [200, "ok\n"]);

    await pg.sql`
      SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE application_name = 'gpdb-kafka load things'`;
    await write(2);
    await running.line(/load 5: 2 rows/);

    await pg.sql`SELECT kafka.pause('things')`;
    await running.line(/source "things" is paused.*trying again/);
    const sick = await fetch(`http://${address}/healthz`);
    const health503 = await sick.text();
    assert.equal(sick.status, 503);
    assert.match(health503, /^the last load failed; loads have failed since \S+Z; see the log\n$/);
    await pg.sql`SELECT kafka.resume('things')`;
    await write(1);
    await running.line(/load 6: 1 rows/);

    assert.equal(await running.end("SIGINT"), 130);
    assert.equal((await pg.sql`SELECT 1 FROM things`).length, 11);
    await running.stderr;

    const terminated = startLoad(["things", "--dsn", pg.dsn, "--every", "1h"]);
    await write(1);
    await terminated.line(/load 7: 1 rows/);
    assert.equal(await terminated.end("SIGTERM"), 143);
    await terminated.stderr;
  },
});

Deno.test({
  name: "load: a connection that is lost in the middle of a load is opened again",
  ignore: !ownServer,
  async fn() {
    await using broker = await startBroker();
    await using pg = await startDatabase();
    await installKafka(pg);
    const topic = uniqueName("lost");
    await createTopic(broker, topic);
    await pg.sql`CREATE TABLE things (id int)`;
    await addSource(pg, broker, { name: "things", topic, table: "things" });
    await produce(broker, topic, [{ value: "1" }]);
    const holder = await pg.sql.reserve();
    await holder`BEGIN`;
    await holder`SELECT kafka.resume('things')`; // a load waits for this transaction
    const running = startLoad(["things", "--dsn", pg.dsn, "--every", "200ms"]);
    const loads = `datname = current_database() AND query LIKE '%kafka.load(%' AND
      application_name = 'gpdb-kafka load things'`;
    for (const deadline = Date.now() + 30_000;;) {
      const ended = await pg.sql.unsafe(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE ${loads}`,
      );
      if (ended.length > 0) break;
      assert.ok(Date.now() < deadline, "no load began");
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await running.line(/(reached: |terminating connection).*; trying again in/);
    await holder`COMMIT`;
    holder.release();
    await running.line(/load 1: 1 rows/);
    assert.equal(await running.end("SIGTERM"), 143);
    assert.doesNotMatch(await running.stderr, /bug/);
  },
});

Deno.test({
  name: "load: a second Ctrl-C cancels the running load, and nothing of it stays",
  // Its slow reader is a shell command.
  ignore: !ownServer || dialect === "greenplum",
  async fn() {
    await using broker = await startBroker();
    await using pg = await startDatabase();
    await installKafka(pg);
    const topic = uniqueName("cli");
    await createTopic(broker, topic);
    await pg.sql`CREATE TABLE things (id int)`;
    // A load that takes long: its reader waits before it reads.
    await addSource(pg, broker, {
      name: "things",
      topic,
      table: "things",
      program: "$HOME/slow",
    });
    await pg.sql`
      UPDATE kafka.source SET reader = 'sleep 20; ' || replace(reader, 'slow', 'kafka_consumer'),
        planner = replace(planner, 'slow', 'kafka_consumer')`;
    await produce(broker, topic, [{ value: "1" }]);
    const running = startLoad(["things", "--dsn", pg.dsn, "--every", "1s"]);
    const copying = () =>
      pg.sql`
        SELECT 1 FROM pg_stat_activity a JOIN pg_locks l ON l.pid = a.pid
        WHERE a.application_name = 'gpdb-kafka load things' AND l.relation = 'things'::regclass`;
    while ((await copying()).length === 0) await new Promise((resolve) => setTimeout(resolve, 50));
    running.child.kill("SIGINT");
    await new Promise((resolve) => setTimeout(resolve, 300));
    assert.equal((await copying()).length, 1); // it lets the load go on
    const asked = performance.now();
    assert.equal(await running.end("SIGINT"), 130);
    assert.ok(performance.now() - asked < 5000);
    assert.match(await running.stderr, /stopping after this load; press Ctrl-C again to cancel it/);
    while ((await copying()).length > 0) await new Promise((resolve) => setTimeout(resolve, 50));
    assert.equal((await pg.sql`SELECT 1 FROM kafka.load_history`).length, 0);
  },
});

Deno.test("load: invalid arguments, and what is not available, are one line and a status", async () => {
  await using pg = await startDatabase();
  const dsn = ["--dsn", pg.dsn];
  const cases: [string[], number, RegExp][] = [
    [["-q"], 64, /no source: use gpdb-kafka load SOURCE, or --all/],
    [["a"], 64, /no database: use --dsn postgres:\/\/user@host\/database$/m],
    [["a", "b", "a", ...dsn], 64, /source "a" is given twice/],
    [["a", "--all", ...dsn], 64, /--all: "a" is one of them — leave it out/],
    [["a", "b", "--jobs", "0", ...dsn], 64, /--jobs: "0" is not a whole number from 1 up/],
    [["a", "--listen-token-file", "/x", ...dsn], 64, /--listen-token-file: use --listen too/],
    [
      ["a", "--listen", "[::1]:1", "--listen-token-file", "/none", ...dsn],
      64,
      /cannot read "\/none"/,
    ],
    [["--all", ...dsn], 64, /cannot list the sources: .*"kafka\.status" does not exist/],
    [
      ["--all", "--dsn", "postgres://127.0.0.1:1/x", "--timeout", "1ms"],
      69,
      /cannot list the sources/,
    ],
    [["a", "--dsn", "nowhere"], 64, /--dsn must be of the form postgres:/],
    [["a", ...dsn, "--once", "--every", "5s"], 64, /--every and --once exclude each other/],
    [["a", ...dsn, "--every", "5"], 64, /--every: "5" is not a duration/],
    [["a", ...dsn, "--listen", "9187"], 64, /--listen: "9187" is not HOST:PORT/],
    [["a", ...dsn, "--listen", "127.0.0.1:99999"], 64, /is not HOST:PORT/],
    [["a", ...dsn], 64, /schema "kafka" does not exist/],
    [["a", ...dsn, "--every", "1s"], 64, /schema "kafka" does not exist/],
    [["a", "--dsn", "postgres://127.0.0.1:1/x", "--timeout", "1s"], 69, /cannot be reached/],
  ];
  await Promise.all(cases.map(async ([args, code, message]) => {
    const run = await gpdbKafka(["load", ...args], { env: { DATABASE_URL: "" } });
    assert.equal(run.code, code, `${args.join(" ")}: ${run.stderr}`);
    assert.match(run.stderr, message);
    assert.equal(run.stderr.trim().split("\n").length, 1, run.stderr);
  }));
});
