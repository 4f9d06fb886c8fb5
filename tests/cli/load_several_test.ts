import assert from "node:assert/strict";
import { startBroker } from "../../scripts/servers/broker.ts";
import { freePorts } from "../../scripts/servers/broker/ports.ts";
import { gpdbKafka, start, text } from "../support/cli.ts";
import { createTopic, produce, uniqueName } from "../support/kafka.ts";
import { silentPort } from "../support/silence.ts";
import { hasScript, startOnTerminal } from "../support/terminal.ts";
import { addSource, dialect, installKafka, ownServer, startDatabase } from "../support/load.ts";

async function until(condition: () => Promise<boolean>, what: string): Promise<void> {
  for (const deadline = Date.now() + 60_000; !await condition();) {
    assert.ok(Date.now() < deadline, what);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

Deno.test({
  name: "load: several sources in one process; one that fails does not stop the others",
  ignore: !ownServer,
  async fn() {
    await using broker = await startBroker();
    await using pg = await startDatabase();
    await installKafka(pg);
    const names = ["orders", "items", "bad"];
    const topics = new Map<string, string>();
    for (const name of names) {
      const topic = uniqueName(name);
      topics.set(name, topic);
      await createTopic(broker, topic);
      await pg.sql.unsafe(`CREATE TABLE ${name} (id int)`);
      await addSource(pg, broker, { name, topic, table: name });
    }
    const write = (name: string, ...values: string[]) =>
      produce(broker, topics.get(name)!, values.map((value) => ({ value })));
    const counts = async () => {
      const rows = await Promise.all(names.map((name) => pg.sql.unsafe(`SELECT 1 FROM ${name}`)));
      return rows.map(({ length }) => length);
    };
    await write("orders", "1", "2", "3");
    await write("items", "1", "2");
    await write("bad", "1", "x");

    const once = await gpdbKafka(["load", "bad", "gone", "orders", "items", "--dsn", pg.dsn]);
    const lines = once.stderr.trim().split("\n");
    assert.equal(once.code, 64, once.stderr); // of 64 and 65 the first
    assert.equal(lines.length, 3, once.stderr);
    assert.match(once.stderr, /^gpdb-kafka load: cannot load source "bad": .*line 2.*"x"$/m);
    assert.match(once.stderr, /^gpdb-kafka load: cannot load source "gone": .*does not exist/m);
    assert.match(lines[2], /^gpdb-kafka load: cannot load 2 of 4 sources: "\w+", "\w+" — see the/);
    const done = text(once.stdout).trim().split("\n").map((line) => line.slice(25)).sort();
    assert.equal(done.length, 2);
    assert.match(done[0], /^items: load 1: 2 rows in .*lag 0$/);
    assert.match(done[1], /^orders: load 1: 3 rows in .*lag 0$/);
    assert.deepEqual(await counts(), [3, 2, 0]);

    const bad = await gpdbKafka(["load", "--all", "--jobs", "1"], {
      env: { DATABASE_URL: pg.dsn },
    });
    assert.equal(bad.code, 65, bad.stderr);
    assert.match(bad.stderr, /cannot load 1 of 3 sources: "bad" —/);

    const [port] = freePorts(1);
    const address = `127.0.0.1:${port}`;
    const child = start("main", [
      ...["load", "--all", "--dsn", pg.dsn, "--every", "100ms", "--jobs", "2"],
      ...["--listen", address],
    ]);
    child.stdin.close();
    const out = new Response(child.stdout).text();
    const errors = new Response(child.stderr).text();
    await write("orders", "4");
    await write("items", "3");
    await until(async () => (await counts()).join() === "4,3,0", "new records are not loaded");
    const metrics = await (await fetch(`http://${address}/metrics`)).text();
    assert.match(metrics, /^gpdb_kafka_rows_total\{source="orders"\} 1$/m);
    assert.match(metrics, /^gpdb_kafka_rows_total\{source="items"\} 1$/m);
    assert.match(metrics, /^gpdb_kafka_up\{source="bad"\} 0$/m);
    const page = await fetch(`http://${address}/`);
    assert.equal(page.headers.get("content-type"), "text/html; charset=utf-8");
    assert.match(await page.text(), /1 of 3 sources failing/);
    assert.equal((await fetch(`http://${address}/healthz`)).status, 503);

    // Each with its own pause.
    await pg.sql`SELECT kafka.pause('items')`;
    await write("items", "4");
    await write("orders", "5");
    await until(async () => (await counts()).join() === "5,3,0", "a pause stops another source");
    await pg.sql`SELECT kafka.resume('items')`;
    await until(async () => (await counts()).join() === "5,4,0", "a resumed source is not loaded");

    child.kill("SIGTERM");
    assert.equal((await child.status).code, 143);
    assert.match(await out, /^\S+Z bad: .*"x".*; trying again in /m);
    assert.equal(await errors, "");
  },
});

Deno.test("load: --listen on what is not a loopback address warns, unless there is a token", async () => {
  const [port] = freePorts(1);
  // This machine's own address, written as one of IPv6: it is not known as a loopback address.
  const listen = ["--listen", `[::ffff:7f00:1]:${port}`];
  const nowhere = ["load", "x", "--dsn", "postgres://127.0.0.1:1/x", "--timeout", "1ms"];
  const open = await gpdbKafka([...nowhere, ...listen]);
  assert.equal(open.code, 69);
  const [warning, failure] = open.stderr.split("\n");
  assert.match(warning, /^--listen .*: everyone who can connect sees .* — use --listen-token-file/);
  assert.match(failure, /^gpdb-kafka load: cannot load source "x": the database cannot be reached/);
  const path = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(path, "0123456789abcdef\n");
    const closed = await gpdbKafka([...nowhere, ...listen, "--listen-token-file", path]);
    assert.equal(closed.code, 69);
    assert.doesNotMatch(closed.stderr, /everyone|0123/);
  } finally {
    await Deno.remove(path);
  }
});

Deno.test({
  name: "load: several sources are a line each on a terminal, drawn in place",
  ignore: !hasScript || !ownServer,
  async fn() {
    await using broker = await startBroker();
    await using pg = await startDatabase();
    await installKafka(pg);
    const topic = uniqueName("screen");
    await createTopic(broker, topic);
    await pg.sql`CREATE TABLE things (id int)`;
    await addSource(pg, broker, { name: "things", topic, table: "things" });
    await produce(broker, topic, [{ value: "1" }, { value: "2" }]);
    const child = startOnTerminal("main", [
      "load",
      "things",
      "gone",
      "--dsn",
      pg.dsn,
      "--every",
      "1s",
    ]);
    let [seen, asked] = ["", false];
    for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
      seen += chunk;
      if (
        asked || !/ things +2 rows, lag 0, waiting/.test(seen) || !/ gone .*failed: /.test(seen)
      ) {
        continue;
      }
      asked = true;
      const writer = child.stdin.getWriter();
      await writer.write(new TextEncoder().encode("\x03"));
      writer.releaseLock();
    }
    assert.equal((await child.status).code, 130, seen);
    await child.stdin.close().catch(() => {});
    const drawn = seen.replaceAll("\r", "").split("\x1b[J").slice(1);
    assert.ok(drawn.some((text) => text.endsWith("\x1b[3A")), seen); // over itself
    const whole = drawn.findLast((text) => / gone .*failed: /.test(text))!;
    const [head, first, second] = whole.split("\n");
    assert.match(head, /^2 sources: 2 rows loaded, \d+ rows\/s, lag 0$/);
    assert.match(first, /^ {2}gone {4}0 rows, lag -, failed: source "gone" does not exist/);
    assert.match(second, /^ {2}things {2}2 rows, lag 0, (waiting|loading)$/);
  },
});

