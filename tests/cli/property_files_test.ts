import assert from "node:assert/strict";
import { consumer, gpdbKafka } from "../support/cli.ts";
import { MARK, S, withFolder } from "../support/planted_secrets.ts";

const bytes = (...parts: (string | number[])[]) =>
  Uint8Array.from(
    parts.flatMap((part) => typeof part === "string" ? [...new TextEncoder().encode(part)] : part),
  );

const password = `sasl.password=${S}`;

/** A file, and what is wrong with it. */
const bad: [name: string, content: Uint8Array, message: RegExp][] = [
  ["a short \\u", bytes(`# \n${password}\\u00f\n`), /conf line 2: \\u without four hexadecimal/],
  ["a zip", bytes("PK", [3, 4, 20, 0, 0]), /conf line 1: a NUL character in it — use a text file$/],
  ["random bytes", bytes([0xfe, 0xed, 0xfe, 0xed, 200, 10, 1]), /conf line 1: not KEY=VALUE$/],
  [
    "UTF-16",
    bytes([0xff, 0xfe], "b", [0], "="),
    /^--config: cannot read ".*": it is UTF-16 — save/,
  ],
  ["a key", bytes(`-----BEGIN PRIVATE KEY-----\n${S}=\n`), /conf line 1: not KEY=VALUE$/],
  ["a key's body", bytes(`${S}A==\n`), /conf line 1: unknown property$/],
  ["a list", bytes(`client.id=a\n${S}\n`), /conf line 2: not KEY=VALUE$/],
  ["words", bytes(`the password is ${S}\n`), /conf line 1: not KEY=VALUE$/],
  ["a section", bytes(`[default]\n${password}\n`), /conf line 1: not KEY=VALUE$/],
  [
    "10 MB",
    new Uint8Array(10_000_000).fill(0x23),
    /^--config: cannot read ".*": it has over 1 MiB/,
  ],
];

Deno.test("property files: one that cannot be read is one line, with its name and the line's number", async (t) => {
  await withFolder(async (folder) => {
    const path = `${folder}/kafka.conf`;
    const check = async (config: string, message: RegExp) => {
      const run = await consumer(["-t", "x", "-o", "0", "-F", config]);
      assert.equal(run.code, 64, run.stderr);
      const [line, ...more] = run.stderr.split("\n");
      assert.match(line.replace(/^kafka_consumer: /, ""), message);
      assert.deepEqual(more, [""]);
      assert.ok(!run.stderr.includes(MARK), run.stderr);
    };
    for (const [name, content, message] of bad) {
      await t.step(name, async () => {
        await Deno.writeFile(path, content);
        await check(path, message);
      });
    }
    await t.step("a folder", () => check(folder, /^--config: cannot read ".*": Is a directory$/));
    await t.step(
      "no file",
      () => check(`${folder}/x`, /^--config: cannot read ".*": No such file/),
    );
    await t.step(
      "a device without an end",
      () => check("/dev/zero", /^--config: cannot read "\/dev\/zero": it has over 1 MiB/),
    );
  });
});

Deno.test("property files: what Java's programs write and read is read as they do", async (t) => {
  await withFolder(async (folder) => {
    const path = `${folder}/kafka.conf`;
    // A run that ends at the address which the file names.
    const brokers = async (content: Uint8Array, args: string[] = []) => {
      await Deno.writeFile(path, content);
      const run = await gpdbKafka(["topics", "list", "-F", path, "--timeout", "1s", ...args]);
      assert.equal(run.code, 69, run.stderr);
      return run.stderr;
    };
    const refused = /cannot connect to 127\.0\.0\.1:1: Connection refused/;
    const same: [string, Uint8Array][] = [
      ["Properties.store", bytes("#Thu Nov 26\nbootstrap.servers=127.0.0.1\\:1\n")],
      ["CRLF", bytes("# a\r\nbootstrap.servers=127.0.0.1\\:1\r\nclient.id=a\r\n")],
      ["a byte order mark", bytes([0xef, 0xbb, 0xbf], "bootstrap.servers=127.0.0.1:1\n")],
      ["key: value", bytes("bootstrap.servers: 127.0.0.1:1\n")],
      ["key value", bytes("  bootstrap.servers\t127.0.0.1:1\n")],
      ["a continued line", bytes("bootstrap.servers=\\\r\n  127.0.0.1:1,\\\n  127.0.0.1:1\n")],
      ["blanks at the end", bytes("bootstrap.servers=127.0.0.1:1 \t\n")],
      ["\\u", bytes("bootstrap.\\u0073ervers=127.0.0.\\u0031:1\n")],
      ["Latin-1", bytes("# ", [0xfc], "\nbootstrap.servers=127.0.0.1:1\n")],
    ];
    for (const [name, content] of same) {
      await t.step(name, async () => assert.match(await brokers(content), refused));
    }
    await t.step("a backslash of a password is warned of, unless with -q", async () => {
      const content = bytes(
        "bootstrap.servers=127.0.0.1:1\nsecurity.protocol=SASL_PLAINTEXT\nsasl.mechanism=PLAIN\n" +
          `sasl.username=u\nsasl.password=\\${S}\n`,
      );
      const warning = /kafka\.conf line 5: a backslash in sasl\.password is an escape/;
      const loud = await brokers(content);
      assert.match(loud, warning);
      const quiet = await brokers(content, ["-q"]);
      assert.doesNotMatch(quiet, warning);
      assert.ok(!(loud + quiet).includes(MARK));
    });
  });
});
