/** Secrets planted in what programs are given, and a search for them in all that programs say. */
import assert from "node:assert/strict";
import { type Program, runProgram, text } from "./cli.ts";
import { secrets } from "./secure_broker.ts";

/** It is in every secret of these tests, and in no other word; the broker's users have it too. */
export const MARK = "Pa55";
export const S = `z-${MARK}-9`;
for (const secret of Object.values(secrets)) assert.ok(secret.includes(MARK));

/** Fails where a text of ours holds any part of a secret. */
export function search(where: string, seen: string): void {
  assert.ok(!seen.includes(MARK), `${where}: ${seen}`);
}

export interface Planted {
  program?: Program;
  args: string[];
  env?: Record<string, string>;
  stdin?: string;
  /** Any of these statuses. */
  codes: number[];
}

/** Runs each, with all that it can say, and searches that. */
export async function runAll(planted: Planted[], folder: string): Promise<void> {
  const one = async ({ program = "main", args, env = {}, stdin, codes }: Planted, i: number) => {
    const log = `${folder}/${i}-${crypto.randomUUID()}.log`;
    const run = await runProgram(program, [...args, "-v", "--log-file", log], { env, stdin });
    const name = `${program} ${args.join(" ")} ${JSON.stringify(env)}`;
    assert.ok(codes.includes(run.code), `${name}: ${run.code}: ${run.stderr}`);
    search(`${name}: stderr`, run.stderr);
    search(`${name}: stdout`, text(run.stdout));
    search(`${name}: log`, await Deno.readTextFile(log).catch(() => ""));
    assert.ok(!/\bbug\b/.test(run.stderr), `${name}: ${run.stderr}`);
  };
  const left = planted.map((planted, i) => () => one(planted, i));
  // Two at a time: each is a process.
  const work = async () => {
    for (let next = left.shift(); next; next = left.shift()) await next();
  };
  await Promise.all([work(), work()]);
}

export async function withFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await work(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
