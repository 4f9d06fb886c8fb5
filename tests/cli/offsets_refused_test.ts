import assert from "node:assert/strict";
import { gpdbKafka, text } from "../support/cli.ts";
import { Member, Seen, until } from "../support/group.ts";
import { consoleConsume, withAdmin } from "../support/kafka.ts";
import { offsetsScene as scene, write } from "../support/offsets.ts";
import { closedPort, silentPort } from "../support/silence.ts";
import { stepBeside } from "../support/steps.ts";

Deno.test("offsets: a group with live members is not changed, and they are named", async () => {
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

Deno.test("offsets: a group whose members cannot be named is rejected by its coordinator", async () => {
  await using s = await scene("hidden");
  const { broker, topic } = s;
  if (broker.version.startsWith("3.")) return; // the protocol came with Kafka 4
  const group = ["--group", topic, "--consumer-property", "group.protocol=consumer"];
  const eager = ["--consumer-property", "auto.commit.interval.ms=100"];
  const consuming = consoleConsume(broker, topic, 16, [...group, ...eager]);
  try {
    const committed = async () => (await s.stored()).join() === "10,5";
    await until("Java's consumer has committed", 30_000, committed);
    const shown = await s.offsets(["show", "-g", topic]);
    assert.match(
      text(shown.stdout),
      /^group ".*": of the protocol group\.protocol=consumer, which/,
    );
    const args = ["reset", "-g", topic, "--to", "earliest"];
    const tried = await s.offsets([...args, "--dry-run"]);
    assert.equal(tried.code, 0);
    assert.match(
      tried.stderr,
      /^group "hidden-.*" does not list its members; its coordinator rejects/,
    );
    const run = await s.offsets(args);
    assert.equal(run.code, 69);
    assert.match(run.stderr, /cannot commit for group ".*: the group has live members/);
    assert.deepEqual(await s.stored(), [10, 5]);
  } finally {
    await write(broker, topic, 0, 1);
    await consuming;
  }
  assert.equal((await s.offsets(["reset", "-g", topic, "--to", "1"])).code, 0);
  assert.deepEqual(await s.stored(), [1, 1]);
});

Deno.test("offsets: what can't be done is one line that says why, and changes nothing", async (t) => {
  await using s = await scene("refused");
  const { topic } = s;
  await s.read();
  const g = ["-g", topic];
  const cases: [string[], number, RegExp, string?][] = [
    [["frob"], 64, /unknown verb "frob": use show, export, import, reset; see --help/],
    [["show"], 64, /no group: use --group NAME/],
    [["show", ...g, "x"], 64, /"x" is one argument too many/],
    [["show", ...g, "--to", "1"], 64, /--to is a flag of reset, not of show/],
    [["show", ...g, "-t", "other"], 65, /has no stored offset of "other"/],
    [["show", "-g", "no-such-group"], 65, /group "no-such-group" has no stored offsets/],
    [["export", ...g, "--format", "csv"], 64, /--format: "csv" is not one of rpk, zookeeper/],
    [["reset", ...g], 64, /no target: use --to earliest, latest/],
    [
      ["reset", ...g, "--to", "soon"],
      64,
      /--to: "soon" is not one of earliest, latest, N, \+N, -N/,
    ],
    [["reset", ...g, "--to", "@noon"], 64, /--to: "noon" is not a time/],
    [["reset", ...g, "--to", "0", "--partition", "1"], 64, /--partition requires one --topic/],
    [
      ["reset", ...g, "--to", "0", "-t", topic, "--partition", "x"],
      64,
      /"x" is not a whole number/,
    ],
    [
      ["reset", ...g, "--to", "0", "-t", topic, "--partition", "2"],
      65,
      /topic ".*" partition 2 does not exist: the topic has 0 to 1/,
    ],
    [["reset", ...g, "--to", "0", "-t", "no-such-topic"], 69, /UNKNOWN_TOPIC_OR_PARTITION \(3\)/],
    [
      ["reset", "-g", `${topic}-x`, "-t", topic, "--to", "-1"],
      65,
      /cannot move topic ".*" partition 0 back: the group has no stored offset for it — use --to/,
    ],
    [
      ["reset", ...g, "--to", "11"],
      65,
      /cannot store offset 11 of topic ".*" partition 0, whose log is 0 to 10 \(and 1 more\) — use --clamp/,
    ],
    [
      ["import", ...g, "/no/such/file"],
      64,
      /cannot read "\/no\/such\/file": No such file or directory$/m,
    ],
    [["import"], 64, /no group: use --group/, `${topic} 0 1\n`],
    [["import", ...g], 65, /stdin contains no offsets/, ""],
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
      /topic ".*" partition 9 does not exist: the topic has 0 to 1/,
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
    await stepBeside(t, `${args.join(" ")} ${stdin ?? ""}`.trim(), () => {
      assert.equal(run.code, code, run.stderr);
      assert.match(run.stderr, message);
      assert.match(run.stderr, /^gpdb-kafka offsets: [^\n]+\n$/);
      assert.equal(run.stdout.length, 0);
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
        assert.match(
          run.stderr,
          /^gpdb-kafka offsets: .*(refused|did not answer|no connection).*\n$/,
        );
        assert.ok(run.ms < 4_000, `${args} ${run.ms} ms`);
      })
    ),
  );
});
