import assert from "node:assert/strict";
import { jsonProgram, linesOf, RowMaker } from "../../../support/program_rows.ts";

const none = { permissions: "none" } as const;
const utf8 = new TextEncoder();

Deno.test(
  "a name with quotes, backslashes or controls is found by what it is, after others too",
  none,
  () => {
    const lines = (list: string, documents: string[]) => {
      const made = new RowMaker(jsonProgram(list)).values(
        documents.map((text) => utf8.encode(text)),
      );
      return [linesOf(made), made.bad.map(({ index }) => index)];
    };
    // A backslash and n, then a newline: only the first is the path's.
    const names = ['{"a\\\\nb":1}', '{"a\\nb":2}', '{"a\\\\nb":3}', '{"a\\nb":4}'];
    assert.deepEqual(lines('"a\\nb"', names), ["1\n\n3\n\n", []]);
    // Bytes of the name that are not one in JSON.
    const quotes = ['{"a\\"b":1}', '{"a"b":2}', '{"a\\"b":3}'];
    assert.deepEqual(lines('"a""b"', quotes), ["1\n3\n", [1]]);
    const tabs = ['{"a\\tb":1}', '{"a\tb":2}', '{"a\\tb":3}'];
    assert.deepEqual(lines('"a\tb"', tabs), ["1\n3\n", [1]]);
  },
);
