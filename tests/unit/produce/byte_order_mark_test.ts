import assert from "node:assert/strict";
import { Failure } from "../../../lib/failure.ts";
import { withoutMark } from "../../../lib/produce/byte_order_mark.ts";
import { bytesOf, chunked, Collector, defaults, packInput } from "./support.ts";

const fast = { permissions: "none" } as const;

/** The rows of an input that comes in these chunks. */
async function rowsOf(chunks: readonly string[]): Promise<(string | null)[][]> {
  const sink = new Collector(1);
  const options = { ...defaults, key: { column: 1, cut: false } };
  await packInput(withoutMark(chunked(chunks.map(bytesOf))), options, sink, 1);
  return sink.rows.map(({ key, value }) => [key, value]);
}

/** Every way to cut a text into two, and into single characters. */
function cuts(text: string): string[][] {
  return [
    [text],
    [...text],
    ...Array.from(text, (_, at) => [text.slice(0, at), text.slice(at)]),
  ];
}

Deno.test("byte order mark: it is not part of the first key or value", fast, async () => {
  for (const chunks of cuts("\xef\xbb\xbfa,1\n\xef\xbb\xbfb,2\n")) {
    assert.deepEqual(await rowsOf(chunks), [
      ["a", "a,1"],
      // Only the input's first bytes can be one.
      ["\xef\xbb\xbfb", "\xef\xbb\xbfb,2"],
    ]);
  }
});

Deno.test("byte order mark: what only begins like one stays", fast, async () => {
  for (const text of ["\xef", "\xef\xbb", "\xef\xbb,1", "\xefa", "\xff", "\xfe", "\xffa", "x"]) {
    for (const chunks of cuts(text)) {
      assert.deepEqual((await rowsOf(chunks)).map(([, value]) => value), [text]);
    }
  }
  assert.deepEqual(await rowsOf(["\xef\xbb\xbf"]), []);
  assert.deepEqual(await rowsOf([]), []);
});

Deno.test("byte order mark: UTF-16 is named, and nothing of it is a row", fast, async () => {
  for (const [mark, bytes] of [["\xff\xfe", "FF FE"], ["\xfe\xff", "FE FF"]]) {
    for (const chunks of cuts(`${mark}a\0\n\0`)) {
      await assert.rejects(rowsOf(chunks), (error) => {
        assert.ok(error instanceof Failure && error.kind === "record");
        assert.equal(
          error.message,
          `cannot read stdin: it is UTF-16 (its first bytes are ${bytes}), not UTF-8 — ` +
            "convert it: iconv -f UTF-16 -t UTF-8",
        );
        return true;
      });
    }
  }
});
