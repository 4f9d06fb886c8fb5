/**
 * A disk that is full: what is only said decides nothing, and rows that can't be written are not
 * committed. /dev/full takes no byte.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { type Broker, startBroker } from "../../scripts/servers/broker.ts";
import { programs } from "../../scripts/compile/programs.ts";
import { binaries } from "../support/binaries.ts";
import { gpdbKafka, runRedirected, start, text } from "../support/cli.ts";
import {
  createTopic,
  deleteTopic,
  groupOffsets,
  produce,
  topicOffsets,
  uniqueName,
} from "../support/kafka.ts";
import { addSource, installKafka, ownServer, startDatabase } from "../support/load.ts";
import { offsetsScene } from "../support/offsets.ts";

const ignore = Deno.build.os !== "linux";

/** Whether it is tried: a compiled program may not open a device as its log file. */
const isPossible = ([flags]: [flags: string[], ...unknown[]]) =>
  binaries === undefined || !flags.includes("/dev/full");
const full = /: No space left on device/;

/** A topic with 3 rows and a bad one, and the arguments that read it. */
async function topicWithRows(broker: Broker): Promise<{ topic: string; args: string[] }> {
  const topic = uniqueName("full");
  await createTopic(broker, topic);
  await produce(broker, topic, ["1", "2", '"', "3"].map((value) => ({ value })));
  const args = ["-b", broker.bootstrap, "-t", topic, "-g", topic, "--bad-record", "skip"];
  return { topic, args };
}

Deno.test({
  name: "full disk: the consumer's log file and stderr decide nothing",
  ignore,
  async fn() {
    await using broker = await startBroker();
    const log = await Deno.makeTempFile();
    try {
      const cases: [flags: string[], redirections: string, stderr: RegExp, log: RegExp][] = [
        [["--log-file", "/dev/full"], "", /^[^\n]*left out\n.*"\/dev\/full": No space/, /^$/],
        [["--log-file", "/dev/full", "-q"], "", /^$/, /^$/],
        [["--stats", "-v"], "2>/dev/full", /^$/, /^$/],
        [
          ["--stats", "--log-file", log],
          "2>/dev/full",
          /^$/,
          /cannot write to stderr: No space.*\n.*left out\n.*"records":3.*\n.*rows=3 /,
        ],
        [["--stats", "-v", "--log-file", "/dev/full"], "2>/dev/full", /^$/, /^$/],
        [["--until", "idle=200ms", "--log-file", "/dev/full"], "2>/dev/full", /^$/, /^$/],
      ];
      for (const [flags, redirections, said, logged] of cases.filter(isPossible)) {
        const what = `${flags.join(" ")} ${redirections}`;
        const { topic, args } = await topicWithRows(broker);
        await Deno.truncate(log);
        const run = await runRedirected("consumer", [...args, ...flags], redirections);
        assert.deepEqual([run.code, text(run.stdout)], [0, "1\n2\n3\n"], `${what}: ${run.stderr}`);
        assert.match(run.stderr, said, what);
        assert.ok(run.stderr.split("\n").filter((line) => full.test(line)).length <= 1, run.stderr);
        assert.match(await Deno.readTextFile(log), logged, what);
        assert.deepEqual(await groupOffsets(broker, topic, topic), new Map([[0, 4n]]), what);
      }
    } finally {
      await Deno.remove(log);
    }
  },
});

Deno.test({
  name: "full disk: rows that stdout does not accept end the consumer with 74 before any commit",
  ignore,
  async fn() {
    await using broker = await startBroker();
    for (const flags of [[], ["--until", "idle=200ms"], ["--until", "forever"]]) {
      const { topic, args } = await topicWithRows(broker);
      const run = await runRedirected("consumer", [...args, ...flags, "-q"], ">/dev/full");
      assert.equal(run.code, 74, run.stderr);
      assert.match(
        run.stderr,
        /^kafka_consumer: cannot write to stdout: No space left on device\n$/,
      );
      const silent = await runRedirected("consumer", [...args, ...flags], ">/dev/full 2>&1");
      assert.equal(silent.code, 74);
      assert.deepEqual(await groupOffsets(broker, topic, topic), new Map([[0, -1n]]));
    }
  },
});

