import assert from "node:assert/strict";
import { ProtocolError } from "../../../lib/protocol/errors.ts";
import { apiOf, cases, decodeWhole, frame } from "../../golden/frames.ts";

for (const name of cases) {
  const test = `${name}: every strict prefix, and a byte too many, is a ProtocolError`;
  Deno.test(test, { permissions: "none" }, () => {
    const api = apiOf(name);
    const bytes = frame(name);
    decodeWhole(api, bytes);
    for (let size = 0; size < bytes.length; size++) {
      // What lies after the end must not be read: a copy has nothing there, a view has the rest.
      assert.throws(() => decodeWhole(api, bytes.slice(0, size)), ProtocolError, `${size} bytes`);
      assert.throws(() => decodeWhole(api, bytes.subarray(0, size)), ProtocolError);
    }
    assert.throws(() => decodeWhole(api, new Uint8Array([...bytes, 0])), ProtocolError);
  });
}

Deno.test("any byte of any answer may be anything: decoded, or a ProtocolError", {
  permissions: "none",
}, () => {
  for (const name of cases) {
    const api = apiOf(name);
    const bytes = frame(name);
    for (let at = 0; at < bytes.length; at++) {
      const right = bytes[at];
      for (const wrong of [0, 1, 0x7f, 0x80, 0xff, right ^ 1]) {
        bytes[at] = wrong;
        try {
          decodeWhole(api, bytes);
        } catch (error) {
          assert.ok(error instanceof ProtocolError, `${name}, byte ${at} = ${wrong}: ${error}`);
        }
      }
      bytes[at] = right;
    }
  }
});
