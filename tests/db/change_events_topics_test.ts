/** Change events of several topics that come into one table. */
import assert from "node:assert/strict";
import { ABSENT, event } from "../support/change_events.ts";
import { gpdbKafka, text } from "../support/cli.ts";
import { createTopic, produce } from "../support/kafka.ts";
import { dialect, ownServer, runScript } from "../support/load.ts";
import { loadCounts } from "../support/load_shaped.ts";
import { startWorld } from "../support/load_world.ts";

Deno.test({
  name:
    "change events: of several topics, each event is named with its topic, and how to go past it",
  ignore: !ownServer,
  async fn() {
    await using world = await startWorld();
    const { broker, topic, sql, dsn } = world;
    const other = `${topic}-b`;
    await createTopic(broker, other, { partitions: 1 });
    await sql`CREATE TABLE orders (topic text, id int, name text, note text, PRIMARY KEY (topic, id))`;
    const run = await gpdbKafka([
      ...["sql", "source", "orders", "--for", dialect, "--topics", `${topic},${other}`],
      ...["--dsn", dsn, "-b", broker.bootstrap, "--value", "json", "--envelope", "debezium"],
      ...["--columns", "topic", "--fields", "id, name, note", "--merge", "topic,id"],
    ]);
    assert.equal(run.code, 0, run.stderr);
    await runScript({ sql }, text(run.stdout));
    const update = event("u", { id: 1, name: "b", note: ABSENT });
    await produce(broker, topic, [event("c", { id: 1, name: "a", note: "of the first" })]);
    await produce(broker, other, [event("c", { id: 1, name: "a", note: "of the other" }), update]);
    await loadCounts(world, "orders");
    await produce(broker, topic, [update]);
    await loadCounts(world, "orders");
    const rows = await sql`SELECT name || ' ' || note AS row FROM orders ORDER BY topic`;
    assert.deepEqual(rows.map(({ row }) => row), ["b of the first", "b of the other"]);
    const lost = event("u", { id: 2, name: "b", note: ABSENT });
    const truncated = { value: '{"before":null,"after":null,"op":"t","ts_ms":1}' };
    for (
      const [record, why] of [[lost, 'column "note" lacks'], [truncated, "was truncated"]] as const
    ) {
      const [{ at }] = await sql`
        SELECT next_offset::int AS at FROM kafka.load_offset WHERE topic = ${other}`;
      await produce(broker, other, [record]);
      await assert.rejects(loadCounts(world, "orders"), (error: Error & { hint: string }) => {
        const place = `topic "${other}" partition 0 offset ${at}: `;
        assert.ok(error.message.includes(place) && error.message.includes(why), error.message);
        assert.ok(error.hint.includes(`'${other}:0:${at + 1}'`), error.hint);
        return true;
      });
      await sql`SELECT kafka.seek('orders', ${`${other}:0:${at + 1}`})`;
    }
    assert.equal((await loadCounts(world, "orders")).rows, 0);
  },
});
