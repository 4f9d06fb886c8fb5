import assert from "node:assert/strict";
import { parse } from "yaml";
import { Failure } from "../../../lib/failure.ts";
import { gpssFlags } from "../../../lib/greenplum/gpss.ts";

const folder = new URL("gpss/", import.meta.url);

/** The flags of a load file beside this one, two words a line. */
async function flagsOf(name: string) {
  return gpssFlags(parse(await Deno.readTextFile(new URL(name, folder))));
}

function pairs(flags: readonly string[]): string[] {
  return flags.flatMap((word, i) => i % 2 === 0 ? [`${word} ${flags[i + 1]}`] : []);
}

Deno.test("gpss: JSON with expressions: a field, and an expression for each column", async () => {
  const { name, flags, notes, blocked } = await flagsOf("sensor_v2.yaml");
  assert.equal(name, "vehicles_sensor_data");
  assert.deepEqual(pairs(flags), [
    "--topic sensor",
    "--table public.vehicles_sensor_data",
    "--brokers kafkahost:9092,other:9093",
    "--value field",
    "--fields data:json",
    `--select "device"=data->>'device'`,
    `--select "humidity"=(data->>'humidity')::float`,
    `--select "time"=(data->>'time')::timestamp`,
    "--where (data->>'humidity')::float > 0",
    "--reject-limit 25%",
  ]);
  assert.deepEqual(notes, [
    "mapping: a column of the table that is called data would be loaded, too — rename it in the file if the table has it",
    "KAFKA.INPUT.ERROR_LIMIT: --reject-limit counts the rows of one segment in one load",
    "KAFKA.COMMIT.MINIMAL_INTERVAL: of the load command — gpdb-kafka load SOURCE --every 2000ms",
    "HOST, PORT, USER, DATABASE: of the commands that connect — --dsn postgres://user@mdw:5432/test",
  ]);
  assert.deepEqual(blocked, []);
});

Deno.test("gpss: columns that are only named are the reader's own, and rows are inserted as they come", async () => {
  const { flags, blocked } = await flagsOf("csv_v2.yaml");
  assert.deepEqual(pairs(flags), [
    "--topic expenses",
    '--table "Data".expenses_by_month',
    "--brokers localhost:9092",
    "--on-lost latest",
    "--column customer_id:int",
    "--column amount_paid:decimal(9,2)",
    "--column month:char(2)",
    "--max-records 1000",
    "--isolation read_uncommitted",
    "--group etl",
  ]);
  assert.deepEqual(blocked, []);
});

Deno.test("gpss: a merge with an order, a delete condition and metadata", async () => {
  const { flags, notes, blocked } = await flagsOf("cdc_v2.yaml");
  assert.deepEqual(blocked, []);
  assert.deepEqual(pairs(flags), [
    "--topic ogg-cdc",
    "--table public.ogg_cdc",
    "--brokers kafkahost:9092",
    "--value json",
    "--columns kafka_partition=partition,kafka_offset=offset,k=key",
    "--fields c1:json=., ts:timestamp=current_ts",
    "--merge-order ts",
    `--select "id"=(c1->'after'->>'ID')::integer`,
    `--select "name"=CASE WHEN c1->'after' IS NOT NULL THEN c1->'after'->>'NAME' END`,
    `--select "place"=kafka_partition::text || ':' || (kafka_offset::text)`,
    `--select "number"=("k"::int)`,
    `--delete-when c1->>'op_type' = 'D'`,
    "--merge id",
  ]);
  assert.ok(
    notes.some((note) =>
      note.startsWith("KAFKA.PROPERTIES: put security.protocol, sasl.password into")
    ),
  );
  assert.ok(!notes.join().includes("hunter2"));
  assert.ok(notes.some((note) => /^PASSWORD: not carried over/.test(note)));
});

Deno.test("gpss: version 3, Avro with a registry, merge", async () => {
  const { name, flags, notes, blocked } = await flagsOf("orders_v3.yaml");
  assert.equal(name, "orders");
  assert.deepEqual(blocked, []);
  assert.deepEqual(pairs(flags), [
    "--topic orders",
    "--table shop.orders",
    "--brokers broker1:9092,broker2:9092",
    "--on-lost earliest",
    "--value avro",
    "--registry http://registry:8081",
    "--fields c:json=.",
    `--select "id"=(c->>'id')::bigint`,
    `--select "amount"=(c->>'amount')::numeric`,
    "--where c->>'status' <> 'TEST'",
    `--delete-when ((c->>'amount')::numeric) < 0`,
    "--reject-limit 10",
    "--merge id",
    "--max-records 5000",
    "--fallback latest",
  ]);
  const expected = [
    /^targets\.gpdb\.work_schema: nothing is made there/,
    /^option\.schedule: of the load command/,
    /^option\.alert: alerts are made of metrics/,
    /^sources\.kafka\.save_failing_batch: /,
    /^sources\.kafka\.task\.window_statement: run it after kafka\.load/,
    /^sources\.kafka\.task\.batch_size\.interval_ms: .* --every 2000ms/,
    /^sources\.kafka\.value_content\.avro\.SCHEMA_CA_ON_GPDB: in the file of --config, as schema\.registry\.ssl\.ca\.location/,
    /^consistency "at-least": loads here are always exactly once/,
  ];
  for (const line of expected) {
    assert.ok(notes.some((note) => line.test(note)), `${line}: ${notes.join("\n")}`);
  }
});

