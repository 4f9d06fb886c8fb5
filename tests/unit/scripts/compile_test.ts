import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { bundle } from "../../../scripts/compile/bundle.ts";
import { filesOf, sha256 } from "../../../scripts/compile/files.ts";
import {
  bomText,
  licencesText,
  ownPackages,
  readPackages,
} from "../../../scripts/compile/packages.ts";
import { elfEnd, machineOf, platforms } from "../../../scripts/compile/platforms.ts";
import { reason } from "../../../scripts/compile/process.ts";
import { programs } from "../../../scripts/compile/programs.ts";
import { cannot, versionOf, wayNames } from "../../../scripts/compile/runtime.ts";
import { stage } from "../../../scripts/compile/stage.ts";
import { writeTar } from "../../../scripts/compile/tar.ts";

const compile = fileURLToPath(new URL("../../../scripts/compile.ts", import.meta.url));
const bytes = (text: string) => new TextEncoder().encode(text);

function header(fields: [at: number, size: 2 | 4 | 8, value: number][]): Uint8Array {
  const view = new DataView(new ArrayBuffer(64));
  for (const [at, size, value] of fields) {
    if (size === 2) view.setUint16(at, value, true);
    else if (size === 4) view.setUint32(at, value, true);
    else view.setBigUint64(at, BigInt(value), true);
  }
  return new Uint8Array(view.buffer);
}

Deno.test({ name: "a runtime's header says for which machine it is", permissions: "none" }, () => {
  const elf = (machine: number) => header([[0, 4, 0x464c457f], [18, 2, machine]]);
  const machO = (cpu: number) => header([[0, 4, 0xfeedfacf], [4, 4, cpu]]);
  const cases: [Uint8Array, string | undefined][] = [
    [elf(62), "linux-x86_64"],
    [elf(183), "linux-aarch64"],
    [elf(40), undefined], // 32-bit ARM
    [machO(0x01000007), "macos-x86_64"],
    [machO(0x0100000c), "macos-aarch64"],
    [header([[0, 4, 0x00905a4d]]), undefined], // Windows
    [bytes("#!/bin/sh\n"), undefined],
  ];
  for (const [file, name] of cases) {
    const machine = machineOf(file);
    assert.equal(machine && `${machine.os}-${machine.arch}`, name);
    if (machine) assert.ok(platforms.some((platform) => platform.name === name));
  }
});

Deno.test({ name: "an ELF file ends with its section headers", permissions: "none" }, () => {
  // The header of the runtime of Deno 2.4.2, as in the package that closed networks take it from.
  assert.equal(elfEnd(header([[0x28, 8, 85_184_064], [0x3a, 2, 64], [0x3c, 2, 36]])), 85_186_368);
});

Deno.test({ name: "a runtime holds its version", permissions: "none" }, () => {
  assert.equal(versionOf(bytes("Deno/ Deno/x\0…Deno/2.4.2+622c351Deno/2.9.6")), "2.4.2");
  assert.equal(versionOf(bytes("no such thing")), undefined);
});

Deno.test({ name: "the line of a tool's output that says why", permissions: "none" }, () => {
  const cases: [string, string | undefined][] = [
    ["", undefined],
    ["Download x\nerror: Relative import\n  at y", "error: Relative import"],
    ["npm warn a\nnpm error code E404\nnpm error 404 x", "npm error code E404"],
    [
      "error: Writing to x\n\nCaused by:\n    0: Setting up base binary.\n    1: no route\n" +
      "    2: dns error\n\nStack backtrace:\n   0: <unknown>",
      "no route",
    ],
    ["\nthread 'main' has overflowed its stack\nfatal", "thread 'main' has overflowed its stack"],
  ];
  for (const [output, line] of cases) assert.equal(reason(output), line);
});

