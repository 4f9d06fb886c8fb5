import assert from "node:assert/strict";
import { Schemas } from "../../../lib/consume/schemas.ts";
import { ProgramWriter } from "../../../lib/records/program.ts";
import type { Path } from "../../../lib/records/paths.ts";
import type { SchemaForm } from "../../../lib/records/schema_form.ts";
import { Registry } from "../../../lib/registry/registry.ts";
import {
  type Answering,
  apiError,
  closing,
  json,
  registryConfigOf,
  ScriptedRegistry,
} from "../../support/registry.ts";

/** A format whose schemas are lists of names; frames have the id, and one byte more. */
const form: SchemaForm<string[]> = {
  kind: "avro",
  name: "Avro",
  keySize: (bytes) => bytes.length < 5 ? undefined : 5,
  read: ({ text }, key) => {
    if (text === "bad") throw new Error("line 1: it is bad");
    return [...text.split(","), `message ${key[4]}`];
  },
  readFile: ({ text }) => text.split(","),
  readAll: ({ text }) => {
    if (text === "bad") throw new Error("line 1: it is bad");
    return [text.split(",")];
  },
  add: (writer, { framed }, _paths, first) => {
    const roots = framed.map(({ key, schema }) => {
      if (schema.includes("huge")) throw new Error("it is too large");
      return { key, root: writer.add(new TextEncoder().encode(schema.join(";"))) };
    });
    return { source: { form: 2, framed: 1, root: 0, roots }, slots: [first], next: first + 1 };
  },
  lacking: (schemas, paths) =>
    paths.filter(({ steps }) => !schemas.some((names) => names.includes(String(steps[0]))))
      .map((path) => ({ path, why: ` — it has ${schemas[0].join(", ")}` })),
};

const wanted = (...names: string[]): Path[] => names.map((text) => ({ text, steps: [text] }));
const rootsOf = (schemas: Schemas<string[]>) => schemas.add(new ProgramWriter(), 3).source.roots;

function frame(id: number, message = 0, ...more: number[]): Uint8Array {
  const bytes = Uint8Array.of(0, 0, 0, 0, 0, message, ...more);
  new DataView(bytes.buffer).setInt32(1, id);
  return bytes;
}

async function withSchemas(
  answer: Answering,
  work: (schemas: Schemas<string[]>, server: ScriptedRegistry) => Promise<void>,
  paths = wanted("a"),
): Promise<void> {
  await using server = new ScriptedRegistry(answer);
  using registry = closing(new Registry(registryConfigOf([server.url], { timeout: 300 })));
  await work(new Schemas(form, "value", paths, registry, () => {}), server);
}

const idOf = (path: string) => Number(/ids\/(\d+)/.exec(path)![1]);

Deno.test("a schema that was learned is in the next program, by the key of its frame", async () => {
  await withSchemas(({ path }) => json({ schema: `a,${idOf(path)}` }), async (schemas, server) => {
    assert.equal(schemas.reject(frame(7)), null);
    assert.deepEqual(rootsOf(schemas), []);
    await Promise.all([schemas.learn(frame(7)), schemas.learn(frame(7, 0, 1, 2, 3))]);
    await schemas.learn(frame(7, 1));
    await schemas.learn(frame(300));
    assert.deepEqual(rootsOf(schemas).map(({ key }) => [...key]), [
      [0, 0, 0, 7, 0],
      [0, 0, 0, 7, 1],
      [0, 0, 1, 44, 0],
    ]);
    assert.deepEqual(server.asked.map(({ path }) => path), ["/schemas/ids/7", "/schemas/ids/300"]);
  });
});

Deno.test("what cannot be learned is rejected with its reason, and not asked for again", async () => {
  const answer: Answering = ({ path }) => {
    const id = idOf(path);
    if (id === 1) return apiError(40403);
    if (id === 2) return json({ schema: "message M {}", schemaType: "PROTOBUF" });
    if (id === 3) return json({ schema: "<x/>", schemaType: "XSD" });
    return json({ schema: id === 4 ? "bad" : "huge" });
  };
  await withSchemas(answer, async (schemas, server) => {
    for (const id of [1, 2, 3, 4, 5, -7]) {
      await schemas.learn(frame(id));
      await schemas.learn(frame(id));
    }
    assert.deepEqual([1, 2, 3, 4, 5, -7].map((id) => schemas.reject(frame(id))), [
      "cannot be read: the registry has no schema 1 — is it the registry of its producer?",
      "cannot be read: schema 2 is protobuf, not avro — use --value protobuf",
      "cannot be read: schema 3 is xsd, not avro",
      "cannot be read: schema 4: line 1: it is bad",
      "cannot be read: schema 5: it is too large",
      "cannot be read: -7 is not a schema's id — is it the registry of its producer?",
    ]);
    assert.equal(server.asked.length, 5);
    assert.deepEqual(rootsOf(schemas), []);
  });
});

