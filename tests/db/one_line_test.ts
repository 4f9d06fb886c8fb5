import assert from "node:assert/strict";
import { quoteLiteral } from "../../lib/greenplum/quote.ts";
import { groupOffsets, produce } from "../support/kafka.ts";
import { dialect, load, ownServer } from "../support/load.ts";
import { startWorld, things, type World } from "../support/load_world.ts";

/** Makes the source again with a reader and a planner of these commands. */
async function addBy({ sql, topic }: World, reader: string, planner: string): Promise<void> {
  const names = dialect === "greenplum" ? ["kafka.my_reader", "kafka.my_planner"] : null;
  if (names !== null) {
    const create = (table: string, columns: string, command: string, place: string) => `
      DROP EXTERNAL TABLE IF EXISTS ${table};
      CREATE EXTERNAL WEB TABLE ${table} ${columns} EXECUTE ${quoteLiteral(command)} ON ${place}
      FORMAT 'CSV' (DELIMITER ',' NULL '' NEWLINE 'LF') ENCODING 'UTF8';`;
    await sql.unsafe(
      create(names[0], "(LIKE things)", `${reader} --ranges-from-query`, "ALL") +
        create(
          names[1],
          "(topic text, partition_no int, earliest bigint, end_offset bigint, at_offset bigint, " +
            "cluster_id text, topic_id text, leader_epoch int, epoch_end bigint)",
          `${planner} --from-query`,
          "SEGMENT 0",
        ),
    );
  }
  await sql`SELECT kafka.add_source('things', ${topic}, 'things', ${names?.[0] ?? reader},
    ${names?.[1] ?? planner}, 'my-group')`;
}

Deno.test({
  name: "load: a command of more than one line is rejected, before the shell runs half of it",
  ignore: !ownServer,
  async fn() {
    await using world = await startWorld();
    const { broker, topic } = world;
    await produce(broker, topic, things("a"));
    const flags = `--brokers ${broker.bootstrap} --topic ${topic}`;
    const reader = `$HOME/kafka_consumer ${flags}`;
    const planner = `$HOME/kafka_consumer plan ${flags} --log-identity`;
    const group = `${topic}-group`;
    for (
      const [one, other] of [
        [`${reader} --group ${group}\n `, planner],
        [`${reader} --group ${group}\r`, planner],
        [reader, `${planner}\n`],
      ]
    ) {
      await assert.rejects(
        addBy(world, one, other),
        /cannot use source "things": .* more than one line — write it in one line/,
      );
    }
    await addBy(world, reader, planner);
    // One that was there before it was refused.
    if (dialect === "postgres") {
      await world.sql`UPDATE kafka.source SET reader = ${`${reader} --group ${group}\n `}`;
      await assert.rejects(load(world, "things"), /more than one line/);
      await world.sql`UPDATE kafka.source SET reader = ${reader}`;
    }
    assert.equal((await groupOffsets(broker, group, topic)).get(0), -1n);
    assert.equal((await load(world, "things")).rows, 1);
    assert.equal(await world.names(), "a");
  },
});
