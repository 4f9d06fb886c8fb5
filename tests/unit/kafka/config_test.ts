import assert from "node:assert/strict";
import { addressName, parseAddress } from "../../../lib/kafka/config.ts";

const none = { permissions: "none" } as const;

Deno.test("parseAddress: a host, with or without a port", none, () => {
  const cases: [text: string, host: string, port: number][] = [
    ["localhost", "localhost", 9092],
    ["localhost:1", "localhost", 1],
    ["broker-1.example.org:65535", "broker-1.example.org", 65535],
    ["127.0.0.1:9093", "127.0.0.1", 9093],
    ["[::1]", "::1", 9092],
    ["[::1]:9093", "::1", 9093],
    ["[2001:DB8::ffff:10.0.0.1]:80", "2001:DB8::ffff:10.0.0.1", 80],
    ["host_with_underscore:9092", "host_with_underscore", 9092],
    ["host:09092", "host", 9092],
    ["host.example.org.:9092", "host.example.org.", 9092],
    ["4.broker:9092", "4.broker", 9092],
    ["[fe80::1%eth0]:9092", "fe80::1%eth0", 9092],
    [`${"a".repeat(63)}:9092`, "a".repeat(63), 9092],
  ];
  for (const [text, host, port] of cases) {
    assert.deepEqual(parseAddress(text), { host, port }, text);
  }
});

Deno.test("parseAddress: anything else is not one", none, () => {
  const cases = ["", ":9092", "host:", "host:x", "host:0", "host:65536", "host:123456", "host:-1"];
  cases.push("::1", "::1:9092", "[::1", "[::1]9092", "[host]:9092", "[]:9092", "a,b", "a b");
  cases.push(" host", "host ", "http://host:9092", "PLAINTEXT://host:9092", "host:1:2", "host/x");
  // Hosts that can't be: each was looked up again and again, until the timeout.
  cases.push(
    "*",
    "*:9092",
    "a;b",
    "a|b",
    "-b",
    "--topic",
    "host-",
    "a..b",
    ".a",
    "b$x",
    "ä",
    "a'b",
  );
  cases.push(
    "9092",
    "1.2.3",
    "1.2.3.4.5",
    "256.0.0.1:9092",
    "a".repeat(64),
    "[abc]",
    "[%eth0]",
    "[:::1]",
  );
  for (const text of cases) assert.equal(parseAddress(text), null, `"${text}"`);
});

Deno.test("addressName: what parseAddress reads, IPv6 in brackets", none, () => {
  for (const name of ["localhost:9092", "[::1]:9093", "10.0.0.1:1"]) {
    assert.equal(addressName(parseAddress(name)!), name);
  }
  assert.equal(addressName({ host: "::1", port: 9092 }), "[::1]:9092");
});
