import assert from "node:assert/strict";
import config from "../../../deno.json" with { type: "json" };

const root = new URL("../../../", import.meta.url);

interface Lock {
  specifiers: Record<string, string>;
  npm: Record<string, { integrity?: string }>;
  remote?: Record<string, string>;
  jsr?: unknown;
}

const lock: Lock = JSON.parse(await Deno.readTextFile(new URL("deno.lock", root)));

Deno.test("packages: each has an exact version, and its hash in a lock file that no run changes", () => {
  assert.deepEqual(config.lock, { frozen: true });
  for (const [name, target] of Object.entries(config.imports)) {
    assert.match(target, /^npm:(@[a-z-]+\/)?[\w.-]+@\d+\.\d+\.\d+[\w.-]*(\/[\w/.-]+)?$/, name);
  }
  const wanted = new Set(
    Object.values(config.imports).map((target) => /^npm:(?:@[^/]+\/)?[^/]+/.exec(target)![0]),
  );
  // Deno's own types, which are no code.
  const locked = Object.keys(lock.specifiers).filter((name) =>
    !name.startsWith("npm:@types/node@")
  );
  assert.deepEqual(locked.toSorted(), [...wanted].toSorted());
  for (const [name, { integrity }] of Object.entries(lock.npm)) {
    assert.match(integrity ?? "", /^sha512-[\w+/]{86}==$/, name);
  }
  assert.deepEqual([lock.remote, lock.jsr], [undefined, undefined], "nothing but npm packages");
});

Deno.test("packages: no module imports one with a version of its own, or from a site", async () => {
  const wrong: string[] = [];
  let seen = 0;
  for await (const path of modules(root)) {
    seen++;
    const text = await Deno.readTextFile(path);
    const found = /^.*(?:\bfrom\s+|\bimport\s*\(?\s*)"((?:npm|jsr|https?):[^"]+)"(?! \+)/m.exec(
      text,
    );
    if (found) wrong.push(`${path.pathname}: ${found[1]}`);
  }
  assert.deepEqual(wrong, []);
  assert.ok(seen > 400, `${seen} modules`);
});

async function* modules(folder: URL): AsyncGenerator<URL> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory && !/^(\..*|node_modules|dist|tmp)$/.test(name)) {
      yield* modules(new URL(`${name}/`, folder));
    } else if (name.endsWith(".ts")) yield new URL(name, folder);
  }
}
