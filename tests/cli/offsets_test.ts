import assert from "node:assert/strict";
import { text } from "../support/cli.ts";
import { createTopic, deleteRecords, uniqueName, withAdmin } from "../support/kafka.ts";
import { installKafka, ownServer, startDatabase } from "../support/load.ts";
import { offsetsScene as scene, write } from "../support/offsets.ts";

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
      /^gpdb-kafka offsets: group ".*" has no stored offsets — check its name\n$/,
    );

    const file = await Deno.makeTempFile();
    await Deno.writeTextFile(file, before);
    // The ZooKeeper lines name the group.
    const whose = format === "rpk" ? ["-g", topic] : [];
    const imported = await s.offsets(["import", file, ...whose]);
    await Deno.remove(file);
    assert.deepEqual([imported.code, imported.stderr], [0, ""]);
    assert.match(text(imported.stdout), /stored 14 offsets of group ".*"\n$/);
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
  assert.match(lines[3], /^dry run: would store 2 offsets of group "rewind-\S+"$/);
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
    await using pg = await startDatabase();
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

Deno.test("offsets: reset to each kind of target, of one partition or all", async () => {
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
  assert.deepEqual(await reset("--to", "@1007000", "-t", topic), [7, 5]); // none at or after it in 1
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

Deno.test("offsets: show prints a group's offsets beside the log's, and its members", async () => {
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
