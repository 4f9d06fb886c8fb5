import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import * as zlib from "node:zlib";
import { CodecLimitError } from "../../../lib/protocol/codecs/errors.ts";
import type { CodecImplementation } from "../../../lib/protocol/codecs/codec.ts";
import { loadCodec } from "../../../lib/protocol/codecs/codecs.ts";
import { mostOfFrame } from "../../../lib/protocol/codecs/zstd.ts";
import { ZstdLibrary } from "../../../lib/protocol/codecs/zstd_library.ts";
import { ProtocolError } from "../../../lib/protocol/errors.ts";
import type { Codec } from "../../../lib/protocol/record_batch.ts";

/** The codecs, and what stands in for the runtime's zstd where that won't do. */
type Name = Codec | "zstd library";
const compressing: Name[] = ["gzip", "snappy", "lz4", "zstd", "zstd library"];
const all: Name[] = ["none", ...compressing];
const library = new ZstdLibrary();
const LIMIT = 64 << 20;
const fast = { permissions: "none" } as const;

async function load(name: Name): Promise<CodecImplementation> {
  return name === "zstd library" ? library : await loadCodec(name);
}

async function decompress(codec: Name, source: Uint8Array, limit = LIMIT): Promise<Uint8Array> {
  return (await load(codec)).decompress(source, limit).slice();
}

async function compress(codec: Name, source: Uint8Array): Promise<Uint8Array> {
  return (await load(codec)).compress(source).slice();
}

/** Numbers from 0 to 1 that are the same on every run. */
function numbers(seed: number): () => number {
  return () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return seed / 2 ** 32;
  };
}

/** Noise, text-like bytes with short repeats, or one byte again and again. */
function sample(kind: "noise" | "text" | "run", size: number, seed = 1): Uint8Array {
  const next = numbers(seed);
  const bytes = new Uint8Array(size);
  for (let i = 0; i < size; i++) {
    if (kind === "noise") bytes[i] = next() * 256;
    else if (kind === "run") bytes[i] = 65;
    else if (i < 40 || next() < 0.1) bytes[i] = 97 + next() * 26;
    else {
      const back = 1 + Math.floor(next() * Math.min(i, 3000));
      for (const stop = Math.min(size, i + 4 + next() * 40); i < stop; i++) {
        bytes[i] = bytes[i - back];
      }
      i--;
    }
  }
  return bytes;
}

const sizes = [
  0,
  1,
  2,
  3,
  7,
  12,
  13,
  15,
  16,
  17,
  31,
  64,
  100,
  255,
  1000,
  4095,
  32767,
  32768,
  32769,
];
sizes.push(65535, 65536, 65537, 100_000, 131_072, 1_000_003);

for (const codec of all) {
  Deno.test(`${codec}: what was compressed comes back`, fast, async () => {
    for (const kind of ["noise", "text", "run"] as const) {
      for (const size of sizes) {
        const bytes = sample(kind, size, size + 1);
        const packed = await compress(codec, bytes);
        const back = await decompress(codec, packed);
        assert.ok(Buffer.compare(back, bytes) === 0, `${size} bytes of ${kind}`);
      }
    }
  });

  Deno.test(
    `${codec}: random sizes up to 4 MB come back, into the same buffers`,
    fast,
    async () => {
      const next = numbers(7);
      const implementation = await load(codec);
      for (let i = 0; i < 12; i++) {
        const bytes = sample(next() < 0.3 ? "noise" : "text", next() ** 3 * 4_000_000, i);
        const packed = implementation.compress(bytes).slice();
        const back = implementation.decompress(packed, bytes.length);
        assert.ok(Buffer.compare(back, bytes) === 0);
      }
    },
  );

  Deno.test(`${codec}: the limit is exact`, fast, async () => {
    const bytes = sample("text", 70_000);
    const packed = await compress(codec, bytes);
    assert.equal((await decompress(codec, packed, 70_000)).length, 70_000);
    for (const limit of [0, 1, 100, 65_536, 69_999]) {
      await assert.rejects(decompress(codec, packed, limit), CodecLimitError);
    }
  });
}

