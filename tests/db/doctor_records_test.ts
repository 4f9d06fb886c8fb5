import { assertLine, examine } from "../support/doctor.ts";
import { produce } from "../support/kafka.ts";
import { ownServer } from "../support/load.ts";
import { startWorld } from "../support/load_world.ts";
import { closedPort } from "../support/silence.ts";

const ignore = !ownServer;

Deno.test({
  name: "doctor: a source of JSON fields or Avro is examined as its own command reads it",
  ignore,
  async fn() {
    await using world = await startWorld();
    const { sql, broker, topic } = world;
    await sql`CREATE TABLE orders (at bigint, id bigint, name text, amount numeric)`;
    const json = ["--columns", "offset", "--value", "json"];
    const fields = 'id, customer."full name", amount';
    await world.add({
      name: "orders",
      table: "orders",
      readerFlags: [...json, "--fields", fields],
    });
    const order = (id: string, amount: string) =>
      `{"id": ${id}, "customer": {"full name": "O'Hara, \\"x\\""}, "amount": ${amount}}`;
    await produce(broker, topic, [{ value: order("1", "2.50") }, { value: order("2", "null") }]);
    const { lines } = await examine(["--dsn", world.dsn, "--source", "orders"], 0);
    assertLine(lines, /^ok {4}rows: each of the last 2 is one row/);
    assertLine(lines, /^ok {4}paths: each of the 3 paths is in a record/);
    assertLine(lines, /^ok {4}fields: all 2 rows have the 4 fields of public\.orders/);
    assertLine(lines, /^ok {4}types: the database can read all 2/);
    await produce(broker, topic, [{ value: order('"x"', "3") }]);
    const { lines: misfit } = await examine(["--dsn", world.dsn, "--source", "orders"], 1);
    assertLine(misfit, /^fail {2}types: 1 of 3 rows do not fit: partition 0 offset 2: column id/);

    const url = `http://127.0.0.1:${closedPort()}`;
    const avro = ["--value", "avro", "--registry", url, "--fields", "at,id,name,amount"];
    await world.add({ name: "orders", table: "orders", readerFlags: avro });
    const { lines: down } = await examine([
      "--dsn",
      world.dsn,
      "--source",
      "orders",
      "--timeout",
      "5s",
    ], 1);
    assertLine(down, /^fail {2}registry: .* does not answer: Connection refused/);
    assertLine(down, /^skip {2}types: needs fields/);
  },
});
