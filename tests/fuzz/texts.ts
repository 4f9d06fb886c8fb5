/** Texts: files, flags, answers of registries. */
import { parseOffsets } from "../../lib/admin/offset_file.ts";
import { queryRanges } from "../../lib/consume/query_ranges.ts";
import { parseRanges } from "../../lib/consume/ranges.ts";
import { Failure } from "../../lib/failure.ts";
import { quoteIdent, quoteLiteral, quoteWord } from "../../lib/greenplum/quote.ts";
import { parseBrokers } from "../../lib/kafka/broker_list.ts";
import { Dsn } from "../../lib/load/dsn.ts";
import { parseJaas } from "../../lib/properties/jaas.ts";
import { parseProperties } from "../../lib/properties/properties.ts";
import { parsePaths } from "../../lib/records/paths.ts";
import { readNumber, readSchema, readVersions } from "../../lib/registry/answers.ts";
import { mutatedText } from "./mutate.ts";
import { answered, choice, must, type Target } from "./target.ts";

/** A parser, texts that it reads, and what its grammar is made of. */
export function parser(
  name: string,
  examples: readonly string[],
  words: readonly string[],
  parse: (text: string) => unknown,
): Target {
  return {
    name,
    run(random, tried) {
      const text = mutatedText(choice(examples, random), choice(examples, random), words, random);
      tried.input = text;
      answered(() => parse(text), Failure);
    },
  };
}

const failed = "cannot read the schema";
/** As a registry's client does: an answer that is not JSON is an error before. */
function answer(text: string): void {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return;
  }
  answered(() => readSchema(body, failed), Failure);
  answered(() => readNumber(body, "id", failed), Failure);
  readVersions(body, failed);
}

/** Characters that parsers stumble over. */
export const odd = [
  "",
  " ",
  "'",
  '"',
  "\\",
  "\n",
  "\r",
  "\0",
  "$",
  "`",
  "é",
  "😀",
  "\u2028",
  "--",
  ";",
];

export const texts: readonly Target[] = [
  parser(
    "properties",
    [
      "bootstrap.servers=a:9092,b:9092\nsecurity.protocol=SASL_SSL\nsasl.mechanism=PLAIN\n",
      'sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required \\\n  username="u" password="p\\"w";\n',
      "# a comment\n! another\nkey : value\nkey2 value\\u00fc \\\n   next\n",
    ],
    [...odd, "=", ":", "#", "!", "\\u", "\\u12", "\\\n", "\t", "\ufeff"],
    (text) => parseProperties(text, "file"),
  ),
  parser(
    "login module",
    [
      `a.PlainLoginModule required username="u" password="p\\"\\101w";`,
      `a.OAuthBearerLoginModule required extension_a='b' c=d-e_$ ;`,
    ],
    [...odd, "=", "required", '"x"', "\\101", "//", "/*", "*/", "a.b"],
    parseJaas,
  ),
  parser(
    "brokers",
    ["a:9092, [::1]:9092,,SASL_SSL://b.example:1", "[fe80::1%eth0]:9093,10.0.0.1"],
    [...odd, "://", ":", ",", "[", "]", "::", "%", "SSL://", "65536", "1.2.3.4"],
    (text) => parseBrokers(text, "--brokers", "SASL_SSL"),
  ),
  parser(
    "offset file",
    [
      '{"orders": {"0": 12, "1": 3}}',
      "orders,0,12\norders,1,3\n",
      "TOPIC PARTITION OFFSET\norders 0 12\n",
    ],
    [...odd, "{", "}", "[", "]", ",", "-1", "1e9", "9007199254740993", "null", "true"],
    (text) => parseOffsets(text, "file"),
  ),
  parser(
    "ranges",
    ["0:0-10,3:5-7", "1:9007199254740990-9007199254740991"],
    [...odd, ":", "-", ",", "-1", "1e3", "99999999999999999999"],
    parseRanges,
  ),
  parser(
    "query comment",
    ["/* kafka-ranges topic=t 0:0-10,1:4-5 */ INSERT INTO x SELECT * FROM y", "SELECT 1"],
    [...odd, "/*", "*/", "kafka-ranges", "topic=", "topic=t", ":", "-", ","],
    (text) => queryRanges(text, "t"),
  ),
  parser(
    "paths",
    ["id, customer.name, items[0].sku", 'id, "odd.name"."x ""y""", .', "a[0][1].b"],
    [...odd, ".", "[", "]", "[0]", "[-1]", "[99999999999]", ",", '""'],
    (text) => parsePaths("--fields", text),
  ),
  parser(
    "dsn",
    [
      "postgres://user:pass@host:5432/db?sslmode=verify-full&application_name=x",
      "host=a,b port=1,2 dbname=db user='o''x' password='p\\'w' sslmode=require",
    ],
    [...odd, "://", "@", ":", "/", "?", "&", "=", "%", "%zz", "host=", "port=99999", "["],
    (text) => Dsn.parse("--dsn", text),
  ),
  parser(
    "registry",
    [
      '{"subject":"s","version":1,"id":7,"schemaType":"AVRO","schema":"\\"string\\"","references":[{"name":"a","subject":"b","version":1}]}',
      '{"id": 3}',
      "[1,2,3]",
    ],
    [...odd, "{", "}", "[", "]", ",", ":", "null", "-1", "1e99", '"schema"', '"id"'],
    answer,
  ),
];

/** What is quoted is one word, one literal, one name, and says the same. */
export const quoting: Target = {
  name: "quoting",
  run(random, tried) {
    let text = "";
    for (let left = random.int(0, 12); left > 0; left--) {
      text += random.int(0, 2) === 0
        ? choice(odd, random)
        : String.fromCodePoint(random.int(1, random.int(0, 1) === 0 ? 127 : 0xd7ff));
    }
    text = text.replaceAll("\0", "");
    tried.input = text;
    const identifier = quoteIdent(text);
    must(
      /^"(?:[^"]|"")*"$/.test(identifier) && identifier.slice(1, -1).replaceAll('""', '"') === text,
      () => `the name ${identifier}`,
    );
    const literal = quoteLiteral(text);
    const plain = /^'((?:[^']|'')*)'$/.exec(literal)?.[1];
    const escaped = /^E'((?:[^'\\]|''|\\\\)*)'$/.exec(literal)?.[1];
    must(
      plain !== undefined && !plain.includes("\\") && plain.replaceAll("''", "'") === text ||
        escaped?.replaceAll("''", "'").replaceAll("\\\\", "\\") === text,
      () => `the literal ${literal}`,
    );
    const word = answered(() => quoteWord(text), Failure);
    must(
      (word === null) === /[\r\n]/.test(text),
      () => `a word with a newline: ${word}`,
    );
    if (word === null) return;
    must(
      word === text && /^[\w@%+=:,./-]+$/.test(text) ||
        /^'(?:[^']|'\\'')*'$/.test(word) && word.slice(1, -1).replaceAll(`'\\''`, "'") === text,
      () => `the word ${word}`,
    );
  },
};
