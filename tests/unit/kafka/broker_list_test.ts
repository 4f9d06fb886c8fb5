import assert from "node:assert/strict";
import { Failure } from "../../../lib/failure.ts";
import { parseBrokers } from "../../../lib/kafka/broker_list.ts";

const none = { permissions: "none" } as const;

Deno.test("brokers: a list, with commas too many and blanks, and with protocols", none, () => {
  const cases: [text: string, protocol: string | null, brokers: string[]][] = [
    ["a", "", ["a"]],
    [" a:1 , b:2,,\tc:3 , ", "", ["a:1", "b:2", "c:3"]],
    ["PLAINTEXT://a:1,b", "", ["a:1", "b"]],
    ["plaintext://a", "PLAINTEXT", ["a:9092"]],
    ["SASL_SSL://a:1,sasl_ssl://b:2", "sasl_ssl", ["a:1", "b:2"]],
    ["SSL://[::1]:9093", "SSL", ["[::1]:9093"]],
    ["SSL://a:1,PLAINTEXT://b:2", null, ["a:1", "b:2"]],
    ["[::1]:9092,[fe80::1%eth0]:9092", "", ["[::1]:9092", "[fe80::1%eth0]:9092"]],
    // What is wrong with security.protocol itself is reported by that name.
    ["SSL://a:1", "TLS", ["a:1"]],
  ];
  for (const [text, protocol, brokers] of cases) {
    assert.deepEqual(parseBrokers(text, "--brokers", protocol), brokers, text);
  }
});

Deno.test("brokers: what is wrong is named by its number, without its text", none, () => {
  const cases: [text: string, protocol: string, message: RegExp][] = [
    ["", "", /^--brokers names no broker$/],
    [" , ,", "", /^--brokers names no broker$/],
    ["a:1,s3cret:x", "", /^--brokers: broker 2 is not HOST:PORT$/],
    ["::1", "", /^--brokers: broker 1 is an IPv6 address — write \[ADDRESS\]:PORT$/],
    ["a,2001:db8::1:9092", "", /^--brokers: broker 2 is an IPv6 address — write/],
    ["fe80::1%eth0", "", /^--brokers: broker 1 is an IPv6 address — write/],
    ["SSL://::1", "SSL", /^--brokers: broker 1 is an IPv6 address — write/],
    ["a:b:c", "", /^--brokers: broker 1 is not HOST:PORT$/],
    ["SSL://", "SSL", /^--brokers: broker 1 is not HOST:PORT$/],
    ["SSL://SSL://a", "SSL", /^--brokers: broker 1 is not HOST:PORT$/],
    ["SSL://a/", "SSL", /^--brokers: broker 1 is not HOST:PORT$/],
    [
      "http://s3cret:s3cret@a",
      "",
      /^--brokers: broker 1 is not HOST:PORT, nor that after PLAINTEXT:/,
    ],
    [
      "SSL://a",
      "",
      /^--brokers: broker 1 begins with SSL:\/\/, but security\.protocol is not set — set/,
    ],
    [
      "a,PLAINTEXT://b",
      "SSL",
      /broker 2 begins with PLAINTEXT:\/\/, but security\.protocol is SSL — /,
    ],
    ["SASL_SSL://a", "ssl", /broker 1 begins with SASL_SSL:\/\/, .* is SSL — set it to SASL_SSL$/],
  ];
  for (const [text, protocol, message] of cases) {
    assert.throws(() => parseBrokers(text, "--brokers", protocol), (error: Error) => {
      assert.ok(error instanceof Failure && error.kind === "usage", text);
      assert.match(error.message, message);
      assert.ok(!error.message.includes("s3cret"));
      return true;
    });
  }
});
