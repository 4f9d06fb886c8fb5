import assert from "node:assert/strict";
import { unfitReasons } from "../../../lib/protocol/kernel/kernel.ts";
import { addJson } from "../../../lib/records/json.ts";
import { parsePaths } from "../../../lib/records/paths.ts";
import { ProgramWriter } from "../../../lib/records/program.ts";
import { SLOT_SIZE, SlotKind } from "../../../lib/records/slots.ts";

const kernel = new URL("../../../lib/protocol/kernel/", import.meta.url);

/** The numeric constants of an AssemblyScript source. */
async function constants(name: string): Promise<Map<string, number>> {
  const text = await Deno.readTextFile(new URL(name, kernel));
  return new Map(
    [...text.matchAll(/(\w+)(?:: \w+)? = (0x[\da-f]+|\d+)\b/g)].map((m) => [m[1], Number(m[2])]),
  );
}

Deno.test("the kinds of slots are the same here and in the kernel", async () => {
  const theirs = await constants("slots.as.ts");
  for (const [name, number] of Object.entries(SlotKind)) {
    const upper = name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
    assert.equal(theirs.get(upper), number, name);
  }
  assert.equal(theirs.get("SLOT_SIZE"), SLOT_SIZE);
});

Deno.test("each reason of the kernel for a bad record has words", async () => {
  const json = await constants("json_text.as.ts");
  for (const [name, number] of [...await constants("unfit.as.ts"), ...json]) {
    if (/^[A-Z_0-9]+$/.test(name)) assert.ok(unfitReasons[number], `${name} = ${number}`);
  }
});

Deno.test("a program is its bytes and room after them; paths of one place share a slot", {
  permissions: "none",
}, () => {
  const writer = new ProgramWriter();
  const { slots, next } = addJson(writer, parsePaths("--fields", 'a.b, a, "a"."b", a[0]'), 3);
  // Numbered before what is under them: the whole, a, a.b, a[0]; one more for what is not wanted.
  assert.deepEqual(slots, [5, 4, 5, 6]);
  assert.equal(next, 8);
  const program = writer.finish({ columns: [], slots: next, fixed: 0, factor: 0 });
  assert.ok(program.size >= program.bytes.length + SLOT_SIZE * next);
  assert.ok(program.met >= program.bytes.length && program.met + next <= program.size);
});
