import assert from "node:assert/strict";
import { mainCommands } from "../../lib/cli/commands.ts";
import { usage } from "../../lib/cli/run.ts";
import { gpdbKafka, text } from "../support/cli.ts";

Deno.test("help: gpdb-kafka --help names every command in a line", async () => {
  const { code, stdout } = await gpdbKafka(["--help"]);
  assert.equal(code, 0);
  for (const [name, { about }] of Object.entries(mainCommands)) {
    assert.ok(text(stdout).includes(`\n  ${name.padEnd(12)}${about}\n`), name);
  }
});

for (const [name, { load }] of Object.entries(mainCommands)) {
  Deno.test(`help: gpdb-kafka ${name} --help says a line of every flag that is parsed`, async () => {
    const command = await load();
    const flags = command.flags.map((flag) => flag.name);
    assert.deepEqual([...new Set(flags)], flags);
    const shorts = command.flags.flatMap(({ short }) => short ?? []);
    assert.deepEqual([...new Set(shorts)], shorts);
    const help = usage(command);
    for (const flag of command.flags) {
      assert.match(flag.help, /^[^\n]+[^.\n]$/, `--${flag.name}`);
      assert.ok(help.includes(`--${flag.name}${flag.value ? ` ${flag.value}` : ""}`), flag.name);
      assert.ok(help.includes(`${flag.help}\n`), flag.name);
    }
    assert.ok(command.examples.length > 0);
    const run = await gpdbKafka([name, "--help"]);
    assert.deepEqual([run.code, run.stderr, text(run.stdout)], [0, "", help + "\n"]);
  });
}
