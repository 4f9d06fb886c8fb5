import assert from "node:assert/strict";
import { buildKernel } from "../../../../scripts/build_kernel.ts";

Deno.test("kernel_wasm.ts is what its sources compile to: else run `deno task kernel`", async () => {
  const kept = new URL("../../../../lib/protocol/kernel/kernel_wasm.ts", import.meta.url);
  assert.ok(await Deno.readTextFile(kept) === await buildKernel());
});
