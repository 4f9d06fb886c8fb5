/** No flag is ignored without a word: what says nothing in its place is a usage error. */
import assert from "node:assert/strict";
import { mainCommands } from "../../lib/cli/commands.ts";
import { parseFlags } from "../../lib/cli/flags.ts";
import { Failure } from "../../lib/failure.ts";
import { gpdbKafka } from "../support/cli.ts";

/** Runs all of these, which must end with 64, print nothing and say this. */
async function refused(cases: [string[], RegExp][], env?: Record<string, string>): Promise<void> {
  for (let at = 0; at < cases.length; at += 8) {
    await Promise.all(
      cases.slice(at, at + 8).map(async ([args, message]) => {
        const { code, stdout, stderr } = await gpdbKafka(args, { env });
        assert.equal(code, 64, `${args.join(" ")}: ${stderr}`);
        assert.match(stderr, message, args.join(" "));
        assert.match(stderr, /^[^\n]+\n$/);
        assert.equal(stdout.length, 0);
      }),
    );
  }
}

Deno.test("flags: those that contradict each other are rejected", async () => {
  await refused([
    [
      ["consume", "-t", "x", "--ranges", "0:1-2", "--partition", "0"],
      /--ranges and --partition ex/,
    ],
    [
      ["consume", "-t", "x", "--ranges", "0:1-2", "--fallback", "fail"],
      /--ranges and --fallback ex/,
    ],
    [
      ["consume", "-t", "x", "--ranges-from-query", "--partition", "0"],
      /--ranges-from-query and --partition exclude each other/,
    ],
    [
      ["consume", "-t", "x", "-o", "latest", "--fallback", "earliest"],
      /--fallback requires --offset stored/,
    ],
    [["consume", "-t", "x", "-q", "-v"], /--verbose and --quiet exclude each other/],
    [
      ["produce", "-t", "x", "-p", "1", "--partitioner", "sticky"],
      /--partition and --partitioner ex/,
    ],
    [["load", "x", "--every", "5s", "--timeout", "1s"], /--every and --timeout exclude each other/],
    [["plan", "x", "-t", "x"], /"x" is not a flag/],
    [["sql", "schema", "--topic", "x"], /--topic is a flag of source and table, not of schema/],
    [["sql", "example", "--grant", "x"], /--grant is a flag of source, not of example/],
    [["doctor", "--rows", "5"], /--rows requires --topic or --source/],
    [["doctor", "--value", "hex"], /--value requires --topic or --source/],
  ], { DATABASE_URL: "postgres://nobody@127.0.0.1:1/x" });
});

Deno.test("flags: an empty value, as of a variable that is not set, is rejected", async () => {
  let checked = 0;
  for (const { load } of Object.values(mainCommands)) {
    const { flags } = await load();
    for (const { name, short, value, mayBeEmpty } of flags) {
      if (value === undefined || mayBeEmpty) continue;
      checked++;
      const message = new RegExp(
        `^-?-${name}: the value is empty — give .*, or leave the flag out$`,
      );
      const failure = (error: unknown) =>
        error instanceof Failure && error.kind === "usage" && message.test(error.message);
      assert.throws(() => parseFlags(flags, [`--${name}=`]), failure, name);
      assert.throws(() => parseFlags(flags, [`--${name}`, ""]), failure, name);
      if (short) assert.throws(() => parseFlags(flags, [`-${short}`, ""]), /: the value is empty/);
    }
  }
  assert.ok(checked > 60);
  await refused([
    [["consume", "-t", "x", "-g", ""], /^kafka_consumer: -g: the value is empty — give GROUP/],
    [["load", ""], /no source/],
  ]);
});

Deno.test("flags: a variable of the environment that is empty is one that is not set", async () => {
  const empty = Object.fromEntries(
    [
      ...["KAFKA_BROKERS", "KAFKA_PEERS", "KAFKA_CONFIG", "DATABASE_URL"],
      ...["GP_SEGMENT_ID", "GP_SEGMENT_COUNT", "GP_QUERY_STRING"],
    ].map((name) => [name, ""]),
  );
  await refused([
    [["load", "x"], /no database: use --dsn/],
    [["lag", "--source", "x"], /no database: use --dsn/],
    [["doctor", "--source", "x"], /no database: use --dsn/],
    [["consume", "-t", "x", "--ranges-from-query"], /GP_QUERY_STRING/],
  ], empty);
  const run = await gpdbKafka(["consume", "-t", "x", "--timeout", "100ms", "-v"], {
    env: { ...empty, KAFKA_PEERS: "127.0.0.1:1" },
  });
  assert.equal(run.code, 69, run.stderr);
});
