import assert from "node:assert/strict";
import { consumer } from "../support/cli.ts";

Deno.test("--assign group: what contradicts it is a usage error that names both", async () => {
  const cases: [string[], RegExp][] = [
    [["--slot", "0/4"], /--slot and --assign exclude each other/],
    [["--partition", "1"], /--partition: with --assign group the group says which/],
    [["--ranges", "0:1-2"], /--ranges: with --assign group the group says which/],
    [["-o", "earliest"], /--offset: with --assign group .* see --fallback/],
    [["-o", "-5"], /--offset: with --assign group/],
    [["--commit", "no"], /--commit no: with --assign group/],
    [["-g", ""], /-g: the value is empty/],
  ];
  await Promise.all(cases.map(async ([args, message]) => {
    const run = await consumer(["-t", "x", "--assign", "group", ...args]);
    assert.equal(run.code, 64, run.stderr);
    assert.match(run.stderr, message);
    assert.equal(run.stdout.length, 0);
  }));
});

Deno.test("--assign group: --offset stored is accepted; no broker is exit 69", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  const args = ["-t", "x", "--assign", "group", "-o", "stored", "--timeout", "1s"];
  const run = await consumer([...args, "-b", `127.0.0.1:${port}`]);
  assert.equal(run.code, 69);
  assert.match(run.stderr, /refused/);
});
