import assert from "node:assert/strict";
import { sourceDdl } from "../../lib/greenplum/ddl.ts";
import {
  quoteArray,
  quoteIdent,
  quoteLiteral,
  quoteProgram,
  quoteWord,
} from "../../lib/greenplum/quote.ts";
import { derivedName, type SourceDefinition } from "../../lib/greenplum/source.ts";

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
  for (const quote of [quoteIdent, quoteLiteral, quoteWord]) {
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

Deno.test({ name: "derived names keep below 63 bytes, and apart", permissions: "none" }, () => {
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

-- To look at what is to come: it commits nothing, so a SELECT moves nothing.
DROP EXTERNAL TABLE IF EXISTS "public"."crimes_peek";
CREATE READABLE EXTERNAL WEB TABLE "public"."crimes_peek" (LIKE "public"."crimes")
EXECUTE '"$HOME"/kafka_consumer --brokers k1:9092,k2:9092 --topic crimes --group gpdb-kafka.crimes --commit no --on-lost earliest'
ON ALL
FORMAT 'CSV' (DELIMITER ',' NULL '' NEWLINE 'LF')
ENCODING 'UTF8'
LOG ERRORS SEGMENT REJECT LIMIT 1 PERCENT;

-- For kafka.load alone, which says what to read in a comment: anything else is refused.
DROP EXTERNAL TABLE IF EXISTS kafka."crimes_reader";
CREATE READABLE EXTERNAL WEB TABLE kafka."crimes_reader" (LIKE "public"."crimes")
EXECUTE '"$HOME"/kafka_consumer --brokers k1:9092,k2:9092 --topic crimes --ranges-from-query'
ON ALL
FORMAT 'CSV' (DELIMITER ',' NULL '' NEWLINE 'LF')
ENCODING 'UTF8'
LOG ERRORS SEGMENT REJECT LIMIT 1 PERCENT;

-- ON SEGMENT 0, not ON MASTER: only segments are told the text of kafka.load's statements.
DROP EXTERNAL TABLE IF EXISTS kafka."crimes_planner";
CREATE READABLE EXTERNAL WEB TABLE kafka."crimes_planner" (topic text, partition_no integer, earliest bigint, end_offset bigint, at_offset bigint)
EXECUTE '"$HOME"/kafka_consumer plan --brokers k1:9092,k2:9092 --topic crimes --group gpdb-kafka.crimes --from-query'
ON SEGMENT 0
FORMAT 'CSV' (DELIMITER ',' NULL '' NEWLINE 'LF')
ENCODING 'UTF8';

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

GRANT USAGE ON SCHEMA kafka TO "etl";
GRANT INSERT ON "public"."crimes" TO "etl";
GRANT SELECT ON "public"."crimes_peek", kafka."crimes_reader", kafka.status, kafka.lag, kafka.load_offset TO "etl";

COMMIT;
`,
  );
});

Deno.test({ name: "hostile names stay inside of their quotes", permissions: "none" }, () => {
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
  // Without its quoted parts nothing of them is left.
  const bare = ddl.replace(/^--.*$/gm, "")
    .replaceAll(/E'(?:''|\\\\|[^'\\])*'|'(?:''|[^'\\])*'|"(?:""|[^"])*"/g, "·");
  assert.doesNotMatch(bare, /[\\$"']|--|\/\*|\bf\b/);
});
