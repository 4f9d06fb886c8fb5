/** Runs doctor, and looks at what it says. */
import assert from "node:assert/strict";
import { type Finished, gpdbKafka, text } from "./cli.ts";

/** Runs doctor, whose lines are what the test is about: nothing else is printed anywhere. */
export async function examine(
  args: string[],
  code: number,
): Promise<Finished & { lines: string[] }> {
  const run = await gpdbKafka(["doctor", ...args]);
  const all = text(run.stdout);
  assert.equal(run.code, code, all + run.stderr);
  assert.equal(run.stderr, "");
  const lines = all.trimEnd().split("\n");
  const said = lines.slice(0, -2);
  for (const line of said) assert.match(line, /^(ok {2}|warn|fail|skip) {2}[a-z-]+: \S/);
  assert.match(lines.at(-1)!, /^\d+ ok, \d+ warnings, \d+ failed(, \d+ skipped)?$/);
  assert.doesNotMatch(all, /bug|\.ts:|\bat .*:\d+:\d+/);
  return { ...run, lines: said };
}

export function assertLine(lines: readonly string[], expected: RegExp): void {
  assert.ok(
    lines.some((line) => expected.test(line)),
    `${expected} is not in\n${lines.join("\n")}`,
  );
}