Deno.test(
  { name: "full disk: a failure that can't be said keeps its status", ignore },
  async () => {
    await using broker = await startBroker();
    const { args } = await topicWithRows(broker);
    const cases: [string[], number][] = [
      [[], 64],
      [["--what"], 64],
      [[...args, "-c", "0"], 64],
      [[...args.slice(0, -1), "fail", "--log-file", "/dev/full"], 65],
      [["-b", "127.0.0.1:1", "-t", "x", "--timeout", "100ms", "--log-file", "/dev/full"], 69],
    ];
    for (const [flags, code] of cases.filter(isPossible)) {
      const run = await runRedirected("consumer", flags, "2>/dev/full");
      assert.equal(run.code, code, flags.join(" "));
    }
  },
);

Deno.test("an uncaught error is one line and status 70, no stack trace", async () => {
  const probe = new URL("../support/uncaught.ts", import.meta.url).pathname;
  for (const where of ["timer", "promise"]) {
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--quiet", probe, where],
    }).output();
    assert.equal(code, 70, text(stderr));
    assert.match(text(stderr), /^probe: bug, please report: TypeError: unforeseen [^\n]+\n$/);
  }
});

Deno.test({
  name: "full disk: the producer's log file and stderr decide nothing",
  ignore,
  async fn() {
    await using broker = await startBroker();
    const cases: [flags: string[], redirections: string, stderr: RegExp][] = [
      [
        ["--log-file", "/dev/full"],
        "",
        /^2 rows.*\ncannot write to the log file "\/dev\/full": No/,
      ],
      [["--stats", "-v"], "2>/dev/full", /^$/],
      [["--stats", "--log-file", "/dev/full"], "2>/dev/full", /^$/],
      [["-q"], ">/dev/full 2>/dev/full", /^$/],
    ];
    for (const [flags, redirections, said] of cases.filter(isPossible)) {
      const topic = uniqueName("full");
      await createTopic(broker, topic);
      const args = ["-b", broker.bootstrap, "-t", topic, ...flags];
      const run = await runRedirected("producer", args, redirections, { stdin: "a\nb\n" });
      assert.equal(run.code, 0, run.stderr);
      assert.match(run.stderr, said);
      const [{ high }] = await topicOffsets(broker, topic);
      assert.equal(Number(high), 2, flags.join(" "));
    }
  },
});

