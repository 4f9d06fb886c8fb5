/**
 * What is wrong with the flags, schema files and registries of structured values is said before any
 * broker is asked: nothing listens at the broker's address here.
 */
import assert from "node:assert/strict";
import { consumer } from "../support/cli.ts";
import { apiError, json, ScriptedRegistry, subjectsOf } from "../support/registry.ts";
import { closedPort } from "../support/silence.ts";
import { stepBeside } from "../support/steps.ts";
import { record } from "../unit/records/avro_encode.ts";

const to = ["-b", "127.0.0.1:1", "-t", "orders", "--timeout", "700ms"];
const structured = ["--value", "json", "--fields"];

/** Runs the consumer with these flags; it must end with this status, no rows, and one line. */
async function fails(t: Deno.TestContext, code: number, cases: [string, string[], RegExp][]) {
  await Promise.all(cases.map(async ([name, args, why]) => {
    const run = await consumer([...to, ...args]);
    await stepBeside(t, name, () => {
      assert.match(run.stderr, why);
      assert.equal(run.code, code, run.stderr);
      assert.equal(run.stdout.length, 0);
      assert.equal(run.stderr.trimEnd().split("\n").length, 1, run.stderr);
    });
  }));
}

Deno.test("structured values: flags that are wrong, or mean nothing together", async (t) => {
  await fails(t, 64, [
    [
      "an unknown form",
      ["--value", "protobuff"],
      /--value: "protobuff" is not .*mean "protobuf"\?/,
    ],
    ["an unknown form of keys", ["--key", "jsn"], /--key: "jsn" is not one of json, avro/],
    ["no fields", ["--value", "json"], /--value json requires --fields PATHS/],
    ["fields of a row", ["--fields", "a"], /--fields requires --value json, avro or protobuf/],
    ["fields of hex", ["--value", "hex", "--fields", "a"], /--fields requires --value json, avro/],
    ["no key fields", ["--key", "json"], /--key json requires --key-fields PATHS/],
    ["key fields of nothing", ["--key-fields", "a"], /--key-fields requires --key json, avro/],
    [
      "rows as they are",
      [...structured, "a", "--bad-record", "pass"],
      /--bad-record pass: with --value json a bad record has no fields — use skip or dead-letter/,
    ],
    [
      "no registry",
      ["--value", "avro", "--fields", "a"],
      /--value avro requires --registry URL, or/,
    ],
    [
      "a registry beside a file",
      ["--value", "avro", "--fields", "a", "--schema", "x.avsc", "--registry", "http://r:1"],
      /--registry and --schema exclude each other/,
    ],
    [
      "a message without a file",
      ["--value", "json", "--fields", "a", "--message", "M"],
      /--message/,
    ],
    ["a message of Avro", [
      "--value",
      "avro",
      "--fields",
      "a",
      "--schema",
      "x.avsc",
      "--message",
      "M",
    ], /--message is for \.proto files/],
    ["a registry that is no URL", [
      "--value",
      "avro",
      "--fields",
      "a",
      "--registry",
      "registry:8081",
    ], /--registry: URL 1 is not http:\/\/HOST:PORT or https/],
  ]);
});

Deno.test("structured values: paths that cannot be read are named with the character", async (t) => {
  const path = (text: string, why: RegExp): [string, string[], RegExp] => [
    text,
    [...structured, text],
    why,
  ];
  await fails(t, 64, [
    path("a..b", /--fields: cannot read "a\.\.b" at character 3: a name is expected/),
    path("a,,b", /at character 3: a name is expected/),
    path("a,", /at its end: a name is expected/),
    path(".a", /a lone dot is the whole value — write a path without its first dot/),
    path("a[x]", /at character 3: the number of an element is expected — \[0\] is the first one/),
    path("a[99999999999]", /the number of an element is expected/),
    path('"a', /at character 1: the quote is not closed/),
    path("a b", /at character 3: a comma, a dot or \[N\] is expected — names with spaces go in/),
  ]);
});

