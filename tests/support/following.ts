import { start, text } from "./cli.ts";

/** A consumer without an end, and what it has said so far. */
export function following(args: readonly string[], env: Record<string, string>) {
  const child = start("consumer", args, { env });
  child.stdin.close();
  const collect = async (stream: ReadableStream<Uint8Array>, name: "stdout" | "stderr") => {
    for await (const piece of stream) run[name] += text(piece as Uint8Array<ArrayBuffer>);
  };
  const run = {
    stdout: "",
    stderr: "",
    async end(): Promise<Deno.CommandStatus> {
      child.kill("SIGTERM");
      await Promise.all(collected);
      return await child.status;
    },
  };
  const collected = [collect(child.stdout, "stdout"), collect(child.stderr, "stderr")];
  return run;
}
