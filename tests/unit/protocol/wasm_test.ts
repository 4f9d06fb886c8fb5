import assert from "node:assert/strict";
import { zstdWasm } from "../../../lib/protocol/codecs/zstd_wasm.ts";
import { modules } from "../../../scripts/wasm.ts";
import { ZSTD_SHA256 } from "../../../scripts/wasm/zstd.ts";

for (const name of ["kernel", "lz"]) {
  const { target, build } = modules[name];
  Deno.test(`${target} is what its sources compile to: else run \`deno task wasm\``, async () => {
    const kept = await Deno.readTextFile(new URL(`../../../${target}`, import.meta.url));
    assert.ok(kept === await build());
  });
}

Deno.test("zstd_wasm.ts is the module that was made of the pinned source and compiler", async () => {
  const bytes = Uint8Array.from(atob(zstdWasm), (char) => char.charCodeAt(0));
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  assert.equal(digest.toHex(), ZSTD_SHA256);
});
