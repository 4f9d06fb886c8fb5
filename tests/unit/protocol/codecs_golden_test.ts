import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { loadCodec } from "../../../lib/protocol/codecs/codecs.ts";
import { ProtocolError } from "../../../lib/protocol/errors.ts";
import type { Codec } from "../../../lib/protocol/record_batch.ts";

// What each file is, and the command that made it: tests/golden/codecs/README.md.
const folder = new URL("../../golden/codecs/", import.meta.url);
const golden = (name: string) => Deno.readFileSync(new URL(name, folder));
const rows = golden("rows.csv");
const files = ["tool.gzip", "members.gzip", "linked.lz4", "b7.lz4", "tool.zstd", "nosize.zstd"];
const batches = ["gzip", "snappy", "lz4", "zstd"]
  .flatMap((codec) => [`kcat.${codec}`, `java.${codec}`]);
const contents = new Map([...files, ...batches].map((name) => [name, golden(name)]));
const fast = { permissions: "none" } as const;

async function decompress(name: string, source: Uint8Array): Promise<Uint8Array> {
  const implementation = await loadCodec(name.split(".")[1] as Codec);
  return implementation.decompress(source, 1 << 20).slice();
}

/** The values of a batch's records, each with a newline after it. */
function values(records: Uint8Array): Uint8Array {
  const out: number[] = [];
  let p = 0;
  const varint = () => {
    let x = 0, unit = 1, byte = 128;
    for (; byte > 127; unit *= 128) {
      byte = records[p++];
      x += (byte & 127) * unit;
    }
    return x % 2 ? -(x + 1) / 2 : x / 2;
  };
  while (p < records.length) {
    const size = varint();
    const end = p + size;
    p++; // attributes
    varint(); // timestamp delta
    varint(); // offset delta
    const key = varint();
    p += Math.max(key, 0);
    const length = varint();
    out.push(...records.subarray(p, p + length), 10);
    p = end;
  }
  return Uint8Array.from(out);
}

for (const [name, bytes] of contents) {
  Deno.test(`${name}: a foreign encoder's bytes give what it was fed`, fast, async () => {
    const back = await decompress(name, bytes);
    const text = batches.includes(name) ? values(back) : back;
    const fed = name === "linked.lz4" ? Buffer.concat([rows, rows]) : rows;
    assert.ok(Buffer.compare(text, fed) === 0);
  });

  Deno.test(`${name}: a strict prefix of it is a ProtocolError`, fast, async () => {
    for (
      let size = 0;
      size < bytes.length;
      size += size < 64 || size > bytes.length - 64 ? 1 : 97
    ) {
      const result = await decompress(name, bytes.subarray(0, size)).then((b) => b, (e) => e);
      if (result instanceof Uint8Array) {
        // No end mark tells of what is missing: a xerial stream cut between two blocks, and gzip
        // cut between two members.
        assert.ok(name === "java.snappy" || name === "members.gzip", `${size} bytes`);
        assert.ok(result.length < rows.length);
      } else assert.ok(result instanceof ProtocolError, `${size} bytes: ${result}`);
    }
  });
}

Deno.test("the foreign bytes are of the kinds that they are to stand for", fast, () => {
  const starts = (name: string, hex: string) =>
    assert.equal(Buffer.from(contents.get(name)!.subarray(0, hex.length / 2)).toString("hex"), hex);
  starts("java.snappy", "82534e4150505900"); // xerial
  assert.notEqual(contents.get("kcat.snappy")![0], 0x82); // raw
  starts("linked.lz4", "04224d185c40"); // linked, block checksums, sizes, content checksum; 64 KB
  starts("b7.lz4", "04224d187470"); // independent, both checksums; 4 MB
  starts("nosize.zstd", "28b52ffd00"); // no content size, no checksum
});
