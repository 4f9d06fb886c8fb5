// The kernel: the loops over bytes and records that JavaScript is slow at. AssemblyScript with
// SIMD; `deno task wasm` compiles it into kernel_wasm.ts. It allocates nothing and imports
// nothing: kernel.ts owns the memory and says where things are.

import { initCrc } from "./crc.as";
import { initDoubling } from "./csv.as";
import { initText } from "./text.as";

/** Fills the tables. Called once on fresh (zeroed) memory. */
export function init(): void {
  initCrc();
  initDoubling();
  initText();
}

export { crc32c } from "./crc.as";
export { fields } from "./fields.as";
export { rows } from "./rows.as";
export { DATA, PACKED, PARAMETERS, POWERS, STATE } from "./memory.as";
export { openProgram } from "./program.as";
export { discard, pack, setUpPacking, startInput } from "./pack.as";
