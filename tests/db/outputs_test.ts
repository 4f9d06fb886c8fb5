/**
 * The documents' transcripts: their commands are run in turn, and what they print must be what is
 * shown. `deno task readme --record` writes it there instead.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startWorld, type World } from "../support/document_world.ts";
import { documents } from "../support/documents.ts";
import { isInstalled } from "../support/installed.ts";
import { dialect, ownServer } from "../support/load.ts";
import { type Scene, scenes } from "../support/output_scenes.ts";
import {
  fitted,
  readTranscript,
  stable,
  transcriptsOf,
  withTranscript,
} from "../support/outputs.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const record = Deno.args.includes("--record");

/** How long a command runs that is shown as a terminal has it, seconds. */
const WATCHED = 8;

const hasTerminals = await isInstalled("script", ["--version"]);

Deno.test({
  name: "outputs: what the documents show is what the commands print",
  ignore: !ownServer || dialect !== "postgres" || Deno.build.os !== "linux" ||
    Deno.env.has("GPDB_KAFKA_TEST_VERSION"),
  async fn(t) {
    const shown = new Map<string, { path: string; text: string }>();
    for (const path of await documents()) {
      for (const [name, text] of transcriptsOf(await Deno.readTextFile(join(root, path)))) {
        assert.ok(!shown.has(name), `${path}: "${name}" is shown in ${shown.get(name)?.path}, too`);
        shown.set(name, { path, text });
      }
    }
    assert.deepEqual([...shown.keys()].toSorted(), Object.keys(scenes).toSorted());
    await using world = await startWorld();
    await world.fill();
    for (const [name, { path, text }] of shown) {
      await t.step(`${path}: output of ${name}`, async () => {
        const printed = await play(world, scenes[name], text);
        if (!record) return;
        const file = join(root, path);
        const markdown = await Deno.readTextFile(file);
        await Deno.writeTextFile(file, withTranscript(markdown, name, printed));
      });
    }
  },
});

/** Runs a transcript's commands and compares. Returns it with what they print now. */
async function play(world: World, scene: Scene, transcript: string): Promise<string> {
  const comparable = scene.comparable ?? ((output: string) => output);
  let whole = "";
  for (const [at, { shown: { command, output }, typed }] of readTranscript(transcript).entries()) {
    const onTerminal = scene.onTerminal?.test(command) ?? false;
    if (onTerminal && !hasTerminals) {
      whole += `${typed}\n${output}`;
      continue;
    }
    const activity = await scene.before?.(world, at);
    let printed: string;
    try {
      printed = onTerminal
        ? await runOnTerminal(world, command)
        : await run(world, command, scene.code ?? 0);
    } finally {
      await activity?.[Symbol.asyncDispose]();
    }
    const now = world.asShown(printed);
    const same = [output, now].map((text) => stable(comparable(text, command)));
    if (!record) {
      assert.equal(
        same[1],
        same[0],
        `${command} prints this (if it is right: deno task readme --record)\n${now}`,
      );
    }
    // What differs only in its times stays as it is.
    whole += `${typed}\n${same[0] === same[1] ? output : fitted(now)}`;
  }
  return whole;
}

async function run(world: World, command: string, expected: number): Promise<string> {
  return await finish(world, ["bash", "-c", world.here(command)], {}, expected);
}

/** What is on a terminal when Ctrl-C ends a command that draws itself again and again. */
async function runOnTerminal(world: World, command: string): Promise<string> {
  const script =
    `stty cols 80 rows 24; timeout --foreground -s INT ${WATCHED} bash -c "exec $SHOWN"`;
  const env = { SHOWN: world.here(command), SHELL: "/bin/sh" };
  const drawn = await finish(world, ["script", "-qec", script, "/dev/null"], env, 124);
  return drawn.split("\x1b[J").at(-1)!.replaceAll("\r", "").replace(/\^C$/, "");
}

async function finish(
  world: World,
  [program, ...args]: string[],
  env: Record<string, string>,
  expected: number,
): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command(program, {
    args,
    cwd: world.folder,
    env: { ...world.env, ...env },
    stdin: "null",
    signal: AbortSignal.timeout(120_000),
  }).output();
  const [out, said] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  assert.equal(code, expected, `${program} ${args.join(" ")}\n${out}${said}`);
  return out;
}
