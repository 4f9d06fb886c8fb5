import assert from "node:assert/strict";
import { type Broker, startBroker } from "../../scripts/broker.ts";
import { startPostgres } from "../../scripts/postgres.ts";
import { consumer, gpdbKafka, text } from "../support/cli.ts";
import { Member, Seen, until } from "../support/group.ts";
import {
  createTopic,
  deleteRecords,
  groupOffsets,
  produce,
  uniqueName,
  withAdmin,
} from "../support/kafka.ts";
import { installKafka, ownServer } from "../support/load.ts";
import { closedPort, silentPort } from "../support/silence.ts";

/** A topic of two partitions with 10 and 5 records, 1 s apart from 1000 s on, read by a group. */
async function scene(name: string) {
  const broker = await startBroker();
  const topic = uniqueName(name);
  await createTopic(broker, topic, { partitions: 2 });
  await write(broker, topic, 0, 10);
  await write(broker, topic, 1, 5);
  const read = async () => {
    const run = await consumer(["-b", broker.bootstrap, "-t", topic, "-g", topic]);
    assert.equal(run.code, 0, run.stderr);
    return text(run.stdout).split("\n").slice(0, -1);
  };
  return {
    broker,
    topic,
    read,
    offsets: (args: string[], stdin?: string) =>
      gpdbKafka(["offsets", ...args, "-b", broker.bootstrap], { stdin }),
    stored: async () => [...(await groupOffsets(broker, topic, topic)).values()].map(Number),
    [Symbol.asyncDispose]: () => broker[Symbol.asyncDispose](),
  };
}

async function write(broker: Broker, topic: string, partition: number, count: number) {
  const records = Array.from({ length: count }, (_, i) => ({
    value: `p${partition}-${i}`,
    timestamp: 1_000_000 + i * 1000,
  }));
  await produce(broker, topic, records, partition);
}

for (const format of ["rpk", "zookeeper"]) {
  Deno.test(`offsets: export, delete the group, import, export: the same ${format} file`, async () => {
    await using s = await scene(format);
    const { broker, topic } = s;
    const other = uniqueName("zother");
    await createTopic(broker, other, { partitions: 12 });
    await s.read();
    const all = Array.from({ length: 12 }, (_, p) => `${other} ${p} 0\n`).reverse().join("");
    assert.equal((await s.offsets(["import", "-g", topic], all)).code, 0);

    const args = ["export", "-g", topic, "--format", format];
    const before = text((await s.offsets(args)).stdout);
    const first = format === "rpk"
      ? `${topic} 0 10\n${topic} 1 5\n${other} 0 0\n${other} 1 0\n`
      : `/consumers/${topic}/offsets/${topic}/0:10\n/consumers/${topic}/offsets/${topic}/1:5\n`;
    assert.ok(before.startsWith(first), before);
    assert.equal(before.split("\n").length, 15);

    await withAdmin(broker, (admin) => admin.deleteGroups([topic]));
    const gone = await s.offsets(args);
    assert.equal(gone.code, 65);
    assert.match(
      gone.stderr,
      /^gpdb-kafka offsets: group ".*" has stored no offsets: check its name\n$/,
    );

    const file = await Deno.makeTempFile();
    await Deno.writeTextFile(file, before);
    // The ZooKeeper lines name the group.
    const whose = format === "rpk" ? ["-g", topic] : [];
    const imported = await s.offsets(["import", file, ...whose]);
    await Deno.remove(file);
    assert.deepEqual([imported.code, imported.stderr], [0, ""]);
    assert.match(text(imported.stdout), /14 offsets of group ".*" are stored\n$/);
    assert.equal(text((await s.offsets(args)).stdout), before);
  });
}

Deno.test("offsets: a rewind by import makes the next run read exactly those rows again", async () => {
  await using s = await scene("rewind");
  const { topic } = s;
  assert.equal((await s.read()).length, 15);
  assert.deepEqual(await s.read(), []);
  const file = `${topic} 0 7\n${topic} 1 4\n`;

  const tried = await s.offsets(["import", "-g", topic, "--dry-run"], file);
  const plan = [
    /^TOPIC +PARTITION +OLD +NEW$/,
    /^rewind-\S+ +0 +10 +→ +7 {2}3 to be read again$/,
    /^rewind-\S+ +1 +5 +→ +4 {2}1 to be read again$/,
  ];
  const lines = text(tried.stdout).split("\n");
  for (const [i, pattern] of plan.entries()) assert.match(lines[i], pattern);
  assert.match(lines[3], /^dry run: 2 offsets of group "rewind-\S+" would be stored$/);
  assert.deepEqual(await s.read(), []);

  const done = await s.offsets(["import", "-g", topic, "-"], file);
  assert.deepEqual(text(done.stdout).split("\n").slice(0, 3), lines.slice(0, 3));
  assert.deepEqual((await s.read()).sort(), ["p0-7", "p0-8", "p0-9", "p1-4"]);
  assert.deepEqual(await s.read(), []);
});

