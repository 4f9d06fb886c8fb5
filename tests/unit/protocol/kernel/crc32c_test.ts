import assert from "node:assert/strict";
import CRC32C from "crc-32/crc32c.js";
import { Kernel } from "../../../../lib/protocol/kernel/kernel.ts";
import { fetch } from "../../../../lib/protocol/messages/fetch.ts";
import { Batch, batchEnd } from "../../../../lib/protocol/record_batch.ts";
import { apiOf, cases, decodeWhole, frame } from "../../../golden/frames.ts";
import { random, utf8 } from "./records.ts";

const none = { permissions: "none" } as const;
const kernel = new Kernel();

/** The kernel's CRC of the bytes, put `shift` bytes after where the caller's part starts. */
function crc32c(bytes: Uint8Array, shift = 0): number {
  kernel.reserve(shift + bytes.length);
  kernel.bytes.set(bytes, Kernel.DATA + shift);
  return kernel.crc32c(Kernel.DATA + shift, bytes.length);
}

Deno.test("CRC32C: the check values of RFC 3720, appendix B.4", none, () => {
  const ascending = Uint8Array.from({ length: 32 }, (_, i) => i);
  assert.equal(crc32c(new Uint8Array(32)), 0x8a9136aa);
  assert.equal(crc32c(new Uint8Array(32).fill(0xff)), 0x62a8ab43);
  assert.equal(crc32c(ascending), 0x46dd794e);
  assert.equal(crc32c(ascending.toReversed()), 0x113fdb5c);
  assert.equal(crc32c(utf8("123456789")), 0xe3069283);
  assert.equal(crc32c(new Uint8Array()), 0);
});

Deno.test("CRC32C: equals another implementation's, at every kind of size and start", none, () => {
  const next = random(1);
  const sizes = [0, 1, 7, 8, 9, 15, 16, 17, 63, 64, 417, 418, 419, 1024, 1671, 1672, 1673];
  sizes.push(16384, 17408, 32768, 33793, 100_000);
  // Where messages begin to be folded, in one step and in two, and where a round of that is full.
  for (const edge of [836, 3344, 1672 + 6144, 1672 + 2 * 6144]) {
    for (let size = edge - 17; size <= edge + 17; size++) sizes.push(size);
  }
  for (let i = 0; i < 40; i++) sizes.push(next(5000));
  for (const size of sizes) {
    const bytes = Uint8Array.from({ length: size }, () => next(256));
    const theirs = CRC32C.buf(bytes) >>> 0;
    for (const shift of [0, 1, 3, 7, 8, 13]) {
      assert.equal(crc32c(bytes, shift), theirs, `${size} bytes at ${shift}`);
    }
  }
});

Deno.test("CRC32C: every batch a broker sent has the CRC it says", none, () => {
  let batches = 0;
  for (const name of cases.filter((name) => name.startsWith("fetch"))) {
    const bytes = frame(name);
    const view = new DataView(bytes.buffer);
    const api = apiOf(name) as typeof fetch;
    for (const { start, end } of decodeWhole(api, bytes).partitions) {
      for (let at = start, stop; (stop = batchEnd(view, at, end)) !== -1; at = stop) {
        const said = view.getUint32(at + Batch.crc);
        assert.equal(crc32c(bytes.subarray(at + Batch.attributes, stop)), said, name);
        batches++;
      }
    }
  }
  assert.ok(batches > 50, `${batches}`);
});

Deno.test("CRC32C: every flipped bit of a batch is caught", none, () => {
  const bytes = frame("fetch_plain");
  const [{ start, end }] = decodeWhole(fetch, bytes).partitions;
  const stop = batchEnd(new DataView(bytes.buffer), start, end);
  const covered = bytes.slice(start + Batch.attributes, stop);
  const right = crc32c(covered);
  for (let bit = 0; bit < 8 * covered.length; bit++) {
    covered[bit >> 3] ^= 1 << (bit & 7);
    assert.notEqual(crc32c(covered), right, `bit ${bit}`);
    covered[bit >> 3] ^= 1 << (bit & 7);
  }
});
