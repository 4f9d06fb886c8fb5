import assert from "node:assert/strict";
import { produce } from "../support/kafka.ts";
import { dialect, ownServer } from "../support/load.ts";
import { startWorld, things } from "../support/load_world.ts";

Deno.test({
  name: "load, lag, seek: their answers can be stored in a table",
  ignore: !ownServer,
  async fn() {
    await using world = await startWorld();
    const { broker, sql, topic } = world;
    await world.add();
    await produce(broker, topic, things("a"));
    // On Greenplum these run the function where no table can be read, unless it says otherwise.
    await sql`CREATE TABLE answers AS SELECT * FROM kafka.load('things')`;
    await produce(broker, topic, things("b", "c"));
    await sql`INSERT INTO answers SELECT * FROM kafka.load('things')`;
    await sql`CREATE TABLE lags AS SELECT * FROM kafka.lag`;
    await sql`CREATE TABLE checks AS SELECT * FROM kafka.check_source('things')`;
    await sql`CREATE TABLE moves AS SELECT * FROM kafka.seek('things', 'earliest')`;
    const rows = async (query: string) => (await sql.unsafe(query)).map((row) => ({ ...row }));
    assert.deepEqual(await rows("SELECT rows::int, load_no::int FROM answers ORDER BY load_no"), [
      { rows: 1, load_no: 1 },
      { rows: 2, load_no: 2 },
    ]);
    assert.deepEqual(await rows("SELECT partition_no, lag::int, error FROM lags"), [
      { partition_no: 0, lag: 0, error: null },
    ]);
    assert.deepEqual(await rows("SELECT records::int, reason FROM checks"), [
      { records: 0, reason: "end" },
    ]);
    assert.deepEqual(await rows("SELECT partition_no, next_offset::int FROM moves"), [
      { partition_no: 0, next_offset: 0 },
    ]);
    assert.equal(await world.names(), "a b c");
  },
});

Deno.test({
  name: "load: rows that the reject limit leaves out are counted; its log may be truncated",
  ignore: !ownServer || dialect !== "greenplum",
  async fn() {
    await using world = await startWorld();
    const { broker, sql, topic } = world;
    await world.add({ rejectLimit: "10 ROWS" });
    const rejected = async () => {
      const [row] = await sql`SELECT rows::int, rejected::int FROM kafka.load('things')`;
      return { ...row };
    };
    await produce(broker, topic, [{ value: "1,a" }, { value: "x,b" }, { value: "y,c" }]);
    assert.deepEqual(await rejected(), { rows: 1, rejected: 2 });
    await sql`SELECT gp_truncate_error_log('kafka.things_reader')`;
    await produce(broker, topic, [{ value: "2,d" }, { value: "z,e" }]);
    assert.deepEqual(await rejected(), { rows: 1, rejected: 1 });
    assert.equal(await world.names(), "a d");
  },
});