Deno.test({
  name: "offsets: after a rewind the database's next load has exactly those rows again",
  ignore: !ownServer,
  async fn() {
    await using s = await scene("reload");
    const { broker, topic } = s;
    await using pg = await startPostgres();
    await installKafka(pg);
    await pg.sql`CREATE TABLE rows (name text)`;
    const copy = `COPY rows FROM PROGRAM ` +
      `'$HOME/kafka_consumer -b ${broker.bootstrap} -t ${topic} -g ${topic}' (FORMAT csv)`;
    const load = async () => {
      await pg.sql`TRUNCATE rows`;
      await pg.sql.unsafe(copy);
      return (await pg.sql`SELECT name FROM rows ORDER BY name`).map(({ name }) => name);
    };
    assert.equal((await load()).length, 15);
    assert.deepEqual(await load(), []);
    const zookeeper = `/consumers/${topic}/offsets/${topic}/0:8\n`;
    assert.equal((await s.offsets(["import"], zookeeper)).code, 0);
    assert.deepEqual(await load(), ["p0-8", "p0-9"]);
    assert.deepEqual(await load(), []);
  },
});

Deno.test("offsets: reset to where it is told, per partition or all", async () => {
  await using s = await scene("reset");
  const { broker, topic } = s;
  await deleteRecords(broker, topic, { 0: 2 });
  await s.read();
  const reset = async (...args: string[]) => {
    const run = await s.offsets(["reset", "-g", topic, ...args]);
    assert.equal(run.code, 0, run.stderr);
    return await s.stored();
  };
  assert.deepEqual(await s.stored(), [10, 5]);
  assert.deepEqual(await reset("--to", "earliest"), [2, 0]);
  assert.deepEqual(await reset("--to", "latest", "-t", topic, "--partition", "1"), [2, 5]);
  assert.deepEqual(await reset("--to", "latest"), [10, 5]);
  assert.deepEqual(await reset("--to", "3"), [3, 3]);
  assert.deepEqual(await reset("--to", "+2", "-t", topic), [5, 5]);
  assert.deepEqual(await reset("--to", "-1"), [4, 4]);
  assert.deepEqual(await reset("--to", "@1007000", "-t", topic), [7, 5]); // none as late in 1
  assert.deepEqual(await reset("--to", "@1970-01-01T00:16:42Z"), [2, 2]);
  assert.deepEqual(await reset("--to", "7", "-t", topic, "--partition", "0"), [7, 2]);
  assert.deepEqual(await reset("--to", "-3", "--clamp"), [4, 0]);
  assert.deepEqual((await s.read()).length, 11);
  assert.deepEqual(await reset("--to", "earliest", "--dry-run"), [10, 5]);
});

Deno.test("offsets: reset makes offsets for a group that has none", async () => {
  await using s = await scene("new");
  const run = await s.offsets(["reset", "-g", s.topic, "-t", s.topic, "--to", "1"]);
  assert.equal(run.code, 0, run.stderr);
  assert.match(text(run.stdout), / 0 +- +→ +1 {2}nothing was stored\n/);
  assert.deepEqual(await s.stored(), [1, 1]);
});

Deno.test("offsets: show says where a group stands beside the log, and who is in it", async () => {
  await using s = await scene("show");
  const { broker, topic } = s;
  await s.read();
  await write(broker, topic, 0, 3);
  await s.offsets(["reset", "-g", topic, "-t", topic, "--partition", "1", "--to", "1"]);
  await deleteRecords(broker, topic, { 1: 3 });
  const [group, , header, ...rows] = text((await s.offsets(["show", "-g", topic])).stdout).split(
    "\n",
  );
  assert.equal(group, `group "${topic}": Empty, no members`);
  assert.match(header, /^TOPIC +PARTITION +STORED +START +END +LAG$/);
  assert.match(rows[0], / 0 +10 +0 +13 +3$/);
  assert.match(rows[1], / 1 +1 +3 +5 +2 {2}2 deleted unread$/);
});

Deno.test("offsets: a group with live members is left alone, and they are named", async () => {
  await using s = await scene("live");
  const { broker, topic } = s;
  const member = new Member(broker, topic, new Seen(), "--until", "forever");
  try {
    const joined = async () => {
      const { groups: [group] } = await withAdmin(broker, (admin) => admin.describeGroups([topic]));
      return group.state === "Stable";
    };
    await until("the member has joined", 20_000, joined);
    const changes: [string[], string?][] = [
      [["reset", "-g", topic, "-t", topic, "--to", "earliest"]],
      [["reset", "-g", topic, "-t", topic, "--to", "earliest", "--dry-run"]],
      [["import", "-g", topic], `${topic} 0 1\n`],
    ];
    for (const [args, stdin] of changes) {
      const run = await s.offsets(args, stdin);
      assert.equal(run.code, 69);
      assert.match(
        run.stderr,
        /^gpdb-kafka offsets: nothing is changed, because group "live-.*" has live members: client "gpdb-kafka" at [\d.:]+ \(id gpdb-kafka-.*\); stop them first\n$/,
      );
    }
    const shown = await s.offsets(["export", "-g", topic]);
    assert.ok(shown.code === 0 || shown.code === 65); // reading takes no turn
  } finally {
    await member.kill("SIGTERM");
  }
  const run = await s.offsets(["reset", "-g", topic, "-t", topic, "--to", "earliest"]);
  assert.equal(run.code, 0, run.stderr);
});

