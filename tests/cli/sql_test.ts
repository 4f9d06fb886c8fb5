import assert from "node:assert/strict";
import { startPostgres } from "../../scripts/servers/postgres.ts";
import { gpdbKafka, text, versionLine } from "../support/cli.ts";
import { runScript } from "../support/load.ts";

Deno.test("gpdb-kafka: help, version, and unknown commands", async () => {
  const help = await gpdbKafka(["--help"]);
  assert.equal(help.code, 0);
  for (const name of ["consume", "load", "sql", "plan"]) {
    assert.match(text(help.stdout), new RegExp(`^  ${name} +\\S`, "m"));
  }
  assert.match(text((await gpdbKafka(["--version"])).stdout), versionLine("gpdb-kafka"));
  const none = await gpdbKafka([]);
  assert.equal(none.code, 64);
  assert.deepEqual([none.stdout.length, none.stderr], [0, text(help.stdout)]);
  const unknown = await gpdbKafka(["toString"]);
  assert.deepEqual([unknown.code, unknown.stdout.length], [64, 0]);
  assert.match(
    unknown.stderr,
    /^gpdb-kafka: unknown command "toString": use consume, .*; see --help\n$/,
  );
});

Deno.test("sql: the schema is one text for any client, for either database", async () => {
  for (const database of ["greenplum", "postgres"]) {
    const run = await gpdbKafka(["sql", "schema", "--for", database]);
    assert.equal(run.code, 0, run.stderr);
    const sql = text(run.stdout);
    assert.match(sql, /^BEGIN;$/m);
    assert.match(sql, /CREATE OR REPLACE FUNCTION kafka\.load\(/);
    assert.match(sql, /\nCOMMIT;\n$/);
    assert.doesNotMatch(sql, /^\\/m);
  }
  assert.match(text((await gpdbKafka(["sql", "schema"])).stdout), /^-- Schema kafka for Greenplum/);
  const example = await gpdbKafka(["sql", "example", "--for", "postgres"]);
  assert.match(text(example.stdout), /CREATE TABLE IF NOT EXISTS crimes/);
});

Deno.test("sql: --via says who reads a topic; what does not fit is rejected in one line", async () => {
  const source = ["sql", "source", "orders", "-b", "k1:9092"];
  const client = await gpdbKafka([
    ...source,
    "--for",
    "postgres",
    "--via",
    "client",
    "--grant",
    "etl",
  ]);
  assert.equal(client.code, 0, client.stderr);
  const sql = text(client.stdout);
  assert.match(sql, /reader := 'kafka_consumer --brokers k1:9092 --topic orders',/);
  assert.match(sql, /via := 'client'\);/);
  assert.match(sql, /GRANT INSERT ON "orders" TO "etl";\n\nCOMMIT;\n$/);
  assert.doesNotMatch(sql, /peek|file_fdw|FOREIGN|EXTERNAL/);
  const wrong: [string[], RegExp][] = [
    [["--via", "clients"], /--via: "clients" is not one of segments, program, client .*"client"/],
    [
      ["--via", "program"],
      /--via program: on Greenplum segments read the topic — use --via segments/,
    ],
    [
      ["--via", "segments", "--for", "postgres"],
      /--via segments: PostgreSQL has no segments — use/,
    ],
    [["--via", "client", "--program", "/x"], /--program: with --via client no program runs/],
    [
      ["--via", "client", "--reader-log-file", "/x"],
      /--reader-log-file: .* has its own --log-file/,
    ],
    [
      ["--via", "client", "--reject-limit", "3"],
      /--reject-limit: Greenplum has it for --via segments/,
    ],
  ];
  for (const [flags, message] of wrong) {
    const run = await gpdbKafka([...source, ...flags]);
    assert.equal(run.code, 64, run.stderr);
    assert.match(run.stderr, message);
    assert.equal(run.stderr.trim().split("\n").length, 1);
  }
  const schema = await gpdbKafka(["sql", "schema", "--via", "client"]);
  assert.match(schema.stderr, /--via is a flag of source, not of schema/);
});

