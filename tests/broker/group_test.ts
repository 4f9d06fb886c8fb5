import assert from "node:assert/strict";
import { startBroker } from "../../scripts/servers/broker.ts";
import { allCommitted, Feed, Member, Seen, sleep, until } from "../support/group.ts";
import { createTopic, kafkajs, uniqueName } from "../support/kafka.ts";

const PARTITIONS = 8;

/** A topic, what feeds it, and what its group's members have read. */
async function scene(name: string) {
  const broker = await startBroker();
  const topic = uniqueName(name);
  await createTopic(broker, topic, { partitions: PARTITIONS });
  const seen = new Seen();
  return {
    broker,
    topic,
    seen,
    feed: new Feed(broker, topic, PARTITIONS),
    join: (...more: string[]) => new Member(broker, topic, seen, ...more),
    [Symbol.asyncDispose]: () => broker[Symbol.asyncDispose](),
  };
}

Deno.test("a single member reads all, commits and leaves; the next finds nothing", async () => {
  await using s = await scene("group-one");
  await s.feed.write(500);
  const first = s.join("--stats");
  assert.equal((await first.end()).code, 0, first.said);
  assert.equal(first.rows, 500 * PARTITIONS);
  assert.ok(s.seen.has(s.feed.rows));
  assert.equal(s.seen.doubled, 0);
  assert.ok(await allCommitted(s.broker, s.topic));
  const stats = JSON.parse(first.said.split("\n").find((line) => line.startsWith("{"))!);
  assert.equal(stats.partitions.length, PARTITIONS);
  assert.ok(stats.partitions.every(({ to }: { to: number }) => to === 500));
  const started = performance.now();
  const second = s.join();
  assert.equal((await second.end()).code, 0, second.said);
  assert.equal(second.rows, 0);
  // Had the first one not left, its session would have to end before.
  assert.ok(performance.now() - started < 6000);
});

Deno.test("members with --until end share the rows, in whatever order they start", async () => {
  await using s = await scene("group-end");
  await s.feed.write(2000);
  const members = [1, 2, 3].map(() => s.join());
  for (const member of members) assert.equal((await member.end()).code, 0, member.said);
  assert.ok(s.seen.has(s.feed.rows));
  assert.ok(await allCommitted(s.broker, s.topic));
});

Deno.test("a member that ends, or is ended by SIGTERM, frees its partitions at once", async () => {
  await using s = await scene("group-leave");
  await s.feed.write(1);
  const stays = s.join("--until", "forever");
  await until("all rows are read", 10_000, () => s.seen.has(s.feed.rows));
  for (const way of ["end", "SIGTERM"] as const) {
    const before = stays.generations;
    const goes = s.join(...(way === "end" ? [] : ["--until", "forever"]));
    await until("both have a share", 10_000, () => goes.generations > 0);
    if (way === "SIGTERM") {
      await until("it reads", 10_000, () => stays.generations > before);
      const sent = performance.now();
      goes.child.kill("SIGTERM");
      assert.equal((await goes.status).code, 143);
      const took = performance.now() - sent;
      // tests/cli/consumer_test.ts has the 100 ms; here others compute beside it.
      assert.ok(took < 1000, `${took} ms`);
    }
    await goes.end();
    await s.feed.write(1);
    const took = await until(`${way}: all are read again`, 5000, () => s.seen.has(s.feed.rows));
    assert.ok(took < 3000, `${way}: ${took} ms`);
  }
  await stays.kill("SIGTERM");
  assert.equal(s.seen.doubled, 0);
  assert.ok(await allCommitted(s.broker, s.topic));
});

Deno.test("members of one group that read different topics get each its own", async () => {
  await using a = await scene("group-topic-a");
  await using b = await scene("group-topic-b");
  const forever = ["--until", "forever"];
  const [one, two] = [a.join(...forever), b.join("-g", a.topic, ...forever)];
  await until("both have partitions", 10_000, () => one.generations > 0 && two.generations > 0);
  await Promise.all([a.feed.write(2), b.feed.write(3)]);
  await until("all", 10_000, () => a.seen.has(a.feed.rows) && b.seen.has(b.feed.rows));
  await Promise.all([one.kill("SIGTERM"), two.kill("SIGTERM")]);
  assert.deepEqual([one.rows, two.rows], [2 * PARTITIONS, 3 * PARTITIONS]);
});