/** A small file of version 2; `change` makes it one of the cases. */
function job(change: (kafka: Record<string, Record<string, unknown>>) => void): unknown {
  const kafka = {
    INPUT: {
      SOURCE: { BROKERS: "b", TOPIC: "t" },
      VALUE: { COLUMNS: [{ NAME: "c1", TYPE: "json" }], FORMAT: "json" } as Record<string, unknown>,
    } as Record<string, unknown>,
    OUTPUT: { TABLE: "t", MAPPING: [{ NAME: "a", EXPRESSION: "c1->>'a'" }] } as Record<
      string,
      unknown
    >,
  };
  change(kafka);
  return { VERSION: 2, KAFKA: kafka };
}

Deno.test("gpss: what would load other rows is named, with what to do, and blocks", () => {
  const cases: [(kafka: Record<string, Record<string, unknown>>) => void, RegExp][] = [
    [
      ({ INPUT }) => (INPUT.SOURCE as Record<string, unknown>).PARTITIONS = "(1, 2...4)",
      /^KAFKA\.INPUT\.SOURCE\.PARTITIONS: a source reads all/,
    ],
    [
      ({ INPUT }) => (INPUT.SOURCE as Record<string, unknown>).FALLBACK_OFFSET = "here",
      /FALLBACK_OFFSET: "here" is not/,
    ],
    [
      ({ INPUT }) => INPUT.VALUE = { COLUMNS: [{ NAME: "a", TYPE: "json" }], FORMAT: "jsonl" },
      /^KAFKA\.INPUT\.VALUE: a record is one row/,
    ],
    [
      ({ INPUT }) =>
        INPUT.VALUE = {
          COLUMNS: [{ NAME: "a", TYPE: "int" }, { NAME: "b", TYPE: "int" }],
          FORMAT: "delimited",
          DELIMITED_OPTION: { DELIMITER: "|" },
        },
      /DELIMITED_OPTION\.DELIMITER: only CSV is taken apart/,
    ],
    [
      ({ INPUT }) =>
        INPUT.VALUE = {
          COLUMNS: [{ NAME: "a", TYPE: "int" }],
          FORMAT: "csv",
          CSV_OPTION: { DELIMITER: "|" },
        },
      /CSV_OPTION\.DELIMITER: "\|" — /,
    ],
    [
      ({ INPUT }) =>
        INPUT.VALUE = {
          COLUMNS: [{ NAME: "a", TYPE: "int" }],
          FORMAT: "csv",
          CSV_OPTION: { NULL_STRING: "NULL" },
        },
      /CSV_OPTION\.NULL_STRING: "NULL" — /,
    ],
    [
      ({ INPUT }) =>
        INPUT.VALUE = {
          COLUMNS: [{ NAME: "a", TYPE: "int" }],
          FORMAT: "custom",
          CUSTOM_OPTION: { NAME: "f", PARAMSTR: "x" },
        },
      /the formatter custom is not known/,
    ],
    [({ INPUT }) => delete INPUT.VALUE, /no column is read of it/],
    [
      ({ INPUT }) => INPUT.META = { COLUMNS: [{ NAME: "meta", TYPE: "json" }], FORMAT: "json" },
      /^$/,
    ],
    [({ INPUT, OUTPUT }) => {
      INPUT.META = { COLUMNS: [{ NAME: "meta", TYPE: "json" }], FORMAT: "json" };
      OUTPUT.MAPPING = { a: "meta" };
    }, /^meta in "meta": of the metadata only topic, partition and offset/],
    [({ INPUT }) => INPUT.ERROR_LIMIT = "some", /ERROR_LIMIT: "some" is not/],
    [
      ({ INPUT }) => INPUT.TRANSFORMER = { PATH: "x" },
      /^KAFKA\.INPUT\.TRANSFORMER: code of GPSS cannot run here/,
    ],
    [({ INPUT }) => INPUT.SOURCE2 = 1, /^KAFKA\.INPUT\.SOURCE2: not a setting that is known here/],
    [
      ({ OUTPUT }) => OUTPUT.MODE = "UPDATE",
      /^KAFKA\.OUTPUT\.MODE: update changes only rows that exist/,
    ],
    [({ OUTPUT }) => OUTPUT.MODE = "MERGE", /match_columns: missing/],
    [
      ({ OUTPUT }) =>
        Object.assign(OUTPUT, { MODE: "MERGE", MATCH_COLUMNS: ["a"], UPDATE_CONDITION: "x" }),
      /UPDATE_CONDITION: a merge here replaces every row/,
    ],
    [
      ({ OUTPUT }) =>
        Object.assign(OUTPUT, { MODE: "MERGE", MATCH_COLUMNS: ["a"], ORDER_COLUMNS: ["x", "y"] }),
      /ORDER_COLUMNS: x, y — --merge-order accepts one field/,
    ],
    [
      ({ OUTPUT }) =>
        Object.assign(OUTPUT, {
          MODE: "MERGE",
          MATCH_COLUMNS: ["a"],
          ORDER_COLUMNS: ["b"],
          MAPPING: { a: "c1", b: "now()" },
        }),
      /ORDER_COLUMNS: b is computed/,
    ],
    [
      ({ OUTPUT }) =>
        Object.assign(OUTPUT, {
          MODE: "MERGE",
          MATCH_COLUMNS: ["a"],
          UPDATE_COLUMNS: ["b"],
          MAPPING: { a: "c1", b: "1", c: "2" },
        }),
      /UPDATE_COLUMNS: a merge here replaces the whole row, c too/,
    ],
    [
      ({ OUTPUT }) =>
        Object.assign(OUTPUT, {
          MODE: "MERGE",
          MATCH_COLUMNS: ["a"],
          DELETE_CONDITION: "into_table.a = 1",
        }),
      /DELETE_CONDITION: it asks what is in the table/,
    ],
    [({ OUTPUT }) => OUTPUT.FILTER = "a > 1", /OUTPUT\.FILTER: a filter of mapped rows/],
  ];
  for (const [change, line] of cases) {
    const { blocked } = gpssFlags(job(change));
    if (line.source === "^$") assert.deepEqual(blocked, []);
    else assert.ok(blocked.some((text) => line.test(text)), `${line}: ${blocked.join("\n")}`);
    for (const text of blocked) assert.match(text, / — /);
  }
});

