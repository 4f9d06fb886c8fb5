import assert from "node:assert/strict";
import { gpdbKafka, text } from "../support/cli.ts";

const files = new URL("../unit/greenplum/gpss/", import.meta.url).pathname;

async function withFile(content: string, use: (path: string) => Promise<void>): Promise<void> {
  const path = await Deno.makeTempFile({ suffix: ".yaml" });
  try {
    await Deno.writeTextFile(path, content);
    await use(path);
  } finally {
    await Deno.remove(path);
  }
}

Deno.test("sql: a load file of Greenplum Streaming Server prints the DDL of its flags", async () => {
  const from = await gpdbKafka(["sql", "source", "--from-gpss", `${files}csv_v2.yaml`]);
  const flags = await gpdbKafka([
    ...["sql", "source", "expenses_by_month", "--topic", "expenses", "-b", "localhost:9092"],
    ...["--table", '"Data".expenses_by_month', "--on-lost", "latest", "-c", "1000", "-g", "etl"],
    ...["--column", "customer_id:int", "--column", "amount_paid:decimal(9,2)"],
    ...["--column", "month:char(2)", "--isolation", "read_uncommitted"],
  ]);
  assert.deepEqual([from.code, flags.code, flags.stderr], [0, 0, ""]);
  assert.equal(text(from.stdout), text(flags.stdout));
  const lines = from.stderr.trim().split("\n");
  assert.equal(lines.length, 7, from.stderr);
  for (const line of lines) assert.match(line, /^--from-gpss: [A-Z_.]+(, [A-Z]+)*: /);

  const merge = await gpdbKafka(["sql", "source", "cdc", "--from-gpss", `${files}cdc_v2.yaml`]);
  const same = await gpdbKafka([
    ...["sql", "source", "cdc", "--topic", "ogg-cdc", "--table", "public.ogg_cdc"],
    ...[
      "-b",
      "kafkahost:9092",
      "--value",
      "json",
      "--fields",
      "c1:json=., ts:timestamp=current_ts",
    ],
    ...["--columns", "kafka_partition=partition,kafka_offset=offset,k=key", "--merge", "id"],
    ...["--select", `id=(c1->'after'->>'ID')::integer`],
    ...["--select", `name=CASE WHEN c1->'after' IS NOT NULL THEN c1->'after'->>'NAME' END`],
    ...["--select", `place=kafka_partition::text || ':' || (kafka_offset::text)`],
    ...["--select", `number=("k"::int)`, "--merge-order", "ts"],
    ...["--delete-when", "c1->>'op_type' = 'D'"],
  ]);
  assert.deepEqual([merge.code, same.code], [0, 0], merge.stderr + same.stderr);
  assert.equal(text(merge.stdout), text(same.stdout));
  assert.ok(!(merge.stderr + text(merge.stdout)).includes("hunter2"));
});

Deno.test("sql: flags override what a load file says; its name is the table's", async () => {
  const run = await gpdbKafka([
    ...[
      "sql",
      "source",
      "--from-gpss",
      `${files}sensor_v2.yaml`,
      "-b",
      "k1:1",
      "--where",
      "-1 < 0",
    ],
    ...["--config", "/etc/kafka.properties", "-v"],
  ]);
  assert.equal(run.code, 0, run.stderr);
  const sql = text(run.stdout);
  assert.match(sql, /name := 'vehicles_sensor_data',\n {2}topic := 'sensor'/);
  assert.match(sql, /--config \/etc\/kafka\.properties --brokers k1:1 --topic sensor/);
  assert.match(sql, /filter := '-1 < 0'/);
  assert.match(run.stderr, /^--from-gpss: the same as "--topic=sensor" "--table=public\./m);
});

Deno.test("sql: what a load file has that cannot be carried over is status 64, and named", async () => {
  const base = await Deno.readTextFile(`${files}sensor_v2.yaml`);
  const cases: [string, RegExp[]][] = [
    [base.replace("VERSION: 2", "VERSION: 9"), [
      /: cannot read --from-gpss ".*": VERSION is "9" — only 2 and 3 are known$/,
    ]],
    [base.replace("TABLE:", "MODE: UPDATE\n    TABLE:"), [
      /--from-gpss: KAFKA\.OUTPUT\.MODE: update changes only rows that exist — /,
    ]],
    [
      base.replace("TOPIC:", "PARTITIONS: (1, 2)\n      TOPIC:").replace(
        "FORMAT: json",
        "FORMAT: jsonl",
      ),
      [
        /SOURCE\.PARTITIONS: a source reads all/,
        /VALUE: a record is one row/,
        /2 settings cannot be carried over — see the lines above$/,
      ],
    ],
    ["password: hunter2\n  x: [", [
      /: --from-gpss: ".*" is not YAML: [A-Z_]+ at line \d+, column \d+$/,
    ]],
    ["a: 1\na: hunter2\n", [/is not YAML: DUPLICATE_KEY at line 2, column 1$/]],
    ["--- 1\n--- 2\n", [/is not YAML: MULTIPLE_DOCS/]],
    ["", [/VERSION is 1 \(the default\) — bring the file to version 2 or 3/]],
    ["- 1\n", [/the file is not a map of settings$/]],
    [
      `a: &a [x, x, x, x, x, x, x, x, x, x]\n${
        [..."bcdefgh"].map((c, i) =>
          `${c}: &${c} [${Array(10).fill(`*${"abcdefg"[i]}`).join(", ")}]\n`
        ).join("")
      }`,
      [/has too many aliases$/],
    ],
  ];
  for (const [content, expected] of cases) {
    await withFile(content, async (path) => {
      const run = await gpdbKafka(["sql", "source", "--from-gpss", path]);
      assert.deepEqual([run.code, run.stdout.length], [64, 0], run.stderr);
      const lines = run.stderr.trim().split("\n").filter((line) =>
        !/HOST|ERROR_LIMIT|COMMIT|mapping/.test(line)
      );
      assert.equal(lines.length, expected.length, run.stderr);
      for (const [i, pattern] of expected.entries()) assert.match(lines[i], pattern);
      assert.ok(!run.stderr.includes("hunter2"));
    });
  }
  const none = await gpdbKafka(["sql", "source", "x", "--from-gpss", "/none.yaml"]);
  assert.equal(none.code, 64);
  assert.match(
    none.stderr,
    /--from-gpss: cannot read "\/none\.yaml": No such file or directory\n$/,
  );
  const schema = await gpdbKafka(["sql", "schema", "--from-gpss", "/none.yaml"]);
  assert.match(schema.stderr, /--from-gpss is a flag of source, not of schema\n$/);
});
