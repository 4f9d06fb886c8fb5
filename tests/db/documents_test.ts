/**
 * Every command that README.md, the other documents and the examples of every --help print is run
 * as it is printed, in a copy of the checkout; or it is in the table below, with what tests it
 * instead; or it is in a transcript, which tests/db/outputs_test.ts runs and compares.
 */
import assert from "node:assert/strict";
import { compileCommand } from "../../scripts/compile/command.ts";
import { startWorld, type World } from "../support/document_world.ts";
import { type Printed, printedCommands } from "../support/documents.ts";
import { ownServer } from "../support/load.ts";

const NO_DOWNLOADS =
  "Deno's download site can't be reached everywhere; the same program as with --closed-network";
const AS_ROLE = "tests/db/load_install_test.ts installs and loads as such a role";

const BY_CLIENT = "tests/db/load_client_rights_test.ts does so, as a role without special rights";

const KERBEROS = "tests/cli/kerberos_test.ts has a realm, a keytab and a broker that asks for them";

/** What is not run here, and why. */
const elsewhere: Record<string, string> = {
  [compileCommand()]: "scripts/test.ts runs it before the tests of tests/binary",
  "npx -y deno@2.9.6 task compile --platform linux-x86_64": NO_DOWNLOADS,
  "npx -y deno@2.9.6 task compile": NO_DOWNLOADS,
  "deno task compile": NO_DOWNLOADS,
  "(echo 'SET ROLE kafka_owner;'; gpdb-kafka sql schema --for postgres) | psql -d warehouse":
    AS_ROLE,
  "(echo 'SET ROLE kafka_owner;'; gpdb-kafka sql source crimes --for postgres --table public.crimes --brokers broker1:9092 --dsn postgres://gpadmin@coordinator/warehouse --grant etl) | psql -d warehouse":
    AS_ROLE,
  "gpdb-kafka sql schema --for postgres | psql -d warehouse": BY_CLIENT,
  "gpdb-kafka sql source crimes --for postgres --via client --table public.crimes --brokers broker1:9092 --grant etl | psql -d warehouse":
    BY_CLIENT,
  'kadmin -q "addprinc -randkey loader"': KERBEROS,
  'kadmin -q "ktadd -k loader.keytab loader"': KERBEROS,
  "gpscp -f segment_hosts loader.keytab kafka.properties =:/home/gpadmin/": KERBEROS,
  "gpdb-kafka doctor -F kafka.properties -t crimes": KERBEROS,
  "deno task compile --closed-network": "scripts/test.ts runs it where it is possible",
  "DENORT_BIN=/path/denort deno task compile --platform …":
    "no command but its form; tests/unit/scripts/compile_test.ts has what DENORT_BIN may be",
  "npx deno@2.4.2": "no command but a program's name; scripts/compile/closed_network.ts runs it",
  "npx -y deno@2.9.6 task demo": "tests/db/outputs_test.ts runs it, and compares what it prints",
  "deno task readme --record": "it runs tests/db/outputs_test.ts",
  "npx -y deno@2.9.6 task test": "it runs this test",
  "npx -y deno@2.9.6 task ok": "scripts/test.ts, as task test is, without the servers",
  "deno task ok": "scripts/test.ts, as task test is, without the servers",
  "deno task fuzz --seconds N --seed S": "no command but its form; tests/unit/fuzz_test.ts fuzzes",
  "deno task mutations": "it takes minutes; tests/unit/scripts/mutations_test.ts checks its list",
  "npx -y deno@2.9.6 task bench": "it takes minutes",
  "deno task bench": "it takes minutes",
  "deno task bench:records": "it takes minutes",
  "deno task picture": "it needs a browser; tests/db/status_page_test.ts opens the same page",
  "deno task wasm": "tests/unit/protocol/wasm_test.ts compiles the modules and compares",
};