Deno.test("sql: a source's columns are read from the live table, and what comes out runs", async () => {
  await using pg = await startPostgres();
  await pg.sql`CREATE SCHEMA "We ird"`;
  await pg.sql`CREATE TABLE "We ird"."T" (id int, "nam""e" varchar(20), at timestamptz[])`;
  const args = ["sql", "source", "things", "--table", '"We ird"."T"', "-b", "k1:9092,k2:9092"];
  const log = ["--bad-record", "skip", "--reader-log-file", "/tmp/x.log"];
  const more = ["--dsn", pg.dsn, "--value", "field", "--grant", "postgres", ...log];
  const greenplum = await gpdbKafka([...args, ...more]);
  assert.equal(greenplum.code, 0, greenplum.stderr);
  const sql = text(greenplum.stdout);
  assert.ok(sql.includes(`CREATE READABLE EXTERNAL WEB TABLE kafka."things_reader" (
  "id" integer,
  "nam""e" character varying(20),
  "at" timestamp with time zone[]
)
EXECUTE '"$HOME"/kafka_consumer --brokers k1:9092,k2:9092 --topic things --value field --bad-record skip --log-file /tmp/x.log --ranges-from-query'
ON ALL`));
  const chosen = await gpdbKafka([...args, "--dsn", pg.dsn, "--column", "at", "--column", "id"]);
  assert.match(
    text(chosen.stdout),
    /\(\n {2}"at" timestamp with time zone\[\],\n {2}"id" integer\n\)/,
  );

  await runScript(pg, text((await gpdbKafka(["sql", "schema", "--for", "postgres"])).stdout));
  const postgres = await gpdbKafka([...args, ...more, "--for", "postgres"]);
  for (let i = 0; i < 2; i++) await runScript(pg, text(postgres.stdout));
  const [source] = await pg.sql`SELECT * FROM kafka.source`;
  assert.equal(source.target, '"We ird"."T"');
  assert.deepEqual(source.columns, ["id", 'nam"e', "at"]);
  assert.equal(
    source.reader,
    '"$HOME"/kafka_consumer --brokers k1:9092,k2:9092 --topic things --value field ' +
      "--bad-record skip --log-file /tmp/x.log",
  );
  assert.match(
    (await pg.sql`SELECT relkind FROM pg_class WHERE relname = 'things_peek'`)[0].relkind,
    /f/,
  );

  const cases: [string[], RegExp, number?][] = [
    [[...args, "--dsn", pg.dsn, "--column", "nope"], /the table has no column "nope"/],
    [["sql", "source", "x", "--dsn", pg.dsn], /cannot read the columns of "x": .*does not exist/],
    [["sql", "source", "x", "--dsn", "postgres://127.0.0.1:1/x"], /cannot be reached/, 69],
  ];
  for (const [args, message, code = 64] of cases) {
    const run = await gpdbKafka(args);
    assert.equal(run.code, code, run.stderr);
    assert.match(run.stderr, message);
  }
});

Deno.test("sql: invalid arguments are a usage error that names them", async () => {
  const source = ["sql", "source", "crimes"];
  const cases: [string[], RegExp][] = [
    [["sql", "nothing"], /unknown verb "nothing": use schema, source, table, example/],
    [["sql", "schema", "more"], /"more" is one argument too many/],
    [["sql", "source", "-q"], /no source: use gpdb-kafka sql source NAME/],
    [["sql", "schema", "--for", "oracle"], /--for: "oracle" is not one of greenplum, postgres/],
    [["sql", "source", "a b"], /"a b" cannot be the name of a topic/],
    [["sql", "source", "x".repeat(201)], /longer than 200 bytes/],
    [[...source, "--table", "a.b.c"], /--table: a\.b\.c is not the name of a table/],
    [[...source, "--table", '"a'], /is not the name of a table/],
    [[...source, "--column", "a"], /--column: "a" has no type — use "a:TYPE", or --dsn/],
    [[...source, "--column", "a:int; DROP"], /--column: "a:int; DROP" is not NAME:TYPE/],
    [[...source, "--column", ":int"], /is not NAME:TYPE/],
    [[...source, "--reject-limit", "0%"], /--reject-limit: "0%" is neither/],
    [[...source, "--max-records", "0"], /--max-records: "0" is not a whole number/],
    [[...source, "--fallback", "here"], /--fallback: "here" is not one of/],
    [[...source, "--bad-record", "skip"], /--bad-record skip: use --reader-log-file too/],
    [[...source, "--for", "postgres"], /PostgreSQL requires the columns/],
    [[...source, "--dsn", "localhost"], /--dsn must be of the form postgres:/],
    [[...source, "--group", "a\nb"], /cannot put "a\\nb" into a command: it has a newline/],
    [[...source, "--fields", "id, a=id"], /"a=id" — a value read with --value row has no paths/],
    [
      [...source, "--fields", "id:int", "--value", "rows", "--merge", "id"],
      /several rows, of which/,
    ],
    [[...source, "--fields", "a:int=b..c", "--value", "json"], /--fields: cannot read "b\.\.c" at/],
    [
      [...source, "--fields", "a:int", "--value", "avro", "--registry", "http://u:secret@r:8081"],
      /^gpdb-kafka[^:]*: --registry: a user or password in the URL would be in the database/,
    ],
    [[...source, "--fields", "a, b", "--value", "hex"], /--value hex makes one field, not 2/],
    [[...source, "--fields", "id, id"], /--fields: "id" is given twice/],
    [[...source, "--fields", "id", "--column", "id:int"], /--fields and --column both name the/],
    [[...source, "--fields", 'id, "kafka$x"'], /names that begin with kafka\$ are taken/],
    [[...source, "--merge", "id"], /the fields must be known: use --fields, or --dsn/],
    [[...source, "--fields", "a", "--merge", "id"], /--merge: "id" is not one of the fields/],
    [
      [...source, "--fields", "id", "--merge", "id", "--merge-order", "at"],
      /--merge-order: "at" is not one of the fields — the fields are id/,
    ],
    [
      [
        ...[...source, "--value", "json", "--key", "json", "--key-fields", "id:int"],
        ...["--fields", "at:int", "--merge", "id", "--merge-order", "at", "--tombstones", "delete"],
      ],
      /--merge-order: "at" is a field of the value, which deletes of --tombstones delete do not have/,
    ],
    [[...source, "--fields", "id", "--merge-order", "id"], /--merge-order: use --merge too/],
    [[...source, "--fields", "id", "--delete-when", "true"], /--delete-when: use --merge too/],
    [[...source, "--fields", "id", "--select", "a"], /--select: "a" is not COLUMN=EXPRESSION/],
    [[...source, "--fields", "id", "--envelope", "debezium"], /--envelope: use --merge too/],
    [
      [...source, "--fields", "id", "--merge", "id", "--envelope", "debezium"],
      /--envelope debezium: use --value json or --value avro/,
    ],
    [
      [
        ...[...source, "--value", "json", "--merge", "id", "--envelope", "debezium"],
        ...["--fields", "id:int, data:bytea"],
      ],
      /--fields: "data" is bytea, which Debezium writes as a base64 text — use --fields 'data:text' and --select/,
    ],
    [
      [...source, "--fields", "id", "--merge", "id", "--tombstones", "delete"],
      /--tombstones delete: a tombstone of --value row has no fields/,
    ],
    [
      [...source, "--value", "json", "--fields", "id", "--merge", "id", "--tombstones", "delete"],
      /--tombstones delete: nothing is read of the record's key/,
    ],
  ];
  await Promise.all(cases.map(async ([args, message]) => {
    const run = await gpdbKafka(args);
    assert.equal(run.code, 64, `${args.join(" ")}: ${run.stderr}`);
    assert.match(run.stderr, message);
    assert.equal(run.stdout.length, 0);
  }));
});

