import assert from "node:assert/strict";
import { Failure } from "../../../lib/failure.ts";
import { parseCsv } from "../../../lib/cli/flags/csv.ts";
import { type CsvDialect, standardCsv } from "../../../lib/records/dialect.ts";

const none = { permissions: "none" } as const;

const dialects: [text: string, what: Partial<CsvDialect>][] = [
  ["delimiter=;", { delimiter: ";" }],
  [
    "delimiter=;,quote=',null=\\N,encoding=latin1,escape=\\",
    { delimiter: ";", quote: "'", null: "\\N", encoding: "latin1", escape: "\\" },
  ],
  ["quote='", { quote: "'", escape: "'" }],
  ["delimiter=,,quote='", { delimiter: ",", quote: "'", escape: "'" }],
  ["quote=|,delimiter=,", { quote: "|", escape: "|" }],
  ["delimiter=\\t,null=", { delimiter: "\t", null: "" }],
  ["quote=none,delimiter=\t,null=-", { quote: null, escape: null, delimiter: "\t", null: "-" }],
  ["encoding=ISO-8859-1", { encoding: "latin1" }],
  ["encoding=UTF-8, null=a=b", { null: "a=b" }],
  ["delimiter==", { delimiter: "=" }],
];

Deno.test("--csv: what differs from the standard", none, () => {
  for (const [text, what] of dialects) {
    assert.deepEqual(parseCsv(text), { ...standardCsv, ...what }, text);
  }
});

const mistakes: [text: string, message: string][] = [
  ["delimeter=;", '"delimeter" is unknown — did you mean "delimiter"?'],
  ["x=;", '"x" is unknown — it is one of delimiter, quote, escape, null, encoding'],
  ["delimiter", "delimiter has no value: delimiter=…"],
  ["delimiter=;,quote", 'delimiter ";,quote" is not one ASCII character, or \\t'],
  ["a,b", '"a,b" is not NAME=VALUE,…'],
  ["delimiter=", 'delimiter "" is not one ASCII character, or \\t'],
  ["delimiter=é", 'delimiter "é" is not one ASCII character, or \\t'],
  ["delimiter=\n", 'delimiter "\n" is not one ASCII character, or \\t'],
  ["quote=''", "quote \"''\" is not one ASCII character, or \\t"],
  ["delimiter=;,delimiter=|", "delimiter is given twice"],
  ["encoding=utf16", 'encoding "utf16" is not one of utf8, latin1'],
  ["quote=none,escape=\\", "escape requires a quote"],
  ['delimiter="', "delimiter and quote are the same"],
  ["escape=,", "delimiter and escape are the same"],
  ["null=a,b", 'null "a,b" holds ,'],
  ["null=é", "null is not printable ASCII"],
];

Deno.test("--csv: a mistake is named", none, () => {
  for (const [text, message] of mistakes) {
    assert.throws(() => parseCsv(text), (error) => {
      assert.ok(error instanceof Failure && error.kind === "usage", `${text}: ${error}`);
      assert.equal(error.message, `--csv: ${message}`);
      return true;
    });
  }
});
