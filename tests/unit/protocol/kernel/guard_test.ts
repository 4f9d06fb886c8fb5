import assert from "node:assert/strict";
import { Flag, Kernel, Stop } from "../../../../lib/protocol/kernel/kernel.ts";
import { encodeRecord, load, random, utf8 } from "./records.ts";

const none = { permissions: "none" } as const;
const kernel = new Kernel();

/** Whether the guard wants an exact look at the value, which stands between two that it passes. */
function isSuspect(value: Uint8Array): boolean {
  const fine = utf8("fine");
  const before = encodeRecord({ delta: 0, value: fine });
  const record = encodeRecord({ delta: 1, value });
  const [start, end] = load(
    kernel,
    new Uint8Array([...before, ...record, ...encodeRecord({ delta: 2, value: fine })]),
  );
  const stop = kernel.rows({ start, end, count: 3, out: Kernel.DATA, flags: Flag.guard });
  if (kernel.stop === Stop.done) {
    const row = kernel.bytes.subarray(Kernel.DATA + 5, stop - 5);
    assert.deepEqual(row, new Uint8Array([...value, 10]));
    return false;
  }
  assert.equal(kernel.stop, Stop.suspect);
  assert.deepEqual([kernel.seen, kernel.emitted, kernel.delta], [2, 1, 1]);
  assert.equal(stop, Kernel.DATA + 5);
  assert.equal(kernel.at, start + before.length + record.length);
  const { valueAt, valueLength } = kernel;
  assert.deepEqual(kernel.bytes.slice(valueAt, valueAt + valueLength), value);
  return true;
}

/** Calls with a plain value of every length around one to four vectors, and every index in it. */
function everywhere(test: (value: Uint8Array, at: number) => void): void {
  for (let length = 1; length <= 70; length++) {
    for (let at = 0; at < length; at++) test(new Uint8Array(length).fill(0x78), at);
  }
}

Deno.test("guard: plain values pass at every length", none, () => {
  for (let length = 1; length <= 300; length++) {
    assert.equal(isSuspect(new Uint8Array(length).fill(0x78)), false, `${length} bytes`);
  }
});

for (const [name, byte] of [["newline", 10], ["carriage return", 13], ["NUL", 0]] as const) {
  Deno.test(`guard: a ${name} is suspect wherever it is`, none, () => {
    everywhere((value, at) => {
      value[at] = byte;
      assert.ok(isSuspect(value), `${at} of ${value.length}`);
    });
  });
}

Deno.test("guard: every other ASCII byte passes wherever it is", none, () => {
  const others = Array.from({ length: 128 }, (_, byte) => byte)
    .filter((byte) => ![0, 10, 13, 0x22].includes(byte));
  for (const byte of others) {
    for (const length of [1, 15, 16, 17, 32, 33]) {
      assert.equal(isSuspect(new Uint8Array(length).fill(byte)), false, `${byte}`);
    }
  }
});

Deno.test(
  "guard: an odd number of quotes is suspect wherever they are, an even one is not",
  none,
  () => {
    const next = random(3);
    everywhere((value, at) => {
      value[at] = 0x22;
      assert.ok(isSuspect(value), `${at} of ${value.length}`);
      const other = next(value.length);
      if (other === at) return;
      value[other] = 0x22;
      assert.equal(isSuspect(value), false, `${at} and ${other} of ${value.length}`);
    });
    for (let count = 1; count <= 70; count++) {
      assert.equal(isSuspect(new Uint8Array(count).fill(0x22)), count % 2 === 1, `${count}`);
    }
  },
);

Deno.test("guard: the row that ends Greenplum's data, and an empty one, are suspect", none, () => {
  assert.ok(isSuspect(utf8("\\.")));
  assert.ok(isSuspect(new Uint8Array()));
  for (const value of ["\\", ".", ".\\", "\\.x", "x\\.", "\\.\\."]) {
    assert.equal(isSuspect(utf8(value)), false, value);
  }
});

const strict = new TextDecoder("utf-8", { fatal: true });

function isUtf8(bytes: Uint8Array): boolean {
  try {
    strict.decode(bytes);
    return true;
  } catch {
    return false;
  }
}

Deno.test("guard: invalid UTF-8 is suspect wherever it is", none, () => {
  everywhere((value, at) => {
    value[at] = 0xff;
    assert.ok(isSuspect(value), `${at} of ${value.length}`);
    value[at] = 0xc3;
    assert.ok(isSuspect(value), `cut: ${at} of ${value.length}`);
    if (at + 1 === value.length) return;
    value[at + 1] = 0xbc;
    assert.equal(isSuspect(value), false, `ü: ${at} of ${value.length}`);
  });
});

Deno.test("guard: UTF-8 is what TextDecoder accepts: the edges of every form", none, () => {
  const leads = [0x7f, 0x80, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec, 0xed, 0xee, 0xef];
  leads.push(0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xf8, 0xff);
  const tails = [0x78, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xff];
  let valid = 0;
  const compare = (...bytes: number[]) => {
    const value = new Uint8Array(bytes);
    valid += Number(isUtf8(value));
    assert.equal(isSuspect(value), !isUtf8(value), bytes.join(" "));
  };
  for (const lead of leads) {
    compare(lead);
    for (const a of tails) {
      compare(lead, a);
      for (const b of tails) {
        compare(lead, a, b);
        for (const c of tails) compare(lead, a, b, c);
      }
    }
  }
  assert.ok(valid > 500, `${valid}`);
});

Deno.test(
  "guard: UTF-8 is what TextDecoder takes for it: random text with random damage",
  none,
  () => {
    const next = random(4);
    const samples = [
      "a",
      "ü",
      "€",
      "\u{7ff}",
      "\u{800}",
      "\u{ffff}",
      "😀",
      "\u{10ffff}",
      "\u{d7ff}",
    ];
    let valid = 0;
    for (let round = 0; round < 20_000; round++) {
      const value = utf8(Array.from({ length: 1 + next(30) }, () => samples[next(9)]).join(""));
      if (next(3)) value[next(value.length)] = 0x80 + next(128);
      const cut = next(4) ? value : value.slice(0, 1 + next(value.length));
      valid += Number(isUtf8(cut));
      assert.equal(isSuspect(cut), !isUtf8(cut), cut.join(" "));
    }
    assert.ok(valid > 2000 && valid < 18_000, `${valid}`);
  },
);
