import assert from "node:assert/strict";
import { Secret, shown, shownPath, withoutSecrets } from "../../lib/secret.ts";

const none = { permissions: "none" } as const;

Deno.test("secrets: one that is known is in no line for people, however it got there", none, () => {
  const secret = new Secret("hunter2-unit/&+");
  assert.equal(
    withoutSecrets("broker: no user with hunter2-unit/&+, and hunter2-unit/&+"),
    "broker: no user with ***, and ***",
  );
  assert.equal(secret.redact("x hunter2-unit/&+ y"), "x *** y");
  assert.equal(secret.reveal(), "hunter2-unit/&+");
});

Deno.test("secrets: what prints or encodes the object shows nothing", none, () => {
  const secret = new Secret("hunter2-printed");
  for (const text of [JSON.stringify({ secret }), Deno.inspect({ secret }), `${secret}`]) {
    assert.ok(!text.includes("hunter2-printed"), text);
  }
});

Deno.test("secrets: a short word is not searched for: to remove it would show it", none, () => {
  new Secret("orders");
  new Secret("");
  assert.equal(withoutSecrets("topic orders of orders"), "topic orders of orders");
});

Deno.test(
  "secrets: only the last ones are searched for, however many tokens there were",
  none,
  () => {
    for (let i = 0; i < 1000; i++) new Secret(`token-${i}-of-many`);
    assert.equal(withoutSecrets("token-999-of-many"), "***");
    assert.equal(withoutSecrets("token-936-of-many"), "***");
    assert.equal(withoutSecrets("token-935-of-many"), "token-935-of-many");
  },
);

Deno.test("secrets: user info of URLs, and what such names are given", none, () => {
  const cases = [
    ["http://ann:pw@host/x", "http://***@host/x"],
    ["postgres://ann:p/w?x#y@z@host/db", "postgres://***@host/db"],
    ["postgres://user@host/db", "postgres://user@host/db"],
    ["ssl.key.password=abc d", "ssl.key.password=*** d"],
    ['sasl.jaas.config = "a b" c', "sasl.jaas.config = *** c"],
    ["client.secret='a b',x=1", "client.secret=***,x=1"],
    ["topic=abc", "topic=abc"],
  ];
  for (const [line, expected] of cases) assert.equal(withoutSecrets(line), expected);
});

Deno.test(
  "secrets: of a word in a wrong place the beginning is shown, of no path nothing",
  none,
  () => {
    assert.equal(shown("sasl.password=abc"), "sasl.password=…");
    assert.equal(shown("http://ann:pw@host"), "http://…");
    assert.equal(shown("--topic"), "--topic");
    assert.equal(shownPath("/etc/kafka/ca.pem"), '"/etc/kafka/ca.pem"');
    assert.equal(shownPath("-----BEGIN PRIVATE KEY-----"), "its file");
  },
);
