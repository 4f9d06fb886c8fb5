import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { parse } from "csv-parse/sync";
import { Failure } from "../../../lib/failure.ts";
import { type GenerateOptions, generateRows } from "../../../scripts/generate_rows.ts";

function collect(options: GenerateOptions): Uint8Array {
  return Buffer.concat([...generateRows(options)]);
}

function text(options: GenerateOptions): string {
  return new TextDecoder().decode(collect(options));
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

Deno.test({ name: "the same seed always gives the same bytes", permissions: "none" }, () => {
  assert.equal(
    sha256(collect({ rows: 1000, seed: 1 })),
    "cc4be69828e99def7bcf63bb9e1b7b26a9fe6410dd63eef642e09bb8f9dced3a",
  );
  assert.equal(
    sha256(collect({ rows: 1000, seed: 1, newlines: true })),
    "bc448274ce39b3ab9f87b965140e42c1f5e70da7e5827c46746895396f6776d6",
  );
  assert.notEqual(text({ rows: 1000, seed: 2 }), text({ rows: 1000, seed: 1 }));
});

for (const newlines of [false, true]) {
  const name = `every row is a CSV record of 22 fields with its own ID, newlines: ${newlines}`;
  Deno.test({ name, permissions: "none" }, () => {
    const records: string[][] = parse(text({ rows: 20_000, start: 5, newlines }));
    assert.equal(records.length, 20_000);
    records.forEach((record, index) => {
      assert.equal(record.length, 22);
      assert.equal(record[0], String(5 + index));
      assert.match(record[2], /^\d\d\/\d\d\/20\d\d \d\d:\d\d:00 [AP]M$/);
      assert.equal(record[17], record[2].slice(6, 10));
      assert.equal(record[21], record[19] && `(${record[19]}, ${record[20]})`);
    });
  });
}

Deno.test({ name: "the awkward values of CSV are all there", permissions: "none" }, () => {
  const plain = text({ rows: 1000 });
  assert.equal(plain.split("\n").length, 1001); // a row is a line
  for (const value of ['"SCHOOL, PUBLIC, BUILDING"', '"CTA ""L"" TRAIN"', ',"",', ",,,"]) {
    assert.ok(plain.includes(value), `no ${value}`);
  }
  const broken = text({ rows: 1000, newlines: true });
  const lines = broken.split("\n").length;
  assert.ok(lines > 1010 && lines < 1030, `${lines} lines`);
  assert.ok(broken.includes('"\nSIMPLE"') && broken.includes('"OVER $500\n"'));
});

Deno.test({ name: "rows are as long as real ones", permissions: "none" }, () => {
  for (const start of [1, 100_001, 2_000_001]) {
    const average = collect({ rows: 100_000, start }).length / 100_000;
    assert.ok(Math.abs(average - 249) <= 2, `${average} bytes a row from ${start} on`);
  }
});

Deno.test({ name: "a row depends on its seed and ID only", permissions: "none" }, () => {
  const all = text({ rows: 300 });
  assert.equal(text({ rows: 100 }) + text({ rows: 200, start: 101 }), all);
});

Deno.test({ name: "chunks end where rows end, whatever their size", permissions: "none" }, () => {
  for (const chunkSize of [1, 1000, 100_000]) {
    const chunks = [...generateRows({ rows: 1000, chunkSize })];
    assert.ok(chunks.every((chunk) => chunk.at(-1) === 10));
    assert.deepEqual(Buffer.concat(chunks), collect({ rows: 1000 }));
  }
  assert.deepEqual([...generateRows({ rows: 0 })], []);
});

Deno.test({ name: "a number out of its range is a usage failure", permissions: "none" }, () => {
  const cases: [GenerateOptions, RegExp][] = [
    [{ rows: -1 }, /"rows" must be a whole number from 0 to 2147483647: got -1/],
    [{ rows: 1.5 }, /"rows"/],
    [{ rows: NaN }, /"rows"/],
    [{ rows: 1, seed: 2 ** 32 }, /"seed"/],
    [{ rows: 1, start: 0 }, /"start"/],
    [{ rows: 2, start: 2 ** 31 - 1 }, /the last ID 2147483648 is over 2147483647/],
  ];
  for (const [options, message] of cases) {
    assert.throws(
      () => [...generateRows(options)],
      (error) => error instanceof Failure && error.kind === "usage" && message.test(error.message),
    );
  }
});

async function run(...args: string[]): Promise<Deno.CommandOutput> {
  const script = new URL("../../../scripts/generate_rows.ts", import.meta.url).pathname;
  return await new Deno.Command(Deno.execPath(), { args: ["run", "-A", script, ...args] }).output();
}

Deno.test("the command line writes the same bytes", async () => {
  const { code, stdout } = await run("--rows", "5000", "--seed", "7", "--start", "9", "--newlines");
  assert.equal(code, 0);
  assert.deepEqual(
    sha256(stdout),
    sha256(collect({ rows: 5000, seed: 7, start: 9, newlines: true })),
  );
});

Deno.test("the command line rejects what it does not know", async () => {
  for (const args of [[], ["--rows", ""], ["--rows", "1e3"], ["--rows", "1", "--what"], ["1"]]) {
    const { code, stdout, stderr } = await run(...args);
    assert.equal(code, 64, args.join(" "));
    assert.equal(stdout.length, 0);
    assert.match(new TextDecoder().decode(stderr), /Usage:/);
  }
});