Deno.test({ name: "each failure names the way and the two others", permissions: "none" }, () => {
  const [linux] = platforms;
  const others = [/let this machine reach Deno's/, /set DENORT_BIN to/, /use --closed-network/];
  const ways = ["download", "variable", "closed"] as const;
  for (const [index, way] of ways.entries()) {
    const { message } = cannot(linux, way, "because");
    const start = `Cannot compile for linux-x86_64 with ${wayNames[way]}: because. Instead, `;
    assert.ok(message.startsWith(start), message);
    const rest = message.slice(start.length);
    assert.deepEqual(others.map((other) => other.test(rest)), ways.map((_, at) => at !== index));
    assert.equal(message.split("\n").length, 1);
  }
});

Deno.test("compile: what can't be used is said before anything is compiled", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const text = join(folder, "text");
    await Deno.writeTextFile(text, "x".repeat(100));
    const other = join(folder, "other");
    await Deno.writeFile(other, header([[0, 4, 0xfeedfacf], [4, 4, 0x01000007]]));
    const older = join(folder, "older");
    const elf = header([[0, 4, 0x464c457f], [18, 2, 62]]);
    await Deno.writeFile(older, Buffer.concat([elf, bytes("Deno/1.2.3")]));
    const on = ["--platform", "linux-x86_64"];
    const cases: [string[], string, RegExp][] = [
      [["--platform", "vax"], "", /^--platform: "vax" is not one of linux-x86_64, .*, all$/],
      [["--fast"], "", /^Unknown option '--fast'.*; see --help$/],
      [on, "/nowhere", /^Cannot compile for linux-x86_64 .*DENORT_BIN.*cannot read "\/nowhere"/],
      [on, text, /is not an executable for Linux or macOS\./],
      [on, other, /is for macos-x86_64\./],
      [on, older, /is of Deno 1\.2\.3: compile with `npx -y deno@1\.2\.3`\./],
      [
        ["--platform", "linux-aarch64", "--closed-network"],
        "",
        /only\. Instead, .*or set DENORT_BIN to/,
      ],
    ];
    await Promise.all(cases.map(async ([args, runtime, message]) => {
      const out = join(folder, "out");
      const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
        args: ["run", "-A", "--quiet", compile, "--out", out, ...args],
        env: { DENORT_BIN: runtime },
      }).output();
      const said = new TextDecoder().decode(stderr).trim();
      assert.match(said, message);
      assert.deepEqual([code, stdout.length, said.split("\n").length], [1, 0, 1]);
    }));
    assert.ok(!await Deno.stat(join(folder, "out")).then(() => true, () => false));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a program is compiled from what it imports alone", async () => {
  const packages: Record<string, string[]> = {};
  for (const program of programs) {
    await using staged = await stage(program, "build x", 1_000_000_000);
    packages[program.name] = staged.packages;
    const { imports } = JSON.parse(await Deno.readTextFile(join(staged.folder, "deno.json")));
    const named = Object.values<string>(imports).map((target) =>
      /^npm:\/?(@?[^@]+)@/.exec(target)![1]
    );
    assert.deepEqual([...new Set(named)].sort(), staged.packages);
    const build = join(staged.folder, "lib/cli/build.ts");
    assert.equal(await Deno.readTextFile(build), 'export const build: string = "build x";\n');
    assert.equal((await Deno.stat(build)).mtime?.getTime(), 1e12);
    const sql = await Deno.stat(join(staged.folder, "sql")).then(() => true, () => false);
    assert.equal(sql, program.include.includes("sql"));
  }
  assert.deepEqual(packages, {
    // For --assign group and for .proto files, and loaded only then.
    kafka_consumer: ["kafkajs", "protobufjs"],
    kafka_producer: [],
    "gpdb-kafka": ["kafkajs", "postgres", "prom-client", "protobufjs", "yaml"],
  });
});

Deno.test("a bundle is the same wherever it is made, and what is in it is known", async () => {
  const consumer = programs[0];
  const make = async () => {
    await using staged = await stage(consumer, "build x", 1_000_000_000);
    const made = await bundle(consumer, staged.folder, 1_000_000_000);
    const hashes: Record<string, string> = {};
    for (const path of await filesOf(made.folder)) {
      const text = await Deno.readTextFile(join(made.folder, path));
      assert.ok(!text.includes(staged.folder), path);
      assert.equal((await Deno.stat(join(made.folder, path))).mtime?.getTime(), 1e12, path);
      hashes[path] = await sha256(join(made.folder, path));
    }
    return { hashes, made, packages: await readPackages(staged.folder, staged.versions) };
  };
  const [one, another] = [await make(), await make()];
  assert.deepEqual(one.hashes, another.hashes);
  for (const path of [one.made.entry, ...one.made.workers]) assert.ok(path in one.hashes, path);
  const packages = [...one.packages, ...await ownPackages("2.9.6")];
  const names = ["kafkajs", "long", "protobufjs", "deno", "zstd"];
  assert.deepEqual(packages.map(({ name }) => name), names);
  for (const { name, text } of packages) assert.match(text, /Copyright|Apache/, name);
  for (const name of names) assert.match(licencesText(packages), new RegExp(`^${name} \\d`, "m"));
  const bom = JSON.parse(bomText(packages));
  assert.deepEqual([bom.bomFormat, bom.specVersion], ["CycloneDX", "1.6"]);
  const kafkajs = bom.components.find((component: { name: string }) =>
    component.name === "kafkajs"
  );
  assert.deepEqual([kafkajs.purl, kafkajs.licenses], ["pkg:npm/kafkajs@2.2.4", [{
    license: { id: "MIT" },
  }]]);
  assert.match(kafkajs.hashes[0].content, /^[0-9a-f]{128}$/);
  assert.equal(bomText(packages), bomText(packages), "the same packages are the same bytes");
});

Deno.test("tar unpacks our archives, and the same files give the same bytes", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const contents = {
      "a/one": "1",
      "a/none": "",
      "a/block": "x".repeat(512),
      "a/more": "y".repeat(1300),
    };
    const files = Object.entries(contents).map(([name, text], index) => ({
      name,
      size: text.length,
      executable: index === 0,
      content: () => [bytes(text)],
    }));
    const archive = Buffer.concat(await Array.fromAsync(writeTar(files, 1_000_000_000)));
    const again = Buffer.concat(await Array.fromAsync(writeTar(files, 1_000_000_000)));
    assert.ok(archive.equals(again));
    const path = join(folder, "x.tar");
    await Deno.writeFile(path, archive);
    const { success } = await new Deno.Command("tar", { args: ["-xf", path, "-C", folder] })
      .output();
    assert.ok(success);
    for (const [name, text] of Object.entries(contents)) {
      assert.equal(await Deno.readTextFile(join(folder, name)), text);
      const { mode, mtime } = await Deno.stat(join(folder, name));
      assert.equal(mode! & 0o777, name === "a/one" ? 0o755 : 0o644);
      assert.equal(mtime?.getTime(), 1e12);
    }
    const long = [{ ...files[0], name: "x".repeat(101) }];
    await assert.rejects(Array.fromAsync(writeTar(long, 0)), RangeError);
    assert.equal(
      await sha256(join(folder, "a/one")),
      "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b",
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