for (const codec of compressing) {
  Deno.test(`${codec}: every strict prefix is an error or a shorter text`, fast, async () => {
    const bytes = sample("text", 700);
    const packed = await compress(codec, bytes);
    for (let size = 0; size < packed.length; size++) {
      const error = await decompress(codec, packed.subarray(0, size)).then(
        (back) => back,
        (e) => e,
      );
      if (error instanceof Uint8Array) {
        // A xerial stream has no end mark: cut behind its header it is an empty one.
        assert.equal(codec, "snappy");
        assert.deepEqual([size, error.length], [16, 0]);
      } else assert.ok(error instanceof ProtocolError, `${size}: ${error}`);
    }
  });

  Deno.test(
    `${codec}: a flipped bit is an error or gives other bytes, and no crash`,
    fast,
    async () => {
      const bytes = sample("text", 500);
      const packed = await compress(codec, bytes);
      for (let bit = 0; bit < packed.length * 8; bit++) {
        const flipped = packed.slice();
        flipped[bit >> 3] ^= 1 << (bit & 7);
        const result = await decompress(codec, flipped, 1 << 20).then((back) => back, (e) => e);
        assert.ok(
          result instanceof Uint8Array || result instanceof ProtocolError,
          `${bit}: ${result}`,
        );
      }
      assert.deepEqual(await decompress(codec, packed), bytes, "it still works");
    },
  );

  Deno.test(`${codec}: a bomb stops at the limit`, fast, async () => {
    const bomb = await compress(codec, new Uint8Array(40 << 20));
    assert.ok(bomb.length < 4 << 20);
    await assert.rejects(decompress(codec, bomb, 1 << 20), CodecLimitError);
  });

  Deno.test(`${codec}: random bytes are malformed`, fast, async () => {
    for (let i = 0; i < 300; i++) {
      const result = await decompress(codec, sample("noise", i, i), 1 << 20).then(
        (b) => b,
        (e) => e,
      );
      assert.ok(result instanceof Uint8Array || result instanceof ProtocolError, `${i}: ${result}`);
      if (codec !== "snappy") assert.ok(result instanceof ProtocolError, `${i}`);
    }
  });
}

Deno.test("gzip: a higher level makes it smaller, and 4 is the default", fast, async () => {
  const bytes = sample("text", 300_000);
  const implementation = await load("gzip");
  const sizes = Array.from({ length: 10 }, (_, level) => {
    const packed = implementation.compress(bytes, level).slice();
    assert.ok(Buffer.compare(implementation.decompress(packed, LIMIT), bytes) === 0, `${level}`);
    return packed.length;
  });
  assert.ok(sizes[0] > bytes.length, "0: stored");
  assert.ok(sizes[1] > sizes[4] && sizes[4] > sizes[6], `${sizes}`);
  assert.equal(implementation.compress(bytes).length, sizes[4]);
});

Deno.test("snappy: a length of 4 GB is rejected before anything is reserved", fast, async () => {
  const lying = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x0f, 0x00, 0x41);
  await assert.rejects(decompress("snappy", lying), CodecLimitError);
  await assert.rejects(decompress("snappy", lying, 2 ** 32), /7 bytes cannot hold 4294967295/);
});

Deno.test("snappy: joined xerial streams are one", fast, async () => {
  const one = await compress("snappy", sample("text", 50_000));
  const joined = new Uint8Array([...one, ...one]);
  assert.equal((await decompress("snappy", joined)).length, 100_000);
});

Deno.test(
  "snappy: the versions in xerial's header do not count, nor their byte order",
  fast,
  async () => {
    const bytes = sample("text", 50_000);
    const one = await compress("snappy", bytes);
    // Redpanda once wrote 1 and 1 with the lowest byte first, and the sizes as Java does.
    const littleEndian = [1, 0, 0, 0, 1, 0, 0, 0];
    for (const versions of [littleEndian, [0, 0, 0, 2, 0, 0, 0, 1], Array(8).fill(0xff)]) {
      const other = one.slice();
      other.set(versions, 8);
      assert.deepEqual(await decompress("snappy", other), bytes);
      const joined = await decompress("snappy", new Uint8Array([...other, ...one, ...other]));
      assert.deepEqual(joined, new Uint8Array([...bytes, ...bytes, ...bytes]));
    }
    // The first bytes of a batch of Redpanda's, as its users have reported them.
    const head = Uint8Array.of(0x82, ...new TextEncoder().encode("SNAPPY"), 0, ...littleEndian);
    assert.deepEqual(
      await decompress("snappy", new Uint8Array([...head, 0, 0, 0, 3, 1, 0, 65])),
      Uint8Array.of(65),
    );
  },
);

Deno.test(
  "lz4: frames behind one another are one; skippable frames are skipped",
  fast,
  async () => {
    const bytes = sample("text", 50_000);
    const one = await compress("lz4", bytes);
    const skipped = [0x51, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3];
    const joined = new Uint8Array([...one, ...skipped, ...one]);
    assert.equal((await decompress("lz4", joined)).length, 100_000);
  },
);

