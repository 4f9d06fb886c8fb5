import assert from "node:assert/strict";
import { withTables } from "../../../scripts/readme.ts";
import {
  fitted,
  readTranscript,
  stable,
  transcriptsOf,
  withoutTranscripts,
  withTranscript,
} from "../../support/outputs.ts";

const document = `Text.

<!-- begin: output of load -->

\`\`\`sh
$ gpdb-kafka load crimes \\
    --once
2026-11-26T07:28:13.250Z crimes: load 1: 20,500 rows in 0.41 s (49,777 rows/s), lag 0
$ true
\`\`\`

<!-- end -->

\`\`\`sh
gpdb-kafka lag --group loader
\`\`\`
`;

Deno.test(
  { name: "outputs: a transcript is commands and what they print", permissions: "none" },
  () => {
    const transcript = transcriptsOf(document).get("load")!;
    assert.deepEqual(readTranscript(transcript), [
      {
        shown: {
          command: "gpdb-kafka load crimes --once",
          output:
            "2026-11-26T07:28:13.250Z crimes: load 1: 20,500 rows in 0.41 s (49,777 rows/s), lag 0\n",
        },
        typed: "$ gpdb-kafka load crimes \\\n    --once",
      },
      { shown: { command: "true", output: "" }, typed: "$ true" },
    ]);
    assert.throws(() => readTranscript("no command\n"), /output before any command: "no command"/);
    const changed = withTranscript(document, "load", "$ true\n");
    assert.equal(transcriptsOf(changed).get("load"), "$ true\n");
    assert.equal(withTranscript(document, "lag", "$ true\n"), document);
    const rest = withoutTranscripts(document);
    assert.ok(!rest.includes("--once") && rest.includes("gpdb-kafka lag"));
    assert.equal(rest.split("\n").length, document.split("\n").length);
    assert.equal(withTables(document).text, document, "deno task readme leaves it to --record");
  },
);

Deno.test({
  name: "outputs: what was edited by hand differs, other times do not",
  permissions: "none",
}, () => {
  const load = (text: string) => stable(`crimes: load 1: ${text}, lag 0`);
  const recorded = load("20,500 rows in 0.41 s (49,777 rows/s)");
  assert.equal(load("20,500 rows in 12 s (1,700.5 rows/s)"), recorded);
  assert.notEqual(load("20,501 rows in 0.41 s (49,777 rows/s)"), recorded);
  assert.notEqual(load("20,500 lines in 0.41 s (49,777 rows/s)"), recorded);
  const same: [string, string][] = [
    ["2026-11-26T07:28:13.250Z x", "2027-01-01T00:00:00Z x"],
    ["loader  07:28:13  lag 5", "loader  23:00:00  lag 5"],
    ["on 127.0.0.1:1", "on 127.0.0.1:44383"],
    ["PostgreSQL 18.4, x", "PostgreSQL 19, x"],
    ["kafka_consumer 0.2.0-dev runs", "kafka_consumer 1.0.0 runs"],
    ["a\n      b", "a b"],
  ];
  for (const [one, other] of same) assert.equal(stable(one), stable(other));
  assert.notEqual(stable("lag 5"), stable("lag 6"));
});

Deno.test({ name: "outputs: long lines are broken at blanks", permissions: "none" }, () => {
  const line = "word ".repeat(40).trim();
  const broken = fitted(`${line}\nshort\n`);
  assert.ok(broken.split("\n").every((part) => part.length <= 100), broken);
  assert.equal(stable(broken), stable(`${line}\nshort\n`));
  const whole = "x".repeat(120);
  assert.equal(fitted(whole), whole);
});