Deno.test("offsets: what can't be done is one line that says why, and changes nothing", async (t) => {
  await using s = await scene("refused");
  const { topic } = s;
  await s.read();
  const g = ["-g", topic];
  const cases: [string[], number, RegExp, string?][] = [
    [["frob"], 64, /"frob" can't be done: say show, export, import, reset/],
    [["show"], 64, /no group: say --group NAME/],
    [["show", ...g, "x"], 64, /"x" is one word too many/],
    [["show", ...g, "--to", "1"], 64, /--to is of reset, not of show/],
    [["show", ...g, "-t", "other"], 65, /has stored no offset of "other"/],
    [["show", "-g", "no-such-group"], 65, /group "no-such-group" has stored no offsets/],
    [["export", ...g, "--format", "csv"], 64, /--format: "csv" is none of rpk, zookeeper/],
    [["reset", ...g], 64, /reset where\? say --to earliest, latest/],
    [["reset", ...g, "--to", "soon"], 64, /--to: "soon" is none of earliest, latest, N, \+N, -N/],
    [["reset", ...g, "--to", "@noon"], 64, /--to: "noon" is no time/],
    [["reset", ...g, "--to", "0", "--partition", "1"], 64, /--partition: say which topic's/],
    [["reset", ...g, "--to", "0", "-t", topic, "--partition", "x"], 64, /"x" is no whole number/],
    [
      ["reset", ...g, "--to", "0", "-t", topic, "--partition", "2"],
      65,
      /no topic ".*" partition 2: it has 0 to 1/,
    ],
    [["reset", ...g, "--to", "0", "-t", "no-such-topic"], 69, /UNKNOWN_TOPIC_OR_PARTITION \(3\)/],
    [
      ["reset", "-g", `${topic}-x`, "-t", topic, "--to", "-1"],
      65,
      /nothing is stored for topic ".*" partition 0: there is nothing to go back from/,
    ],
    [
      ["reset", ...g, "--to", "11"],
      65,
      /cannot store offset 11 of topic ".*" partition 0, whose log is 0 to 10 \(and 1 more\): --clamp/,
    ],
    [
      ["import", ...g, "/no/such/file"],
      64,
      /cannot read "\/no\/such\/file": No such file or directory$/m,
    ],
    [["import"], 64, /no group: say --group/, `${topic} 0 1\n`],
    [["import", ...g], 65, /stdin holds no offsets/, ""],
    [
      ["import", ...g],
      65,
      /stdin line 2: "0 1" is neither TOPIC PARTITION OFFSET/,
      `${topic} 0 1\n0 1\n`,
    ],
    [
      ["import", ...g],
      65,
      /stdin line 2: a zookeeper line in a file of rpk lines/,
      `${topic} 0 1\n/consumers/g/offsets/t/0:1\n`,
    ],
    [
      ["import", ...g],
      65,
      /no topic ".*" partition 9: it has 0 to 1/,
      `${topic} 0 1\n${topic} 9 1\n`,
    ],
    [
      ["import", ...g],
      65,
      /cannot store offset 99 of topic ".*" partition 1, whose log is 0 to 5/,
      `${topic} 0 1\n${topic} 1 99\n`,
    ],
    [
      ["import", ...g],
      69,
      /topic "no-such-topic": UNKNOWN_TOPIC_OR_PARTITION/,
      "no-such-topic 0 1\n",
    ],
  ];
  await Promise.all(cases.map(async ([args, code, message, stdin]) => {
    const run = await s.offsets(args, stdin);
    await t.step({
      name: `${args.join(" ")} ${stdin ?? ""}`.trim(),
      sanitizeOps: false,
      sanitizeResources: false,
      sanitizeExit: false,
      fn: () => {
        assert.equal(run.code, code, run.stderr);
        assert.match(run.stderr, message);
        assert.match(run.stderr, /^gpdb-kafka offsets: [^\n]+\n$/);
        assert.equal(run.stdout.length, 0);
      },
    });
  }));
  assert.deepEqual(await s.stored(), [10, 5]);
});

Deno.test("offsets: a closed port and one that never answers end within --timeout", async () => {
  await using silent = silentPort();
  const verbs: [string[], string?][] = [
    [["show", "-g", "x"]],
    [["export", "-g", "x"]],
    [["import", "-g", "x"], "x 0 1\n"],
    [["reset", "-g", "x", "-t", "x", "--to", "1"]],
  ];
  await Promise.all(
    verbs.flatMap(([args, stdin]) =>
      [closedPort(), silent.port].map(async (port) => {
        const where = ["-b", `127.0.0.1:${port}`, "--timeout", "1s"];
        const run = await gpdbKafka(["offsets", ...args, ...where], { stdin });
        assert.equal(run.code, 69, run.stderr);
        assert.match(run.stderr, /^gpdb-kafka offsets: .*(refused|did not answer).*\n$/);
        assert.ok(run.ms < 4000, `${args} ${run.ms} ms`);
      })
    ),
  );
});