Deno.test("lz4: the checksums of a block and of a frame's content are compared", fast, async () => {
  // A stored block with its checksum; and the same with one of the whole content.
  for (
    const frame of [
      "04224d187040ad0b0000806120726f772c226f66220ab36bbd7500000000",
      "04224d186440a70b0000806120726f772c226f66220a00000000b36bbd75",
    ]
  ) {
    const bytes = Uint8Array.from(frame.match(/../g)!, (hex) => parseInt(hex, 16));
    assert.equal(new TextDecoder().decode(await decompress("lz4", bytes)), 'a row,"of"\n');
    for (let bit = 8 * frame.indexOf("61207") / 2; bit < 8 * bytes.length; bit++) {
      const flipped = bytes.slice();
      flipped[bit >> 3] ^= 1 << (bit & 7);
      await assert.rejects(decompress("lz4", flipped), ProtocolError, `bit ${bit}`);
    }
  }
});

Deno.test("lz4: each overlap is copied right", fast, async () => {
  // One literal run of `off` bytes, a match of 90 that far back, five literals.
  for (let off = 1; off <= 40; off++) {
    const literals = sample("noise", off, off);
    const token = [(Math.min(off, 15) << 4) | 15, ...(off >= 15 ? [off - 15] : [])];
    const block = [...token, ...literals, off, 0, 90 - 19, 0x50, 1, 2, 3, 4, 5];
    const frame = new Uint8Array([4, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82, block.length, 0, 0, 0]
      .concat(block, [0, 0, 0, 0]));
    const expected = [...literals];
    while (expected.length < off + 90) expected.push(expected[expected.length - off]);
    assert.deepEqual(await decompress("lz4", frame), new Uint8Array([...expected, 1, 2, 3, 4, 5]));
  }
});

Deno.test("zstd: a size of 2^62 that is promised and not kept is malformed", fast, async () => {
  // Magic, single segment with an 8-byte content size of 2^62, an empty last block.
  const frame = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0xe0, 0, 0, 0, 0, 0, 0, 0, 0x40, 1, 0, 0);
  await assert.rejects(decompress("zstd", frame), ProtocolError);
});

Deno.test("zstd: the runtime gets exactly one whole frame", fast, async () => {
  // With and without a content size, a checksum, a dictionary's number, a single segment.
  const frame = await compress("zstd", sample("text", 300_000));
  assert.equal(mostOfFrame(frame), 3 * 128 * 1024);
  for (let size = 0; size < frame.length; size++) {
    assert.equal(mostOfFrame(frame.slice(0, size)), 0);
  }
  assert.equal(mostOfFrame(new Uint8Array([...frame, ...frame])), 0);
  assert.equal(mostOfFrame(new Uint8Array([...frame, 0])), 0);
  const empty = [1, 0, 0];
  const headers = [[0, 8], [0x20, 0], [0x40, 8, 0, 0], [0x80, 8, 0, 0, 0, 0], [0x60, 0, 0]];
  headers.push([0xc0, 8, 0, 0, 0, 0, 0, 0, 0, 0], [1, 8, 7], [2, 8, 7, 0], [3, 8, 7, 0, 0, 0]);
  for (const header of headers) {
    const made = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, ...header, ...empty);
    assert.equal(mostOfFrame(made), 128 * 1024, header.join());
    made[4] |= 4;
    assert.equal(mostOfFrame(made), 0, header.join());
    assert.equal(mostOfFrame(new Uint8Array([...made, 1, 2, 3, 4])), 128 * 1024, header.join());
  }
});

Deno.test("zstd: the runtime and the library agree", fast, async () => {
  const frames = [
    await compress("zstd", sample("text", 300_000)),
    await compress("zstd", sample("noise", 40_000)),
    zlib.zstdCompressSync(sample("text", 250_000), { chunkSize: 1 << 20 }),
    zlib.zstdCompressSync(sample("text", 250_000), {
      chunkSize: 1 << 20,
      params: { [zlib.constants.ZSTD_c_checksumFlag]: 1 },
    }),
  ];
  const outcome = async (codec: Name, source: Uint8Array) =>
    await decompress(codec, source, 1 << 20).then((back) => back, ({ message }) => message);
  for (const frame of frames) {
    assert.ok(frame.length > 32 * 1024 && mostOfFrame(frame) > 0, "for the runtime");
    // All bits of the headers, and some of the rest.
    for (let bit = 0; bit < frame.length * 8; bit += bit < 300 ? 1 : 1009) {
      const flipped = Uint8Array.from(frame);
      flipped[bit >> 3] ^= 1 << (bit & 7);
      const told = await outcome("zstd", flipped);
      assert.deepEqual(told, await outcome("zstd library", flipped), `bit ${bit}`);
    }
    const twice = new Uint8Array([...frame, ...frame]);
    assert.deepEqual(await outcome("zstd", twice), await outcome("zstd library", twice));
  }
});