Deno.test("gpss: another version, another source and what is not a load file are one clear line", () => {
  const cases: [unknown, RegExp][] = [
    [{ VERSION: 7 }, /^cannot read the load file: VERSION is "7" — only 2 and 3 are known$/],
    [{ version: "v4" }, /^cannot read the load file: VERSION is "v4" — /],
    [
      { VERSION: 1 },
      /^cannot read the load file: VERSION is 1 \(the default\) — bring the file to version 2/,
    ],
    [{ DATABASE: "x", KAFKA: {} }, /^cannot read the load file: VERSION is 1 \(the default\)/],
    [{ VERSION: 2, FILE: {} }, /^cannot read the load file: KAFKA is missing — only Kafka is read/],
    [{
      version: "v3",
      targets: [{ gpdb: { tables: [{ table: "a" }] } }],
      sources: [{ rabbitmq: {} }],
    }, /sources has no kafka/],
    [{
      version: "v3",
      targets: [{ gpdb: { tables: [{ table: "a" }, { table: "b" }] } }],
      sources: [{ kafka: {} }],
    }, /targets\.gpdb\.tables has 2 items — make a file/],
    [{ version: "v3", sources: [] }, /^cannot read the load file: targets is missing$/],
    [
      job(({ OUTPUT }) => delete OUTPUT.TABLE),
      /^cannot read the load file: KAFKA\.OUTPUT\.table is missing$/,
    ],
    [
      job(({ INPUT }) => INPUT.SOURCE = null as unknown as Record<string, unknown>),
      /SOURCE\.topic is missing/,
    ],
    [
      job(({ INPUT }) => INPUT.VALUE = ["x"] as unknown as Record<string, unknown>),
      /KAFKA\.INPUT\.VALUE is not a map/,
    ],
    [job(({ OUTPUT }) => OUTPUT.MAPPING = [{ NAME: "a" }]), /./],
    [[1, 2], /^cannot read the load file: the file is not a map of settings$/],
    ["text", /^cannot read the load file: the file is not a map of settings$/],
    [null, /^cannot read the load file: VERSION is 1/],
  ];
  for (const [document, line] of cases) {
    try {
      gpssFlags(document);
      assert.equal(line.source, ".", JSON.stringify(document));
    } catch (error) {
      assert.ok(error instanceof Failure && error.kind === "usage", String(error));
      assert.match(error.message, line);
    }
  }
});

Deno.test("gpss: whatever a load file is bent to, it is flags or one line", async () => {
  const text = await Deno.readTextFile(new URL("cdc_v2.yaml", folder));
  const lines = text.split("\n");
  for (let i = 0; i < lines.length; i++) {
    for (
      const bent of [
        lines.filter((_, j) => j !== i),
        lines.map((line, j) => j === i ? line.replace(/: .*/, ": [1, {a: b}]") : line),
        lines.map((line, j) => j === i ? line.replace(/:.*/, ":") : line),
      ]
    ) {
      let document: unknown;
      try {
        document = parse(bent.join("\n"));
      } catch {
        continue; // not YAML
      }
      try {
        gpssFlags(document);
      } catch (error) {
        assert.ok(error instanceof Failure, `${bent.join("\n")}\n${error}`);
      }
    }
  }
});
