import assert from "node:assert/strict";
import { Writer } from "../../../lib/protocol/writer.ts";

const none = { permissions: "none" } as const;

Deno.test("Writer: every primitive has its known bytes", none, () => {
  const writer = new Writer().int8(-2).int16(-2).int32(0x01020304).int64(-1).int64(2 ** 32 + 1)
    .boolean(true).boolean(false).string("aü").nullableString(null).nullableString("")
    .bytes(new Uint8Array([7, 8])).array([5, 6], (value, w) => w.int8(value));
  // deno-fmt-ignore
  assert.deepEqual([...writer.finish()], [
    0xfe,
    0xff, 0xfe,
    1, 2, 3, 4,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0, 0, 0, 1, 0, 0, 0, 1,
    1, 0,
    0, 3, 0x61, 0xc3, 0xbc,
    0xff, 0xff,
    0, 0,
    0, 0, 0, 2, 7, 8,
    0, 0, 0, 2, 5, 6,
  ]);
});

Deno.test("Writer: the buffer grows under every primitive", none, () => {
  const writes: Record<string, (writer: Writer) => Writer> = {
    int8: (writer) => writer.int8(1),
    int16: (writer) => writer.int16(1),
    int32: (writer) => writer.int32(1),
    int64: (writer) => writer.int64(1),
    string: (writer) => writer.string("abc"),
    bytes: (writer) => writer.bytes(new Uint8Array(9).fill(1)),
  };
  for (const [name, write] of Object.entries(writes)) {
    const once = [...write(new Writer()).finish()];
    const writer = new Writer(1);
    for (let i = 0; i < 100; i++) write(writer);
    assert.deepEqual([...writer.finish()], Array(100).fill(once).flat(), name);
  }
});

Deno.test("Writer: a string that is too long is rejected, and no frame is made", none, () => {
  const longest = "ä".repeat(16_383) + "a";
  assert.deepEqual(new Writer().string(longest).finish().length, 2 + 32_767);
  const message = `"${"ä".repeat(20)}…" has 32768 bytes, Kafka accepts at most 32767`;
  for (const method of ["string", "nullableString", "compactString"] as const) {
    assert.throws(() => new Writer()[method]("ä".repeat(16_384)), { name: "RangeError", message });
  }
});