Deno.test("sql: a mapping is the reader's fields and columns, and a shape of them", async () => {
  await using pg = await startPostgres();
  await pg
    .sql`CREATE TABLE orders (id bigint, customer text, amount numeric(10,2), at timestamptz)`;
  const sql = async (...args: string[]) => {
    const connection = ["--dsn", pg.dsn, "-b", "k1:9092"];
    const run = await gpdbKafka(["sql", "source", "orders", ...connection, ...args]);
    assert.equal(run.code, 0, run.stderr);
    return text(run.stdout);
  };
  const merge = ["--merge", "id", "--delete-when", "op = 'd'", "--tombstones", "delete"];
  const key = ["--key", "json", "--key-fields", "id"];
  const fields = ["--fields", "customer=customer.name, amount, op, at=meta.ts"];
  const shaped = await sql("--value", "json", ...fields, ...merge, ...key, "--grant", "etl");
  assert.ok(
    shaped.includes(`(
  "kafka$partition" integer,
  "kafka$offset" bigint,
  "kafka$tombstone" boolean,
  "id" bigint,
  "customer" text,
  "amount" numeric(10,2),
  "op" text,
  "at" timestamp with time zone
)
EXECUTE `),
    shaped,
  );
  for (
    const part of [
      /--columns partition,offset,tombstone --key-fields id --fields .*customer\.name, amount, op, meta\.ts.* --tombstones row --value json --key json /,
      /delete_when := 'op = ''d'''/,
      /GRANT SELECT, INSERT, DELETE ON "public"\."orders" TO "etl"/,
      /SELECT kafka\.share_source\('orders'\);/,
    ]
  ) assert.match(shaped, part);

  // Fields that the table has, as they come: no more than a COPY.
  const plain = await sql("--for", "postgres", "--value", "json", "--fields", "id, amount=sum");
  assert.doesNotMatch(plain, /shape_source/);
  assert.match(plain, /columns := ARRAY\['id', 'amount'\]/);
  assert.match(plain, /--fields .*id, sum/);
  // Each column of the table from the field of its name.
  const whole = await sql("--for", "postgres", "--value", "avro", "--columns", "at=timestamp");
  assert.match(whole, /--columns timestamp --fields .*id, customer, amount/);
  assert.match(whole, /columns := ARRAY\['at', 'id', 'customer', 'amount'\]/);

  const events = await sql(
    ...["--value", "json", "--fields", "id, customer=customer.name, at=meta.ts"],
    ...["--merge", "id", "--envelope", "debezium"],
  );
  for (
    const part of [
      /--fields .*after\.id, payload\.after\.id, before\.id, payload\.before\.id, after\.customer\.name, /,
      /after\.meta\.ts, payload\.after\.meta\.ts, op, payload\.op/,
      /delete_when := '"kafka\$op" = ''d'''/,
      /'coalesce\("id", "kafka\$id\$1", "kafka\$id\$2", "kafka\$id\$3"\)'/,
    ]
  ) assert.match(events, part);
});
