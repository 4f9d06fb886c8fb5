/** A schema registry and schema files, from the sources and compiled: permissions, TLS, packages. */
import assert from "node:assert/strict";
import { startBroker } from "../../scripts/servers/broker.ts";
import { authority } from "../support/certificates.ts";
import { consumer, text } from "../support/cli.ts";
import { createTopic, produce, uniqueName } from "../support/kafka.ts";
import { framed, ScriptedRegistry, subjectsOf } from "../support/registry.ts";
import { long, of, record, string } from "../unit/records/avro_encode.ts";

Deno.test("values of a registry behind TLS, with a login", async () => {
  await using broker = await startBroker();
  const topic = uniqueName("tls");
  await createTopic(broker, topic);
  const ours = authority("ours");
  const own = ours.issue({ name: "registry", hosts: ["127.0.0.1"] });
  const schema = JSON.stringify(record("R", { id: "long", name: "string" }));
  await using registry = new ScriptedRegistry(
    subjectsOf({ [`${topic}-value`]: [{ id: 7, schema }] }),
    { cert: own.certificate, key: own.key },
  );
  await produce(broker, topic, [{ value: framed(7, of(long(5), string("é,x"))) }]);
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/ca.pem`, ours.certificate);
    const properties = [
      `schema.registry.url=${registry.url}`,
      "schema.registry.basic.auth.user.info=loader:secret-1",
    ];
    const trusted = [...properties, `schema.registry.ssl.ca.location=${folder}/ca.pem`];
    await Deno.writeTextFile(`${folder}/trusting.properties`, trusted.join("\n"));
    await Deno.writeTextFile(`${folder}/other.properties`, properties.join("\n"));
    const args = ["-b", broker.bootstrap, "-t", topic, "-g", topic, "--value", "avro"];
    const run = (name: string) =>
      consumer([...args, "-F", `${folder}/${name}.properties`, "--fields", "id,name"]);
    const denied = await run("other");
    assert.equal(denied.code, 77, denied.stderr);
    assert.match(
      denied.stderr,
      /no trusted authority has signed it: .* — set schema\.registry\.ssl\.ca/,
    );
    const { code, stdout, stderr } = await run("trusting");
    assert.equal(code, 0, stderr);
    assert.equal(text(stdout), '5,"é,x"\n');
    const [asked] = registry.asked;
    assert.equal(asked.headers.get("authorization"), `Basic ${btoa("loader:secret-1")}`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("Avro and Protobuf values of schema files", async () => {
  await using broker = await startBroker();
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/r.avsc`, JSON.stringify(record("R", { id: "long" })));
    await Deno.writeTextFile(
      `${folder}/r.proto`,
      'syntax = "proto3"; import "google/protobuf/timestamp.proto"; ' +
        "message R { int64 id = 1; google.protobuf.Timestamp at = 2; }",
    );
    const values = { avro: of(long(5)), protobuf: Uint8Array.of(8, 5) };
    for (const [form, value] of Object.entries(values)) {
      const topic = uniqueName(form);
      await createTopic(broker, topic);
      await produce(broker, topic, [{ value }]);
      const { code, stdout, stderr } = await consumer([
        ...["-b", broker.bootstrap, "-t", topic, "-g", topic, "--value", form, "--fields", "id"],
        ...["--schema", `${folder}/r.${form === "avro" ? "avsc" : "proto"}`],
      ]);
      assert.equal(code, 0, stderr);
      assert.equal(text(stdout), "5\n");
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("flags about schemas that mean nothing are rejected", async () => {
  const to = ["-b", "127.0.0.1:1", "--timeout", "300ms", "-t", "x"];
  const avro = ["--value", "avro", "--fields", "a"];
  const url = ["--registry", "http://127.0.0.1:1"];
  const wrong: [string[], RegExp][] = [
    [[...url], /--registry requires --value or --key avro or protobuf/],
    [[...url, "--value", "json", "--fields", "a"], /--registry requires --value or --key avro/],
    [["--schema", "/no/x.avsc"], /--schema requires --value avro or protobuf/],
    [["--schema", "/no/x.avsc", ...avro], /--schema: "\/no\/x\.avsc" cannot be read: No such file/],
    [["--schema", "x.json", ...avro], /--schema: .* is neither a \.avsc nor a \.proto file/],
    [["--message", "M", ...avro], /--message requires --schema FILE\.proto/],
    [avro, /--value avro requires --registry URL, or for values --schema FILE/],
    [["--key", "avro", "--key-fields", "a"], /--key avro requires --registry URL/],
  ];
  for (const [args, why] of wrong) {
    const { code, stderr } = await consumer([...to, ...args]);
    assert.equal(code, 64, stderr);
    assert.match(stderr, why);
  }
});
