import assert from "node:assert/strict";
import { Failure } from "../../../lib/failure.ts";
import { mergeProperties } from "../../../lib/properties/properties.ts";
import { registryConfig } from "../../../lib/registry/settings.ts";
import { authority } from "../../support/certificates.ts";

const byHand = { at: "-X", own: true };

async function config(urls: string[], properties: Record<string, string> = {}) {
  const list = Object.entries(properties).map(([key, value]) => ({ key, value, ...byHand }));
  return await registryConfig({
    urls,
    properties: mergeProperties(list),
    env: () => undefined,
    timeout: 1000,
    debug: () => {},
  });
}

/** Base and decoded login of each URL. */
async function logins(urls: string[], properties: Record<string, string> = {}) {
  const found = await config(urls, properties);
  return found!.urls.map(({ base, authorization }) => {
    const [, scheme, text] = /^(\w+) (.*)$/.exec(authorization?.reveal() ?? "") ?? [];
    const bytes = scheme === "Basic" && Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
    return [base, bytes ? new TextDecoder().decode(bytes) : text ?? ""];
  });
}

async function rejects(message: RegExp, urls: string[], properties: Record<string, string> = {}) {
  const error = await config(urls, properties).then(
    () => assert.fail("accepted"),
    (error) => error,
  );
  assert.ok(error instanceof Failure, String(error.stack));
  assert.equal(error.kind, "usage");
  assert.match(error.message, message);
  assert.ok(!error.message.includes("Pa55"), error.message);
}

Deno.test("a registry is named by flag or by property, by several URLs, or not at all", async () => {
  assert.equal(await config([]), null);
  assert.deepEqual(await logins(["http://a:8081,https://b/ ", "http://c/x/"]), [
    ["http://a:8081", ""],
    ["https://b", ""],
    ["http://c/x", ""],
  ]);
  const named = { "schema.registry.url": "http://d:1" };
  assert.deepEqual(await logins([], named), [["http://d:1", ""]]);
  assert.deepEqual(await logins(["http://a:8081"], named), [["http://a:8081", ""]]);
});

Deno.test("user and password in a URL are decoded, and not in the URL that is shown", async () => {
  assert.deepEqual(await logins(["https://lo%40der:p%2Fa%3As%25s%C3%A9@h:8081/api,http://h2"]), [
    ["https://h:8081/api", "lo@der:p/a:s%sé"],
    ["http://h2", ""],
  ]);
});

Deno.test("a URL that is not one is not shown", async () => {
  const wrong = [
    "registry:8081",
    "ftp://h:1",
    "http://",
    "http://u:Pa55/x@h:8081",
    "http://u:12/Pa55@h:8081",
    "http://u:Pa55#@h",
    "http://u:12?Pa55@h",
    "http://u:%Pa55@h",
    "http://h:8081?token=Pa55",
    "http://h:8081#Pa55",
    "Pa55",
  ];
  for (const url of wrong) {
    await rejects(/^--registry: URL 1 is not http:\/\/HOST:PORT/, [url]);
    await rejects(/^schema\.registry\.url: URL 1 is not/, [], { "schema.registry.url": url });
  }
  await rejects(/URL 2 is not/, ["http://u:12,Pa55@h:8081"]);
});

Deno.test("logins come from properties by Confluent's names", async () => {
  const url = ["http://own:1@h,http://h2"];
  const info = { "schema.registry.basic.auth.user.info": "user:pa:ss" };
  assert.deepEqual((await logins(url, info)).map(([, login]) => login), ["own:1", "user:pa:ss"]);
  const all = { ...info, "basic.auth.credentials.source": "USER_INFO" };
  assert.deepEqual((await logins(url, all)).map(([, login]) => login), [
    "user:pa:ss",
    "user:pa:ss",
  ]);
  const ofUrl = { ...info, "basic.auth.credentials.source": "URL" };
  assert.deepEqual((await logins(url, ofUrl)).map(([, login]) => login), ["own:1", ""]);
  const inherit = { "basic.auth.credentials.source": "SASL_INHERIT" };
  const sasl = { "sasl.username": "kafka", "sasl.password": "x" };
  assert.deepEqual((await logins(["http://h"], { ...inherit, ...sasl }))[0][1], "kafka:x");
  const jaas = {
    "sasl.jaas.config": 'a.PlainLoginModule required username="j" password="y";',
  };
  assert.deepEqual((await logins(["http://h"], { ...inherit, ...jaas }))[0][1], "j:y");
  await rejects(/SASL_INHERIT needs sasl.username/, ["http://h"], inherit);
  await rejects(/user.info is not set/, ["http://h"], {
    "basic.auth.credentials.source": "USER_INFO",
  });
  await rejects(/user.info is not USER:PASSWORD/, ["http://h"], { "basic.auth.user.info": "Pa55" });
  await rejects(/is not one of URL/, ["http://h"], { "basic.auth.credentials.source": "Pa55" });
});

