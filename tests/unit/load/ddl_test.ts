import assert from "node:assert/strict";
import { sourceDdl } from "../../../lib/greenplum/ddl.ts";
import {
  quoteArray,
  quoteIdent,
  quoteLiteral,
  quoteProgram,
  quoteText,
  quoteWord,
} from "../../../lib/greenplum/quote.ts";
import { derivedName, type SourceDefinition } from "../../../lib/greenplum/source.ts";

const permissions = "none";

Deno.test({ name: "names, strings and words are quoted", permissions }, () => {
  assert.equal(quoteIdent('a"b; c'), '"a""b; c"');
  assert.equal(quoteLiteral("it's"), "'it''s'");
  assert.equal(quoteLiteral("a\\'b"), "E'a\\\\''b'");
  assert.equal(quoteArray(["a", "b'c"]), "ARRAY['a', 'b''c']::text[]");
  assert.equal(quoteWord("kafka-1:9092,kafka-2:9092"), "kafka-1:9092,kafka-2:9092");
  for (const word of ["", "a b", "$(rm)", "~", "a;b", "*", "é"]) {
    assert.equal(quoteWord(word), `'${word}'`);
  }
  assert.equal(quoteWord("it's"), `'it'\\''s'`);
  assert.equal(quoteProgram("$HOME/my bin/x"), `"$HOME"/'my bin/x'`);
  assert.equal(quoteProgram("/opt/$HOME/x"), "'/opt/$HOME/x'");
  assert.equal(quoteText("a'$b"), "$sql$\na'$b\n$sql$");
  assert.equal(quoteText("$sql$ $sql_"), "$sql__$\n$sql$ $sql_\n$sql__$");
  for (const quote of [quoteIdent, quoteLiteral, quoteText, quoteWord]) {
    assert.throws(() => quote("a\0b"), RangeError);
  }
  for (const quote of [quoteWord, quoteProgram]) {
    for (const text of ["a\nb", "a\r"]) {
      assert.throws(() => quote(text), {
        kind: "usage",
        message: /newline — a command is one line/,
      });
    }
  }
});

Deno.test({ name: "derived names stay below 63 bytes, and differ", permissions: "none" }, () => {
  assert.equal(derivedName("crimes", "reader"), "crimes_reader");
  const [a, b] = ["ü".repeat(40) + "a", "ü".repeat(40) + "b"].map((n) => derivedName(n, "reader"));
  assert.notEqual(a, b);
  for (const name of [a, b]) {
    assert.ok(new TextEncoder().encode(name).length <= 63);
    assert.match(name, /^ü+_[0-9a-f]{8}_reader$/);
  }
});

const crimes: SourceDefinition = {
  name: "crimes",
  topic: "crimes",
  target: { schema: "public", table: "crimes" },
  columns: null,
  brokers: "k1:9092,k2:9092",
  configFile: null,
  group: "gpdb-kafka.crimes",
  fallback: "earliest",
  onLost: "fail",
  maxRecords: null,
  program: "$HOME/kafka_consumer",
  readerFlags: [],
  isolation: "read_committed",
  rejectLimit: "1 PERCENT",
  roles: ["etl"],
};

Deno.test({ name: "a source for Greenplum, in full", permissions }, () => {
  assert.equal(
    sourceDdl(crimes, "greenplum"),
    `BEGIN;

-- To look at what comes next: it commits nothing, so a SELECT moves nothing.
SELECT kafka.make_table('crimes', '"public"."crimes_peek"', '"public"."crimes"', $sql$
CREATE READABLE EXTERNAL WEB TABLE "public"."crimes_peek" (LIKE "public"."crimes")
EXECUTE '"$HOME"/kafka_consumer --brokers k1:9092,k2:9092 --topic crimes --group gpdb-kafka.crimes --commit no --on-lost earliest'
ON ALL
FORMAT 'CSV' (DELIMITER ',' NULL '' NEWLINE 'LF')
ENCODING 'UTF8'
LOG ERRORS SEGMENT REJECT LIMIT 1 PERCENT
$sql$);

-- For kafka.load alone, which says what to read in a comment; other statements fail.
SELECT kafka.make_table('crimes', 'kafka."crimes_reader"', '"public"."crimes"', $sql$
CREATE READABLE EXTERNAL WEB TABLE kafka."crimes_reader" (LIKE "public"."crimes")
EXECUTE '"$HOME"/kafka_consumer --brokers k1:9092,k2:9092 --topic crimes --ranges-from-query'
ON ALL
FORMAT 'CSV' (DELIMITER ',' NULL '' NEWLINE 'LF')
ENCODING 'UTF8'
LOG ERRORS SEGMENT REJECT LIMIT 1 PERCENT
$sql$);

-- ON SEGMENT 0, not ON MASTER: only segments get the text of kafka.load's statements.
SELECT kafka.make_table('crimes', 'kafka."crimes_planner"', '"public"."crimes"', $sql$
CREATE READABLE EXTERNAL WEB TABLE kafka."crimes_planner" (topic text, partition_no integer, earliest bigint, end_offset bigint, at_offset bigint,
  cluster_id text, topic_id text, leader_epoch integer, epoch_end bigint)
EXECUTE '"$HOME"/kafka_consumer plan --brokers k1:9092,k2:9092 --topic crimes --group gpdb-kafka.crimes --log-identity --timeout 10s --from-query'
ON SEGMENT 0
FORMAT 'CSV' (DELIMITER ',' NULL '' NEWLINE 'LF')
ENCODING 'UTF8'
$sql$);

SELECT kafka.add_source(
  name := 'crimes',
  topic := 'crimes',
  target := '"public"."crimes"',
  reader := 'kafka."crimes_reader"',
  planner := 'kafka."crimes_planner"',
  group_name := 'gpdb-kafka.crimes',
  columns := NULL,
  brokers := 'k1:9092,k2:9092',
  config_file := NULL,
  fallback := 'earliest',
  on_lost := 'fail',
  max_records := NULL);

SELECT kafka.allow('etl');
GRANT INSERT ON "public"."crimes" TO "etl";
GRANT SELECT ON "public"."crimes_peek", kafka."crimes_reader" TO "etl";

COMMIT;
`,
  );
});

Deno.test({ name: "hostile names stay inside their quotes", permissions: "none" }, () => {
  const hostile = `a'b"c\\d$e;--/* */ f`;
  const ddl = sourceDdl({
    ...crimes,
    name: hostile,
    target: { schema: hostile, table: hostile },
    columns: [{ name: hostile, type: "text" }],
    group: hostile,
    configFile: hostile,
    program: hostile,
    roles: [hostile],
  }, "greenplum");
  // Without its quoted parts nothing of them is left; and inside of what is SQL again, neither.
  const strip = (sql: string) =>
    sql.replaceAll(/E'(?:''|\\\\|[^'\\])*'|'(?:''|[^'\\])*'|"(?:""|[^"])*"/g, "·");
  const inner: string[] = [];
  const outer = ddl.replace(/^--.*$/gm, "").replaceAll(
    /\$(sql_*)\$([^]*?)\$\1\$/g,
    (_, _tag, text) => {
      inner.push(text);
      return "·";
    },
  );
  assert.equal(inner.length, 3);
  for (const sql of [outer, ...inner]) {
    assert.doesNotMatch(strip(sql), /[\\$"']|--|\/\*|\bf\b/);
  }
});