Deno.test("structured values: schema files that cannot be read, and what they do not have", async (t) => {
  const folder = await Deno.makeTempDir();
  try {
    const file = async (name: string, text: string) => {
      await Deno.writeTextFile(`${folder}/${name}`, text);
      return ["--schema", `${folder}/${name}`];
    };
    const avro = ["--value", "avro", "--fields"];
    const proto = ["--value", "protobuf", "--fields"];
    const order = JSON.stringify(record("Order", { id: "long", customer: "string" }), null, 2);
    const messages =
      'syntax = "proto3";\nmessage Order { int64 id = 1; }\nmessage Line { int32 n = 1; }';
    await fails(t, 64, [
      [
        "Avro that is not JSON",
        [...avro, "id", ...await file("cut.avsc", '{\n  "type": "record",\n  "name": }')],
        /--schema: cannot read cut\.avsc: .*line 3 is not JSON/,
      ],
      [
        "Protobuf that is not Protobuf",
        [
          ...proto,
          "id",
          ...await file("cut.proto", 'syntax = "proto3";\nmessage M {\n  int32 = 1;\n}'),
        ],
        /--schema: cannot read cut\.proto, line 3: /,
      ],
      [
        "a path that the Avro schema does not have",
        [...avro, "id,custumer", ...await file("order.avsc", order)],
        /--fields: the schema does not have custumer.*"?customer"?/,
      ],
      [
        "a path that the message does not have",
        [...proto, "idd", "--message", "Order", ...await file("order.proto", messages)],
        /--fields: the schema does not have idd.*"id"/,
      ],
      [
        "a message that is not named",
        [...proto, "id", ...await file("two.proto", messages)],
        /--schema: two\.proto has several messages — use --message NAME with one of Order, Line/,
      ],
      [
        "a message that the file does not have",
        [...proto, "id", "--message", "Ordr", ...await file("three.proto", messages)],
        /--schema: .*did you mean "Order"\?/,
      ],
      [
        "Protobuf's file for Avro",
        [...avro, "id", ...await file("four.proto", messages)],
        /--schema: four\.proto is not Avro — use --value protobuf/,
      ],
      ["no file", [...avro, "id", "--schema", `${folder}/no.avsc`], /cannot be read: No such file/],
    ]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("structured values: a registry that cannot be used, by exit status", async (t) => {
  const answering = (answer: () => Response | Promise<Response>) => new ScriptedRegistry(answer);
  await using none = answering(() => new Response("not found", { status: 404 }));
  await using page = answering(() => new Response("<html>"));
  await using busy = answering(() => apiError(503));
  await using silent = answering(() => new Promise<Response>(() => {}));
  await using unknown = answering(() => apiError(401));
  await using forbidden = answering(() => apiError(403));
  await using wrong = answering(() => json({ versions: 7 }));
  const orders = JSON.stringify(record("Order", { id: "long", customer: "string" }));
  await using good = new ScriptedRegistry(
    subjectsOf({ "orders-value": [{ id: 1, schema: orders }] }),
  );
  const fields = (
    url: string,
    path = "id",
  ) => ["--value", "avro", "--registry", url, "--fields", path];
  await fails(t, 69, [
    [
      "a closed port",
      fields(`http://127.0.0.1:${closedPort()}`),
      /does not answer: Connection refused/,
    ],
    [
      "HTTP 404",
      fields(none.url),
      /is not a schema registry: HTTP 404 — its URL needs the path of/,
    ],
    ["HTML", fields(page.url), /is not a schema registry: it answers with .*, not with JSON/],
    ["HTTP 503", fields(busy.url), /answers HTTP 503: no \(tried for 0\.7 s\)/],
    [
      "no answer",
      fields(silent.url),
      /does not answer: no answer within 0\.\d s \(tried for 0\.7 s\)/,
    ],
    [
      "JSON of another form",
      fields(wrong.url),
      /the registry's answer is not valid: its "versions"/,
    ],
  ]);
  await fails(t, 77, [
    [
      "HTTP 401",
      fields(unknown.url),
      /requires a login \(HTTP 401\) — set schema\.registry\.basic/,
    ],
    ["HTTP 403", fields(forbidden.url), /does not authorize this user \(HTTP 403\)/],
  ]);
  await fails(t, 64, [
    [
      "a path that no version has",
      fields(good.url, "custumer"),
      /--fields: no version of subject "orders-value" has custumer.*"customer"/,
    ],
    [
      "another format",
      ["--value", "protobuf", "--registry", good.url, "--fields", "id"],
      /version 1 of subject "orders-value" is avro, not protobuf — use --value avro/,
    ],
  ]);
});