Deno.test({
  name: "load: --all is what the role may load",
  ignore: !ownServer,
  async fn() {
    await using broker = await startBroker();
    await using pg = await startDatabase();
    await installKafka(pg);
    const role = uniqueName("loader").replaceAll("-", "_");
    await pg.sql.unsafe(`CREATE ROLE ${role} LOGIN PASSWORD 'loader-pw-1'`);
    try {
      const dsn = new URL(pg.dsn);
      [dsn.username, dsn.password] = [role, "loader-pw-1"];
      await pg.sql`SELECT kafka.allow(${role})`;
      const all = () => gpdbKafka(["load", "--all", "--dsn", dsn.href]);
      const none = await all();
      assert.deepEqual([none.code, none.stdout.length], [64, 0]);
      assert.match(none.stderr, /^gpdb-kafka load: no source: this role may load none — .*\n$/);
      for (const name of ["mine", "other"]) {
        const topic = uniqueName(name);
        await createTopic(broker, topic);
        await pg.sql.unsafe(`CREATE TABLE ${name} (id int)`);
        const roles = name === "mine" ? [role] : [];
        await addSource(pg, broker, { name, topic, table: name, roles });
        await produce(broker, topic, [{ value: "1" }]);
      }
      const mine = await all();
      assert.deepEqual([mine.code, mine.stderr], [0, ""]);
      assert.match(text(mine.stdout), /^\S+ mine: load 1: 1 rows.*\n$/);
    } finally {
      await pg.sql.unsafe(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
    }
  },
});

Deno.test({
  name: "load: a SIGTERM ends loads of several sources within 5 s, and nothing of them stays",
  // Their slow readers are shell commands.
  ignore: !ownServer || dialect === "greenplum",
  async fn() {
    await using broker = await startBroker();
    await using pg = await startDatabase();
    await installKafka(pg);
    for (const name of ["one", "two", "three"]) {
      const topic = uniqueName(name);
      await createTopic(broker, topic);
      await pg.sql.unsafe(`CREATE TABLE ${name} (id int)`);
      await addSource(pg, broker, { name, topic, table: name, program: "$HOME/slow" });
      await produce(broker, topic, [{ value: "1" }]);
    }
    await pg.sql`
      UPDATE kafka.source SET reader = 'sleep 20; ' || replace(reader, 'slow', 'kafka_consumer'),
        planner = replace(planner, 'slow', 'kafka_consumer')`;
    const child = start("main", ["load", "--all", "--dsn", pg.dsn, "--every", "1s", "--jobs", "2"]);
    child.stdin.close();
    const copying = async () => {
      const rows = await pg.sql`
        SELECT a.application_name AS name FROM pg_stat_activity a JOIN pg_locks l ON l.pid = a.pid
        WHERE l.relation IN ('one'::regclass, 'two'::regclass, 'three'::regclass)
          AND l.mode = 'RowExclusiveLock' AND a.pid <> pg_backend_pid()
        ORDER BY 1`;
      return rows.map(({ name }) => name);
    };
    // In their order, two of three at a time; each session says which source it loads.
    await until(async () => (await copying()).length === 2, "two loads do not run");
    assert.deepEqual(await copying(), ["gpdb-kafka load one", "gpdb-kafka load three"]);
    const asked = performance.now();
    child.kill("SIGTERM");
    const { code } = await child.status;
    assert.ok(performance.now() - asked < 5000, `${performance.now() - asked} ms`);
    assert.equal(code, 143);
    await Promise.all([child.stdout.cancel(), child.stderr.cancel()]);
    await until(async () => (await copying()).length === 0, "a cancelled load goes on");
    assert.equal((await pg.sql`SELECT 1 FROM kafka.load_history`).length, 0);
  },
});

Deno.test("load: a SIGTERM ends it within 5 s even if the database never answers", async () => {
  await using silent = silentPort();
  const dsn = ["--dsn", `postgres://127.0.0.1:${silent.port}/x`, "--every", "1s"];
  await Promise.all([["a"], ["a", "b"], ["--all"]].map(async (args) => {
    const child = start("main", ["load", ...args, ...dsn]);
    child.stdin.close();
    await new Promise((resolve) => setTimeout(resolve, 3000));
    const asked = performance.now();
    child.kill("SIGTERM");
    const { code, stderr } = await child.output();
    const took = performance.now() - asked;
    assert.ok(took < 5000, `${args}: ${took} ms`);
    assert.deepEqual([code, text(stderr)], [143, ""], args.join(" "));
  }));
});