Deno.test("a group with members of another program is rejected: exit 69", async () => {
  await using s = await scene("group-other");
  const other = kafkajs(s.broker).consumer({ groupId: s.topic, maxWaitTimeInMs: 100 });
  await other.connect();
  await other.subscribe({ topics: [s.topic] });
  const joined = new Promise((resolve) => other.on(other.events.GROUP_JOIN, resolve));
  await other.run({ autoCommit: false, eachBatch: () => Promise.resolve() });
  await joined;
  const ours = s.join();
  assert.equal((await ours.end()).code, 69);
  await other.disconnect();
  assert.match(
    ours.said,
    /cannot stay in group "group-other-.*": INCONSISTENT_GROUP_PROTOCOL \(23\): The group member's/,
  );
});

Deno.test("members that come, go, freeze, stall and die at random lose nothing", async () => {
  await using s = await scene("group-chaos");
  let seed = Number(Deno.env.get("GPDB_KAFKA_TEST_SEED") ?? 16);
  const random = (n: number) => {
    seed = Math.imul(seed, 1103515245) + 12345 >>> 0;
    return (seed >>> 16) % n;
  };
  // So much that a member whose stdout nobody reads is full in no time.
  s.feed.run(500, 50);
  const forever = ["--until", "forever"];
  const members = [s.join(...forever), s.join(...forever)];
  const events = {
    join: () => members.push(s.join(...forever)),
    end: (member: Member) => member.kill("SIGTERM"),
    kill: (member: Member) => member.kill("SIGKILL"),
    freeze: (member: Member) => {
      member.child.kill("SIGSTOP");
      setTimeout(() => member.ended || member.child.kill("SIGCONT"), 11_000);
    },
    // Its partitions go to others before its rows can be written, and those never are.
    stall: (member: Member) => {
      member.block();
      setTimeout(() => member.kill("SIGKILL"), 7000);
    },
  };
  const told: (keyof typeof events)[] = [];
  for (let event = 0; event < 8; event++) {
    await sleep(200 + random(1000));
    const alive = members.filter(({ ended }) => !ended);
    const possible = (["join", "join", "stall", "end", "kill", "freeze"] as const)
      .slice(alive.length > 4 ? 2 : 0, alive.length < 2 ? 3 : 6);
    const what = possible[random(possible.length)];
    told.push(what);
    await events[what](alive[random(alive.length)]);
  }
  await s.feed.stop();
  members.push(s.join(...forever));
  const all = `every row, after ${told.join(", ")}`;
  await until(all, 30_000, () => s.seen.has(s.feed.rows));
  for (const member of members) await member.kill("SIGTERM");
  const rest = s.join();
  assert.equal((await rest.end()).code, 0, rest.said);
  assert.ok(await allCommitted(s.broker, s.topic));
});

async function killed(): Promise<void> {
  await using s = await scene("group-kill");
  s.feed.run(25, 50);
  const members = [1, 2, 3].map(() => s.join("--until", "forever"));
  await until("all read", 15_000, () => members.every(({ rows }) => rows > 0));
  await members[0].kill("SIGKILL");
  await sleep(300);
  members.push(s.join("--until", "forever"));
  await until("the new one reads", 15_000, () => members[3].rows > 0);
  await s.feed.stop();
  await until("every row", 15_000, () => s.seen.has(s.feed.rows));
  await until("all is committed", 10_000, () => allCommitted(s.broker, s.topic));
  for (const member of members.slice(1)) assert.equal((await member.kill("SIGTERM")).code, 143);
  assert.ok(s.seen.slowest < 15_000, `${s.seen.slowest} ms`);
}

async function blocked(): Promise<void> {
  await using s = await scene("group-blocked");
  await s.feed.write(3000);
  const blocked = s.join();
  const go = blocked.block();
  await until("it has joined", 10_000, () => blocked.generations > 0);
  await sleep(10_500); // Longer than its session.
  assert.equal(blocked.generations, 1);
  const other = s.join();
  const took = await until("the other one reads", 15_000, () => other.rows > 0);
  assert.ok(took > 1000 && took < 10_000, `${took} ms`);
  go();
  assert.equal((await blocked.end()).code, 0, blocked.said);
  assert.equal((await other.end()).code, 0, other.said);
  assert.ok(s.seen.has(s.feed.rows));
  assert.ok(await allCommitted(s.broker, s.topic));
}

// Side by side: most of their time is a dead member's session.
Deno.test("no member hangs", async (t) => {
  const sanitizers = { sanitizeOps: false, sanitizeResources: false, sanitizeExit: false };
  await Promise.all([
    t.step({
      ...sanitizers,
      name: "of three one is killed, and one joins: every row comes",
      fn: killed,
    }),
    t.step({
      ...sanitizers,
      name: "a member with a blocked stdout stays, and delays others only for a while",
      fn: blocked,
    }),
  ]);
});
