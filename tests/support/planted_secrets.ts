/** Secrets planted in what programs are given, and a search for them in all that programs say. */
import assert from "node:assert/strict";
import { type Program, runProgram, text } from "./cli.ts";
import { secrets } from "./secure_broker.ts";

/** It is in every secret of these tests, and in no other word; the broker's users have it too. */
export const MARK = "Pa55";
export const S = `z-${MARK}-9`;
/** So much of a token is no accident. */
const BEGINNING = 40;
for (const secret of Object.values(secrets)) assert.ok(secret.includes(MARK));

/** Fails where a text of ours holds any part of a secret, or one of `others`, or how it begins. */
export function search(where: string, seen: string, others: readonly string[] = []): void {
  assert.ok(!seen.includes(MARK), `${where}: ${seen}`);
  for (const other of others) {
    assert.ok(!seen.includes(other.slice(0, BEGINNING)), `${where}: ${other}: ${seen}`);
  }
}

export interface Planted {
  program?: Program;
  args: string[];
  env?: Record<string, string>;
  stdin?: string;
  /** Any of these statuses. */
  codes: number[];
}

/** Runs each, with all that it can say, and searches that; also for secrets that come up meanwhile. */
export async function runAll(
  planted: Planted[],
  folder: string,
  others: () => string[] = () => [],
): Promise<void> {
  const one = async ({ program = "main", args, env = {}, stdin, codes }: Planted, i: number) => {
    const log = `${folder}/${i}-${crypto.randomUUID()}.log`;
    const run = await runProgram(program, [...args, "-v", "--log-file", log], { env, stdin });
    const name = `${program} ${args.join(" ")} ${JSON.stringify(env)}`;
    assert.ok(codes.includes(run.code), `${name}: ${run.code}: ${run.stderr}`);
    const logged = await Deno.readTextFile(log).catch(() => "");
    search(`${name}: stderr`, run.stderr, others());
    search(`${name}: stdout`, text(run.stdout), others());
    search(`${name}: log`, logged, others());
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