/** What ends by Ctrl-C only, and what it has printed before. */
const endless: [RegExp, RegExp][] = [
  [/task demo:load/, /INSERT [1-9]/],
  [/task demo:count/, /\d rows {2}\+/],
  [/ load .*--every /, /load \d+: [1-9][\d,]* rows/],
  [/ --watch/, /crimes/],
  [/ --until forever/, /\n/],
];

const deadlineMs = 120_000;

Deno.test({
  name: "documents: every command that is shown works as it is shown",
  ignore: !ownServer || Deno.build.os !== "linux",
  async fn(t) {
    const printed = new Map<string, Printed>();
    for (const one of await printedCommands()) {
      const before = printed.get(one.command);
      const where = before ? `${before.where}, ${one.where}` : one.where;
      printed.set(one.command, { ...one, where });
    }
    await t.step("commands that are tested elsewhere are still shown", () => {
      const gone = Object.keys(elsewhere).filter((command) =>
        !printed.has(command) && command !== compileCommand()
      );
      assert.deepEqual(gone, []);
      assert.ok(printed.has(compileCommand()), compileCommand());
    });
    await using world = await startWorld();
    const run = (some: Printed[], before?: () => Promise<void>) =>
      some.reduce(async (last, { command, where }) => {
        await last;
        await t.step(`${where}: ${command}`, async () => {
          await before?.();
          await works(world, command);
        });
      }, Promise.resolve());
    const here = [...printed.values()].filter(({ command }) => !Object.hasOwn(elsewhere, command));
    const creates = ({ command }: Printed) => command.includes("topics create crimes");
    await run(here.filter(creates), () => world.removeTopic());
    await world.removeTopic();
    await world.fill();
    await run(here.filter((one) => !creates(one)));
  },
});

/** A command that only names what a program can do: `gpdb-kafka offsets reset`. */
const naming =
  /^(gpdb-kafka (load|seek|consume|produce|plan|lag|sql|sql (source|table)|(topics|offsets)( [a-z]+)?)|kafka_consumer plan)$/;

/** One with places to fill in: `gpdb-kafka load NAME --every 5s`. Its words must be in the help. */
const isForm = (command: string) => /^(gpdb-kafka|kafka_).*(…| [A-Z]+( |$))/.test(command);

async function works(world: World, command: string): Promise<void> {
  if (naming.test(command) || isForm(command)) {
    const names = /^\S+(?: [a-z]+)*/.exec(command)![0];
    const { code, stdout } = await finish(world, `${names} --help`);
    assert.equal(code, 0);
    const words = command.split(" ").filter((word) => /^-|^[a-z_-]+$/.test(word));
    for (const word of words) assert.ok(stdout.includes(word), `${word}: ${stdout}`);
    return;
  }
  const [, shown] = endless.find(([pattern]) => pattern.test(command)) ?? [];
  const { code, stdout, stderr } = await finish(world, command, shown);
  assert.equal(code, shown ? 130 : 0, `${stdout}\n${stderr}`);
  assert.doesNotMatch(stderr, /^(psql.*)?ERROR:/m);
}

/** Runs a command to its end, or until it has shown this; then as Ctrl-C ends it. */
async function finish(world: World, command: string, shown?: RegExp) {
  // A process group of its own, as a terminal gives it to a command.
  const child = new Deno.Command("setsid", {
    args: ["bash", "-c", `set -o pipefail\n${world.here(command)}`],
    cwd: world.folder,
    env: world.env,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const signal = (name: string) =>
    new Deno.Command("kill", { args: [`-${name}`, "--", `-${child.pid}`], stderr: "null" })
      .outputSync();
  const timer = setTimeout(() => signal("KILL"), deadlineMs);
  const stderr = new Response(child.stderr).text();
  let [stdout, ended] = ["", false];
  if (shown) await world.write().catch(() => {});
  for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
    stdout += chunk;
    if (!shown?.test(stdout) || ended) continue;
    ended = true;
    signal("INT");
  }
  const { code } = await child.status;
  clearTimeout(timer);
  return { code, stdout, stderr: await stderr };
}