Deno.test("a frame that is cut is rejected, and so is one that a program does not find", async () => {
  await withSchemas(() => json({ schema: "a" }), async (schemas) => {
    const cut = "is shorter than its Confluent frame";
    for (const bytes of [[], [0], [0, 0, 0, 0], [0, 0, 0, 0, 1]]) {
      await schemas.learn(Uint8Array.from(bytes));
      assert.equal(schemas.reject(Uint8Array.from(bytes)), cut);
    }
    await schemas.learn(frame(7));
    assert.equal(schemas.reject(frame(7)), cut);
  });
});

Deno.test("a program has 256 schemas at most", async () => {
  await withSchemas(() => json({ schema: "a" }), async (schemas) => {
    for (let id = 0; id < 258; id++) await schemas.learn(frame(id));
    const roots = rootsOf(schemas);
    assert.equal(roots.length, 256);
    assert.deepEqual([...roots[0].key], [0, 0, 0, 2, 0]);
    // The first one can be learned again.
    assert.equal(schemas.reject(frame(0)), null);
  });
});

Deno.test("a registry that is down is a failure, and asked again by the next record", async () => {
  let down = true;
  const answer = () => down ? new Response("", { status: 503 }) : json({ schema: "a" });
  await withSchemas(answer, async (schemas) => {
    await assert.rejects(schemas.learn(frame(7)), {
      kind: "broker",
      message: /^cannot get schema 7/,
    });
    down = false;
    await schemas.learn(frame(7));
    assert.equal(rootsOf(schemas).length, 1);
  });
});

/** A registry of these subjects and the texts of their versions. */
const subjects = (all: Record<string, string[]>): Answering => ({ path }) => {
  const [, name, version] = /^\/subjects\/([^/]+)\/versions\/?(\d*)/.exec(path)!;
  const texts = all[name];
  if (texts === undefined) return apiError(40401);
  if (version === "") return json(texts.map((_, i) => i + 1));
  const schema = texts[Number(version) - 1];
  const schemaType = schema.startsWith("message") ? "PROTOBUF" : "AVRO";
  return json({ id: 100 + Number(version), version: Number(version), schema, schemaType });
};

Deno.test("paths are checked by the versions of the topics' subjects, as few as it takes", async () => {
  const all = subjects({ "t-value": ["a", "bad", "a,b", "b"], "u-value": ["c"] });
  await withSchemas(all, async (schemas, server) => {
    await schemas.check(["t"], "--fields");
    assert.deepEqual(server.asked.map(({ path }) => path), [
      "/subjects/t-value/versions",
      "/subjects/t-value/versions/4",
      "/subjects/t-value/versions/3",
    ]);
  }, wanted("a", "b"));
  await withSchemas(all, (schemas) => schemas.check(["t", "u"], "--fields"), wanted("a", "c"));
  await withSchemas(all, (schemas) =>
    assert.rejects(schemas.check(["t"], "--fields"), {
      kind: "usage",
      message: '--fields: no version of subject "t-value" has x — it has b',
    }), wanted("a", "x"));
});

Deno.test("without a subject of the topic paths are not checked", async () => {
  await withSchemas(subjects({}), (schemas) => schemas.check(["t"], "--fields"), wanted("x"));
});

Deno.test("a subject of another format is an error, with what to use", async () => {
  await withSchemas(
    subjects({ "t-value": ["message M {}"] }),
    (schemas) =>
      assert.rejects(schemas.check(["t"], "--fields"), {
        kind: "usage",
        message:
          '--fields: version 1 of subject "t-value" is protobuf, not avro — use --value protobuf',
      }),
  );
});