Deno.test("a token is sent as it is, with Confluent Cloud's headers", async () => {
  const properties = {
    "bearer.auth.credentials.source": "STATIC_TOKEN",
    "schema.registry.bearer.auth.token": "ab.c-d",
    "bearer.auth.logical.cluster": "lsrc-1",
    "bearer.auth.identity.pool.id": "pool-1",
  };
  const { urls, headers } = (await config(["http://own:1@h"], properties))!;
  assert.equal(urls[0].authorization!.reveal(), "Bearer ab.c-d");
  assert.deepEqual(headers, {
    "target-sr-cluster": "lsrc-1",
    "Confluent-Identity-Pool-Id": "pool-1",
  });
  await rejects(/bearer.auth.token is not valid/, ["http://h"], { "bearer.auth.token": "Pa55 x" });
  await rejects(/only be STATIC_TOKEN/, ["http://h"], {
    "bearer.auth.credentials.source": "OAUTHBEARER",
  });
  await rejects(/bearer.auth.token is not set/, ["http://h"], {
    "bearer.auth.credentials.source": "STATIC_TOKEN",
  });
  await rejects(/exclude each other/, ["http://h"], {
    "bearer.auth.token": "x",
    "basic.auth.user.info": "a:Pa55",
  });
  await rejects(/bearer.auth.client.secret is not supported: tokens are given/, ["http://h"], {
    "bearer.auth.client.secret": "Pa55",
  });
  await rejects(/bearer.auth.logical.cluster is not valid/, ["http://h"], {
    "bearer.auth.token": "x",
    "bearer.auth.logical.cluster": "a\nb",
  });
});

Deno.test("TLS is set by Kafka's names after schema.registry., and messages name them so", async () => {
  const { certificate, key } = authority("ours");
  const properties = {
    "ssl.ca.pem": "not for the registry",
    "schema.registry.ssl.truststore.certificates": certificate,
    "schema.registry.ssl.keystore.certificate.chain": certificate,
    "schema.registry.ssl.keystore.key": key,
  };
  const { tls } = (await config(["https://h"], properties))!;
  assert.equal(tls.authorities.length, 1);
  assert.ok(tls.identity);
  const plain = (await config(["https://h"], { "ssl.ca.pem": certificate }))!;
  assert.deepEqual(plain.tls, { authorities: [], identity: null, checkHostname: true });
  await rejects(
    /^schema\.registry\.ssl\.ca\.location: cannot read "\/no\/ssl\.pem"/,
    ["https://h"],
    {
      "schema.registry.ssl.ca.location": "/no/ssl.pem",
    },
  );
  await rejects(/^schema\.registry\.ssl\.ca\.pem: no PEM certificate/, ["https://h"], {
    "schema.registry.ssl.ca.pem": "Pa55",
  });
  await rejects(/needs schema\.registry\.ssl\.certificate\.location too/, ["https://h"], {
    "schema.registry.ssl.key.pem": key,
  });
  await rejects(/host name of a registry is always checked/, ["https://h"], {
    "schema.registry.ssl.endpoint.identification.algorithm": "none",
  });
  await rejects(
    /keystore.password is not supported: .* set schema.registry.ssl.key/,
    ["https://h"],
    {
      "schema.registry.ssl.keystore.password": "Pa55",
    },
  );
});

Deno.test("subjects of other names than the topics' are known as such", async () => {
  const strategy = "io.confluent.kafka.serializers.subject.RecordNameStrategy";
  assert.equal((await config(["http://h"]))!.namedByTopic, true);
  const other = await config(["http://h"], { "value.subject.name.strategy": strategy });
  assert.equal(other!.namedByTopic, false);
});

Deno.test("what other programs are asked to do with schemas is ignored in a file", () => {
  const property = (key: string, own: boolean) => ({ key, value: "x", at: "file line 1", own });
  const merged = mergeProperties([
    property("specific.avro.reader", false),
    property("value.converter", false),
  ]);
  assert.equal(merged.size, 0);
  assert.throws(
    () => mergeProperties([property("schema.registry.uri", false)]),
    /did you mean "schema.registry.url"/,
  );
});
