import assert from "node:assert/strict";
import { below, bytesOf, columns, csv, latin1, packAll } from "./support.ts";

const fast = { permissions: "none" } as const;
const utf8 = new TextEncoder();

Deno.test(
  "json: json of random texts is what JSON.parse reads back, and JSON.stringify writes",
  fast,
  async () => {
    const next = below(7);
    const alphabet = [...'",\\\n\t\r\b\fab\u0001\u001fé€😀 {}[]', "\u007f", "\u2028"];
    const names = ["a", "b", "c"];
    for (let round = 0; round < 200; round++) {
      const expected: (string | null)[][] = [];
      let input = "";
      for (let i = 0; i < 20; i++) {
        const fields = names.map((): string | null => {
          if (next(6) === 0) return null;
          const size = next(next(3) === 0 ? 100 : 20);
          return Array.from({ length: size }, () => alphabet[next(alphabet.length)]).join("");
        });
        expected.push(fields);
        input += fields.map((field) => csv(field, next(2) === 0)).join(",") + "\n";
      }
      const { rows } = await packAll([utf8.encode(input)], {
        split: "csv",
        value: "json",
        columns: columns(...names),
      }, 1);
      const texts = rows.map(({ value }) => new TextDecoder().decode(bytesOf(value)));
      assert.deepEqual(
        texts,
        expected.map((fields) =>
          JSON.stringify(Object.fromEntries(names.map((name, i) => [name, fields[i]])))
        ),
      );
    }
  },
);

Deno.test(
  "json: a json column is accepted exactly if JSON.parse accepts it, and a database",
  fast,
  async () => {
    const next = below(11);
    const documents = [
      '{"a": [1, 2.5e-3, {"b": null}], "c": "\\u00e9\\n\\"x\\\\", "d": true, "e": false}',
      '[[], {}, [[[{"k": [0, -1]}]]], "a long string of more than sixteen bytes", ""]',
      "  -12.0E+7 ",
      '"only a string with \\ud83d\\ude00"',
      "null",
    ];
    let accepted = 0;
    const documentsAndMutants = documents.flatMap((text) => [
      text,
      ...Array.from(text, (_, at) => text.slice(0, at)),
      ...Array.from({ length: 1500 }, () => {
        const bytes = utf8.encode(text);
        for (let i = 0; i <= next(2); i++) {
          bytes[next(bytes.length)] = next(3) === 0
            ? next(128)
            : '{}[]",:\\0123456789eE+-.tfnu /'.charCodeAt(next(31)) || 32;
        }
        return new TextDecoder().decode(bytes);
      }),
    ]).filter((text) => text !== "");
    const input = documentsAndMutants.map((text) => csv(text, true)).join("\n");
    const { rows, bad } = await packAll([utf8.encode(input)], {
      split: "csv",
      value: "json",
      columns: columns("d:json"),
      badRecord: "skip",
    }, 1);
    const expected = documentsAndMutants.filter((text) => {
      try {
        let holds = true;
        JSON.parse(text, (key, value) => {
          for (const text of [key, `${value}`]) {
            holds &&= text.isWellFormed() && !text.includes("\0");
          }
          return value;
        });
        return holds;
      } catch {
        return false;
      }
    });
    accepted = expected.length;
    assert.deepEqual(
      rows.map(({ value }) => value),
      expected.map((text) => `{"d":${latin1(utf8.encode(text))}}`),
    );
    assert.equal(bad.count, documentsAndMutants.length - accepted);
    assert.ok(accepted > 500 && bad.count > 500, `${accepted} accepted`);
  },
);

Deno.test("json: nesting deeper than 65,536 is not valid JSON, and no crash", fast, async () => {
  for (const [depth, ok] of [[65_536, true], [65_537, false], [500_000, false]] as const) {
    const text = "[".repeat(depth) + "]".repeat(depth);
    const { rows } = await packAll([bytesOf(text)], {
      split: "csv",
      value: "json",
      columns: columns("d:json"),
      badRecord: "skip",
    }, 1);
    // Commas would be needed for more columns: brackets alone are one.
    assert.equal(rows.length, ok ? 1 : 0, `${depth}`);
  }
});
