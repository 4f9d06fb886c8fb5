import assert from "node:assert/strict";
import { join } from "node:path";
import { startBroker } from "../../scripts/servers/broker.ts";
import { gpdbKafka, text } from "../support/cli.ts";
import { createTopic, produce, uniqueName } from "../support/kafka.ts";
import { ScriptedRegistry, subjectsOf } from "../support/registry.ts";
import { record } from "../unit/records/avro_encode.ts";

const table = (...args: string[]) => gpdbKafka(["sql", "table", ...args]);

/** Files for --schema, and what `table` says of them. */
async function withFiles(
  files: Record<string, string>,
  use: (path: (name: string) => string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    for (const [name, text] of Object.entries(files)) {
      await Deno.writeTextFile(join(folder, name), text);
    }
    await use((name) => join(folder, name));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function fails(args: string[], message: RegExp, code = 64): Promise<void> {
  const run = await table(...args);
  assert.equal(run.code, code, `${args.join(" ")}: ${run.stderr}`);
  assert.match(run.stderr, message);
  assert.equal(run.stderr.split("\n").length, 2, run.stderr);
  assert.equal(run.stdout.length, 0);
}

const ORDER = JSON.stringify(
  record("Order", { id: "long", customer: record("Customer", { name: "string" }) }),
);

Deno.test("sql table: on Greenplum rows are distributed by the key, or as it is said, or randomly", async () => {
  await withFiles({ "order.avsc": ORDER }, async (path) => {
    const of = async (...more: string[]) => {
      const run = await table("orders", "--value", "avro", "--schema", path("order.avsc"), ...more);
      assert.equal(run.code, 0, run.stderr);
      return text(run.stdout);
    };
    const plain = await of();
    assert.match(plain, /\n {2}"customer_name" text NOT NULL\n\)\nDISTRIBUTED RANDOMLY;\n/);
    const keyed = await of("--merge", "id,customer_name", "--table", "shop.Orders");
    assert.match(keyed, /CREATE TABLE "shop"\."orders" \(/);
    assert.match(
      keyed,
      /\n {2}PRIMARY KEY \("id", "customer_name"\)\n\)\nDISTRIBUTED BY \("id", "customer_name"\);/,
    );
    assert.match(
      keyed,
      /\n-- gpdb-kafka sql source orders --table shop\.Orders --value avro --schema \S+ --merge id,customer_name --fields 'id, customer_name=customer\.name' --dsn postgres:\/\/user@host\/database\n$/,
    );
    const part = await of("--merge", "id,customer_name", "--distributed-by", "customer_name");
    assert.match(part, /\nDISTRIBUTED BY \("customer_name"\);/);
    assert.match(await of("--distributed-by", "id"), /\nDISTRIBUTED BY \("id"\);/);
    const postgres = await of("--for", "postgres", "--merge", "id");
    assert.doesNotMatch(postgres, /DISTRIBUTED/);
    assert.match(postgres, /sql source orders --for postgres --value avro/);
  });
});

Deno.test("sql table: invalid arguments are a usage error of one line", async () => {
  const many = JSON.stringify(
    record("Wide", Object.fromEntries(Array.from({ length: 1601 }, (_, i) => [`f${i}`, "int"]))),
  );
  const files = {
    "order.avsc": ORDER,
    "broken.avsc": '{"type": "record"',
    "wide.avsc": many,
    "none.avsc": JSON.stringify(record("None", {})),
    "two.proto": 'syntax = "proto3"; message A { int32 id = 1; } message B { int32 id = 1; }',
    "empty.proto": 'syntax = "proto3"; enum E { X = 0; }',
  };
  await withFiles(files, async (path) => {
    const avro = (name: string, ...more: string[]) => [
      ...["orders", "--value", "avro", "--schema", path(name), ...more],
    ];
    const proto = (name: string, ...more: string[]) => [
      ...["orders", "--value", "protobuf", "--schema", path(name), ...more],
    ];
    const cases: [string[], RegExp][] = [
      [["--value", "json"], /no topic: use gpdb-kafka sql table NAME/],
      [["orders"], /no format: use --value with one of json, avro, protobuf/],
      [["orders", "--value", "row"], /--value: "row" is not one of json, avro, protobuf/],
      [["orders", "more", "--value", "json"], /"more" is one argument too many/],
      [["a b", "--value", "json"], /"a b" cannot be the name of a topic/],
      [["a.b.c", "--value", "json"], /--table: a\.b\.c is not the name of a table/],
      [["x".repeat(64), "--value", "json"], /--table: "x+" is longer than 63 bytes/],
      [["orders", "--value", "json", "--schema", "x"], /--schema: --value json has no schema/],
      [["orders", "--value", "avro"], /--value avro requires --registry URL or --schema FILE/],
      [
        ["orders", "--value", "avro", "--registry", "http://u:secret@r:8081"],
        /--registry: a user or password in the URL would be/,
      ],
      [avro("order.avsc", "--registry", "http://r:8081"), /--registry and --schema exclude each/],
      [avro("order.avsc", "--message", "Order"), /--message is for Protobuf/],
      [avro("order.avsc", "--select", "a=1"), /--select is a flag of source, not of table/],
      [avro("order.avsc", "--merge", "idd"), /no column "idd" — did you mean "id"\?/],
      [avro("order.avsc", "--merge", "id,id"), /--merge: "id" is given twice/],
      [
        avro("order.avsc", "--distributed-by", "nope"),
        /no column "nope" — the columns are id, customer_name/,
      ],
      [
        avro("order.avsc", "--merge", "id", "--distributed-by", "customer_name"),
        /--distributed-by: "customer_name" is not one of --merge/,
      ],
      [
        avro("order.avsc", "--for", "postgres", "--distributed-by", "id"),
        /--distributed-by: PostgreSQL distributes no rows/,
      ],
      [avro("none.avsc", "--distributed-by", "id"), /the table would have no column "id"/],
      [avro("broken.avsc"), /--schema: cannot read broken\.avsc: line 1 is not JSON/],
      [avro("two.proto"), /--schema: two\.proto is not Avro — use --value protobuf/],
      [avro("wide.avsc"), /a table has at most 1600 columns, and there are more fields/],
      [proto("two.proto"), /two\.proto has several messages — use --message NAME with one of A, B/],
      [proto("two.proto", "--message", "C"), /cannot find message C: .* its messages are A, B/],
      [proto("empty.proto"), /empty\.proto has no message/],
    ];
    await Promise.all(cases.map(([args, message]) => fails(args, message)));
  });
  await withFiles(
    { "odd.avsc": JSON.stringify(record("Odd", { "a\nb": "int" })) },
    async (path) => {
      const run = await table("orders", "--value", "avro", "--schema", path("odd.avsc"));
      assert.equal(run.code, 64);
      assert.match(run.stderr, /has no column: .*\n.*no field has a name that one can have\n$/);
    },
  );
  const source = await gpdbKafka(["sql", "source", "orders", "--distributed-by", "id"]);
  assert.equal(source.code, 64);
  assert.match(source.stderr, /--distributed-by is a flag of table, not of source/);
});

Deno.test("sql table: what a registry or a topic lacks is an error of one line", async () => {
  await using broker = await startBroker();
  const topic = uniqueName("table");
  await createTopic(broker, topic, { partitions: 2 });
  await using registry = new ScriptedRegistry(subjectsOf({
    "orders-value": [{ id: 1, schema: ORDER }],
    "broken-value": [{ id: 2, schema: '{"type": "nothing"}' }],
    "shipments-value": [
      {
        ...{ id: 3, schemaType: "PROTOBUF" },
        schema: 'syntax = "proto3"; message A { int32 id = 1; } message B { A a = 1; }',
      },
    ],
  }));
  const url = ["--registry", registry.url];
  await fails(
    ["payments", "--value", "avro", ...url],
    /the registry has no subject "payments-value" — check the topic and the URL, or use --schema/,
  );
  await fails(
    ["orders", "--value", "protobuf", ...url],
    /version 1 of subject "orders-value" is avro, not protobuf — use --value avro/,
  );
  await fails(["broken", "--value", "avro", ...url], /version 1 of subject "broken-value": \$/);
  await fails(
    ["shipments", "--value", "protobuf", ...url, "--message", "C"],
    /version 1 of subject "shipments-value": cannot find message C: .* its messages are A, B/,
  );
  // The one that no other has as a field, or the one that is named.
  for (const [more, name] of [[[], "a_id"], [["--message", "A"], "id"]] as const) {
    const run = await table("shipments", "--value", "protobuf", ...url, ...more);
    assert.match(text(run.stdout), new RegExp(`\\(\\n {2}"${name}" integer`));
    assert.doesNotMatch(text(run.stdout), /--message/);
  }
  const port = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const gone = `127.0.0.1:${(port.addr as Deno.NetAddr).port}`;
  port.close();
  await fails(
    ["orders", "--value", "avro", "--registry", `http://${gone}`, "--timeout", "1s"],
    /cannot list the versions of subject "orders-value": .* does not answer/,
    69,
  );
  await fails(
    ["orders", "--value", "json", "-b", gone, "--timeout", "1s"],
    /cannot connect to .*: Connection refused/,
    69,
  );
  const json = ["--value", "json", "-b", broker.bootstrap];
  await fails(
    [`${topic}x`, ...json],
    new RegExp(`topic "${topic}x": .* did you mean "${topic}"`),
    69,
  );
  const none = new RegExp(`cannot make a table from the records of topic "${topic}": it has none`);
  await fails([topic, ...json], none);
  await produce(broker, topic, [{ value: null }]);
  await fails([topic, ...json], none);
  await produce(broker, topic, [{ value: "not JSON" }, { value: "{" }], 1);
  await fails([topic, ...json], /none of the last 2 is JSON: topic .* partition 1 offset 0: /, 65);
  await produce(broker, topic, [{
    value: '{"a\\nb": 1, "it": {"x;\\r--": 1, "is": "\\ud83d\\ude00"}}',
  }]);
  const run = await table(topic, ...json);
  assert.equal(run.code, 0, run.stderr);
  assert.match(text(run.stdout), /\(\n {2}"it_is" text\n\)/);
  const lines = run.stderr.trimEnd().split("\n");
  assert.deepEqual(lines.map((line) => line.replace(/: topic.*/, "")), [
    "2 of the last 3 records are not JSON",
    'field "a\\nb" has no column: its name has control characters',
    'field "x;\\r--" has no column: its name has control characters',
  ]);
});