Deno.test({
  name: "full disk: gpdb-kafka load continues, whatever report cannot be written",
  ignore: ignore || !ownServer,
  async fn() {
    await using broker = await startBroker();
    await using pg = await startDatabase();
    await installKafka(pg);
    const topic = uniqueName("full");
    await createTopic(broker, topic);
    await pg.sql`CREATE TABLE things (id int)`;
    await addSource(pg, broker, { name: "things", topic, table: "things" });
    const write = (id: number) => produce(broker, topic, [{ value: `${id}` }]);
    const loaded = async () => Number((await pg.sql`SELECT count(*) FROM things`)[0].count);
    const args = ["load", "things", "--dsn", pg.dsn];
    const cases: [flags: string[], redirections: string, stderr: RegExp][] = [
      [[], ">/dev/full", /^cannot write to stdout: No space.*the loads continue.*\n$/],
      [["--log-file", "/dev/full"], "", /^cannot write to the log file.*\n$/],
      [["--log-file", "/dev/full", "-v"], ">/dev/full 2>/dev/full", /^$/],
      [["-q"], ">&- 2>&-", /^$/],
    ];
    for (const [index, [flags, redirections, said]] of cases.filter(isPossible).entries()) {
      await write(index);
      const run = await runRedirected("main", [...args, ...flags], redirections);
      assert.equal(run.code, 0, run.stderr);
      assert.match(run.stderr, said);
      assert.equal(await loaded(), index + 1, flags.join(" "));
    }
    // A reader of its lines that goes away does not end a loop.
    const child = start("main", [...args, "--every", "100ms"]);
    child.stdin.close();
    await child.stdout.cancel();
    const said = new Response(child.stderr).text();
    const deadline = Date.now() + 30_000;
    const before = await loaded();
    for (let rows = before; rows < before + 3; rows++) {
      await write(rows);
      while (await loaded() <= rows) {
        assert.ok(Date.now() < deadline, `${rows} rows and no more`);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
    child.kill("SIGTERM");
    assert.equal((await child.status).code, 143);
    assert.match(await said, /^cannot write to stdout: [^\n]*the loads continue[^\n]*\n$/);
  },
});

Deno.test({
  name: "full disk: an answer must reach stdout; a change that was made stays",
  ignore,
  async fn() {
    await using scene = await offsetsScene("full");
    const { broker, topic, stored } = scene;
    await scene.read();
    const before = await stored();
    const at = ["-b", broker.bootstrap];
    const asked = [
      ["--help"],
      ["--version"],
      ["topics", "--help"],
      ["topics", "list", ...at],
      ["topics", "describe", topic, ...at],
      ["offsets", "show", "-g", topic, ...at],
      ["offsets", "export", "-g", topic, ...at],
      ["offsets", "reset", "-g", topic, "-t", topic, "--to", "earliest", ...at],
      ["lag", "-g", topic, ...at],
      ["plan", "-t", topic, ...at],
      ["doctor", ...at],
      ["sql", "schema"],
      ["consume", "-t", topic, "-g", topic, "-o", "earliest", "--commit", "yes", ...at],
    ];
    for (const args of asked) {
      const run = await runRedirected("main", args, ">/dev/full");
      assert.equal(run.code, 74, `${args.join(" ")}: ${run.stderr}`);
      assert.match(run.stderr, /^[^\n]*cannot write to stdout: No space left on device\n$/);
    }
    assert.deepEqual(await stored(), before);

    const made = uniqueName("full");
    const created = await runRedirected("main", ["topics", "create", made, ...at], ">/dev/full");
    assert.equal(created.code, 0, created.stderr);
    assert.match(created.stderr, /^cannot write to stdout.*done all the same: topic .* created/);
    const described = await gpdbKafka(["topics", "describe", made, ...at]);
    assert.equal(described.code, 0, described.stderr);
    await deleteTopic(broker, made);
  },
});

Deno.test({ name: "closed stdout: rows that go nowhere are not read", ignore }, async (t) => {
  await using broker = await startBroker();
  const { topic, args } = await topicWithRows(broker);
  const committed = () => groupOffsets(broker, topic, topic);
  await t.step("it ends with 74, and nothing is committed", async () => {
    for (const redirections of [">&-", ">&- 2>&-", ">&- </dev/null"]) {
      const run = await runRedirected("consumer", args, redirections);
      assert.equal(run.code, 74, redirections);
      if (!redirections.includes("2>")) {
        assert.match(
          run.stderr,
          /^kafka_consumer: cannot write to stdout: it is closed, or [^\n]+\n$/,
        );
      }
    }
    assert.deepEqual(await committed(), new Map([[0, -1n]]));
  });
  await t.step("so does every command that prints what it is asked for", async () => {
    const asked = [["topics", "list"], ["plan", "-t", topic], ["offsets", "show", "-g", topic]];
    for (const [index, words] of asked.entries()) {
      const run = await runRedirected("main", [...words, "-b", broker.bootstrap], ">&-");
      assert.equal(run.code, 74, asked[index].join(" "));
    }
  });
  await t.step(
    "with the permissions of a compiled program it is rejected, or reported",
    async () => {
      const folder = await Deno.makeTempDir();
      try {
        const entry = new URL("../../consumer.ts", import.meta.url).pathname;
        const { permissions } = programs[0];
        const line = [Deno.execPath(), "run", "--quiet", ...permissions, entry];
        const flags = [...args, "--commit", "no", "--log-file", join(folder, "log")];
        const { code, stderr } = await new Deno.Command("sh", {
          args: ["-c", 'exec "$@" >&-', "sh", ...line, ...flags],
        }).output();
        assert.match(text(stderr), /stdout[^\n]* is closed, or /);
        assert.ok(code === 74 || (code === 0 && /is lost/.test(text(stderr))), `${code}`);
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    },
  );
  await t.step(">/dev/null discards them, without a word", async () => {
    const run = await runRedirected("consumer", [...args, "-q"], ">/dev/null");
    assert.deepEqual([run.code, run.stderr], [0, ""]);
    assert.deepEqual(await committed(), new Map([[0, 4n]]));
  });
});
