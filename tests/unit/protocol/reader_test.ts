import assert from "node:assert/strict";
import { ProtocolError } from "../../../lib/protocol/errors.ts";
import { Reader } from "../../../lib/protocol/reader.ts";

const none = { permissions: "none" } as const;
const reader = (...bytes: number[]) => new Reader(new Uint8Array(bytes));

Deno.test("Reader: integers are big-endian and signed", none, () => {
  const r = reader(0x80, 0xff, 0xfe, 0x7f, 0xff, 0xff, 0xff, 0x01, 0x00);
  assert.deepEqual([r.int8(), r.int16(), r.int32()], [-128, -2, 0x7fffffff]);
  assert.deepEqual([r.boolean(), r.boolean()], [true, false]);
  r.finish();
});

Deno.test("Reader: an int64 is exact from -2^53 to 2^53", none, () => {
  const int64 = (...bytes: number[]) => reader(...bytes).int64();
  assert.equal(int64(0, 0, 0, 1, 0, 0, 0, 0), 2 ** 32);
  assert.equal(int64(0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff), 2 ** 32 - 1);
  assert.equal(int64(0, 0x1f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff), Number.MAX_SAFE_INTEGER);
  assert.equal(int64(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff), -1);
  assert.equal(int64(0xff, 0xe0, 0, 0, 0, 0, 0, 1), Number.MIN_SAFE_INTEGER);
});

Deno.test("Reader: strings are UTF-8 after an int16 length; -1 is null", none, () => {
  assert.equal(reader(0, 3, 0x61, 0xc3, 0xbc).string(), "aü");
  assert.equal(reader(0, 0).nullableString(), "");
  assert.equal(reader(0xff, 0xff).nullableString(), null);
  assert.throws(() => reader(0xff, 0xff).string(), ProtocolError);
});

Deno.test("Reader: bytes are a view after an int32 length; -1 is null", none, () => {
  const all = new Uint8Array([0, 0, 0, 2, 7, 8, 9]);
  const bytes = new Reader(all).nullableBytes();
  assert.deepEqual(bytes, new Uint8Array([7, 8]));
  assert.equal(bytes!.buffer, all.buffer);
  assert.equal(reader(0xff, 0xff, 0xff, 0xff).nullableBytes(), null);
});

Deno.test("Reader: a length below -1, or past the end, is a ProtocolError", none, () => {
  assert.throws(() => reader(0xff, 0xfe, 0, 0).nullableString(), ProtocolError);
  assert.throws(() => reader(0x80, 0, 0, 0).nullableString(), ProtocolError);
  assert.throws(() => reader(0, 2, 0x61).string(), {
    name: "ProtocolError",
    message: "message ends early: 2 bytes needed, 1 left",
  });
  assert.throws(() => reader(0xff, 0xff, 0xff, 0xfe).nullableBytes(), ProtocolError);
  assert.throws(() => reader(0x7f, 0xff, 0xff, 0xff, 1).nullableBytes(), ProtocolError);
});

Deno.test("Reader: an array is read element by element; a null one is empty", none, () => {
  assert.deepEqual(reader(0, 0, 0, 2, 5, 6).array((r) => r.int8()), [5, 6]);
  assert.deepEqual(reader(0, 0, 0, 0).array((r) => r.int8()), []);
  assert.deepEqual(reader(0xff, 0xff, 0xff, 0xff).array((r) => r.int8()), []);
});

Deno.test("Reader: a wild array count is found before an element is read", none, () => {
  let read = 0;
  const element = (r: Reader) => {
    read++;
    return r.int8();
  };
  assert.throws(() => reader(0x7f, 0xff, 0xff, 0xff, 1, 2).array(element), {
    name: "ProtocolError",
    message: "an array of 2147483647 in 2 bytes",
  });
  assert.throws(() => reader(0, 0, 0, 3, 1, 2).array(element), ProtocolError);
  assert.equal(read, 0);
});

Deno.test("Reader: a part of a buffer is read within its bounds", none, () => {
  const bytes = new Uint8Array([9, 9, 0, 1, 0, 2, 9, 9]);
  const r = new Reader(bytes.subarray(1), 1, 5);
  assert.deepEqual([r.int16(), r.at, r.int16(), r.at], [1, 3, 2, 5]);
  assert.throws(() => r.int8(), ProtocolError);
  r.finish();
});

Deno.test("Reader: bytes that are left over are reported", none, () => {
  const r = reader(1, 2, 3);
  r.int8();
  assert.throws(() => r.finish(), {
    name: "ProtocolError",
    message: "2 bytes left at the end of a message",
  });
  assert.throws(() => r.skip(-1), ProtocolError);
  assert.equal(r.skip(2), 1);
  r.finish();
});
