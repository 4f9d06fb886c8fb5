import assert from "node:assert/strict";
import { buildLz } from "../../../scripts/build_codecs.ts";

Deno.test("lz_wasm.ts is what lz.as.ts compiles to", async () => {
  const file = new URL("../../../lib/protocol/codecs/lz_wasm.ts", import.meta.url);
  assert.equal(await Deno.readTextFile(file), await buildLz());
});
