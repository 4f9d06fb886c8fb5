import assert from "node:assert/strict";
import { findingLine, some } from "../../../lib/doctor/findings.ts";
import { questionCommand } from "../../../lib/doctor/program.ts";
import { Rounds } from "../../../lib/doctor/rounds.ts";
import { wordsOf } from "../../../lib/greenplum/quote.ts";
import { Failure } from "../../../lib/failure.ts";
import { inWords } from "../../../lib/text.ts";

const none = { permissions: "none" } as const;

function rounds(timeout = 1000) {
  const lines: string[] = [];
  return { lines, rounds: new Rounds(timeout, (finding) => lines.push(findingLine(finding))) };
}

Deno.test(
  "doctor: what builds on a check without an outcome is left out, and so on",
  none,
  async () => {
    const { lines, rounds: all } = rounds();
    const first = await all.check("first", [], (say) => {
      say("fail", "it is broken", "mend it");
      return Promise.resolve(null);
    });
    const second = await all.check("second", [first, first], () => Promise.resolve(1));
    await all.check("third", [first, second], () => Promise.resolve(1));
    await all.check("fourth", [], (say) => {
      say("ok", "two\nlines");
      say("warn", "a second finding");
      return Promise.resolve(1);
    });
    assert.deepEqual(lines, [
      "fail  first: it is broken — mend it",
      "skip  second: needs first",
      "skip  third: needs first, second",
      "ok    fourth: two lines",
      "warn  fourth: a second finding",
    ]);
    assert.deepEqual(all.counts, { ok: 1, warn: 1, fail: 1, skip: 2 });
  },
);

Deno.test(
  "doctor: what goes wrong is a finding, and a bug is called one, in a line",
  none,
  async () => {
    const { lines, rounds: all } = rounds();
    await all.check("known", [], () => Promise.reject(new Failure("broker", "no broker")));
    const error = Object.assign(new Error("no table"), {
      name: "PostgresError",
      code: "42P01",
      detail: "look\nhere",
    });
    await all.check("database", [], () => Promise.reject(error));
    await all.check("bug", [], () => Promise.reject(new TypeError("x is not y")));
    assert.deepEqual(lines.slice(0, 2), [
      "fail  known: no broker",
      "fail  database: no table; look here (SQLSTATE 42P01)",
    ]);
    assert.match(
      lines[2],
      /^fail {2}bug: bug, please report: TypeError: x is not y \(at .*:\d+:\d+\)$/,
    );
  },
);

Deno.test(
  "doctor: a check that does not end is given up, and what it says later is ignored",
  none,
  async () => {
    const { lines, rounds: all } = rounds(20);
    let late = () => {};
    const outcome = await all.check("slow", [], (say) => {
      late = () => say("ok", "at last");
      return new Promise<number>(() => {});
    });
    late();
    assert.equal(outcome.value, null);
    assert.deepEqual(lines, ["fail  slow: not finished within 0.02 s"]);
  },
);

Deno.test("doctor: numbers and times in words", none, () => {
  assert.equal(some([1, 2, 3, 4, 5, 6, 7]), "1, 2, 3, 4, 5 and 2 more");
  assert.deepEqual([0.4, 1500, 90_000, 5_400_000, 561_600_000].map(inWords), [
    ...["0.4 ms", "1.5 s", "1.5 min", "1.5 h", "6.5 days"],
  ]);
});

Deno.test("doctor: the words of a source's command", none, () => {
  const command = `"$HOME"/kafka_consumer --columns 'header:a b,key' --topic x\\ y`;
  assert.deepEqual(wordsOf(command), [
    ...["$HOME/kafka_consumer", "--columns", "header:a b,key", "--topic", "x y"],
  ]);
});

Deno.test("doctor: the shell command for the segments prints one row, whatever the program does", {
  permissions: { run: ["/bin/sh", "chmod"], read: true, write: true },
}, async () => {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/kafka_consumer`;
  const plan = ["--brokers", "b:1", "--topic", "it's"];
  const run = async (script: string | null) => {
    if (script !== null) await Deno.writeTextFile(path, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    const command = questionCommand({ program: { path }, plan });
    const { code, stdout } = await new Deno.Command("/bin/sh", { args: ["-c", command] }).output();
    return { code, fields: new TextDecoder().decode(stdout).trimEnd().split("|") };
  };
  try {
    const missing = await run(null);
    assert.equal(missing.code, 0);
    assert.equal(missing.fields.length, 4);
    assert.match(missing.fields[2], /not found|No such file/);
    const there = await run(
      'if test "$1" = plan; then echo "$3,0,0,1,"; echo "$3,1,0,1,"; else echo v 1; fi',
    );
    assert.deepEqual(there.fields.slice(2), ["v 1", "b:1,0,0,1,"]);
    const failing = await run('echo "a \\"b|c\\"" >&2; echo last >&2; exit 69');
    assert.deepEqual([failing.code, ...failing.fields.slice(2)], [0, "last", "last"]);
    assert.equal((await run('echo "a \\"b|c\\"" >&2; exit 69')).fields[3], "a bc");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
