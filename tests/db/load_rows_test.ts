import assert from "node:assert/strict";
import { produce } from "../support/kafka.ts";
import { ownServer } from "../support/load.ts";
import { startWorld } from "../support/load_world.ts";

Deno.test({
  name: "load: records of several rows each are loaded whole, and rows are counted",
  ignore: !ownServer,
  async fn() {
    await using world = await startWorld();
    const { broker, sql, topic } = world;
    await world.add({ readerFlags: ["--value", "rows", "--csv", "delimiter=;,null=\\N"] });
    await produce(broker, topic, [{ value: '1;a\n2;b\r\n3;"c\nd"\n' }, { value: "4;e" }]);
    const load = async () => {
      const [row] = await sql`SELECT rows::int, records::int FROM kafka.load('things')`;
      return { ...row };
    };
    assert.deepEqual(await load(), { rows: 4, records: 2 });
    assert.deepEqual(await load(), { rows: 0, records: 0 });
    // A record with one bad row loads nothing, nor do those beside it.
    await produce(broker, topic, [{ value: "5;f" }, { value: "6;g\n\n7;h" }]);
    const error = await load().then(() => null, (error) => error);
    assert.ok(error !== null);
    assert.match(await world.told(error), /offset 3: the value holds an empty row/);
    const names = await sql`SELECT name FROM things ORDER BY id`;
    assert.deepEqual(names.map(({ name }) => name), ["a", "b", "c\nd", "e"]);
    const [status] = await sql`
      SELECT rows_loaded::int, offsets_without_row::int AS without FROM kafka.status`;
    assert.deepEqual({ ...status }, { rows_loaded: 4, without: 0 });
  },
});
