import assert from "node:assert/strict";
import config from "../../../deno.json" with { type: "json" };
import { runtimePackages } from "../../../scripts/layers.ts";

Deno.test({
  name: "deno.json: the programs' packages come first, and all versions are exact",
  permissions: "none",
}, () => {
  const imports = Object.entries(config.imports);
  assert.deepEqual(imports.slice(0, runtimePackages.length).map(([name]) => name), runtimePackages);
  for (const [name, target] of imports) {
    assert.match(target, /^npm:(@[\w-]+\/)?[\w-]+@\d+\.\d+\.\d+(-[\w.]+)?(\/\w+)?$/, name);
  }
});

Deno.test({
  name: "deno.json: tasks are described, and those of a group are together",
  permissions: "none",
}, () => {
  const groups = Object.entries(config.tasks).map(([name, { description }]) => {
    const [, group] = /^([a-z]+): \S/.exec(description) ?? [];
    assert.ok(group, `${name}: "${description}" does not begin with a group`);
    return group;
  });
  const turns = groups.filter((group, at) => group !== groups[at - 1]);
  assert.deepEqual(turns, ["use", "demo", "check", "bench", "build", "servers"]);
});
