import assert from "node:assert/strict";
import { type Flag, flagHelp, parseFlags } from "../../../lib/cli/flags.ts";

const none = { permissions: "none" } as const;

const flags: readonly Flag[] = [
  { name: "topic", short: "t", value: "NAME", old: ["topik"], help: "what is read" },
  { name: "key", value: "KEY", many: true, help: "more than one" },
  { name: "list", value: "A,B", mayBeEmpty: true, help: "may be empty" },
  { name: "quiet", short: "q", help: "a switch" },
];

Deno.test("flags: values, in each of their forms", none, () => {
  for (const args of [["-t", "x"], ["-t=x"], ["--topic", "x"], ["--topic=x"], ["-topik=x"]]) {
    assert.equal(parseFlags(flags, args).get("topic"), "x", args.join(" "));
  }
  const given = parseFlags(flags, ["--key", "a", "--key", "b", "-q", "-q", "--list=", "file"]);
  assert.deepEqual(given.all("key"), ["a", "b"]);
  assert.equal(given.get("key"), "b");
  assert.ok(given.has("quiet") && !given.has("topic"));
  assert.equal(given.get("list"), "");
  assert.deepEqual(given.files, ["file"]);
});

Deno.test("flags: what is wrong is named", none, () => {
  const cases: [string[], RegExp][] = [
    [["-t", "x", "-t", "y"], /^-t is given twice$/],
    [["--topic", "x", "-topik=y"], /^--topik is given twice$/],
    [["--topc", "x"], /^unknown flag --topc — did you mean "--topic"\?$/],
    [["--topic"], /^--topic requires a value: NAME$/],
    [["--topic", ""], /^--topic: the value is empty — give NAME, or leave the flag out$/],
    [["--quiet=yes"], /^--quiet does not accept a value$/],
  ];
  for (const [args, message] of cases) {
    assert.throws(() => parseFlags(flags, args), { kind: "usage", message }, args.join(" "));
  }
  const given = parseFlags(flags, ["-t", "x", "-q"]);
  assert.throws(() => given.excludes("quiet", ["key", "topic"]), {
    message: "--quiet and --topic exclude each other",
  });
  assert.throws(() => given.choice("topic", ["y", "z"], "y"), {
    message: /^--topic: "x" is not one of y, z/,
  });
  assert.equal(parseFlags(flags, []).choice("topic", ["y", "z"], "y"), "y");
});

Deno.test("flags: the help has each with its value", none, () => {
  assert.match(flagHelp(flags), /^ +-t, --topic NAME +what is read\n +--key KEY/);
});
