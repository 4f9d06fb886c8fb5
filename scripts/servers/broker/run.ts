import { Failure } from "../../../lib/failure.ts";
import type { RunOptions, RunResult } from "./options.ts";
import { QUICK_START, type Toolbox } from "./toolbox.ts";

const defaultTimeoutMs = 60_000;

export function toolCommandLine(
  toolbox: Toolbox,
  folder: string,
  className: string,
  args: string[],
  options: RunOptions = {},
): string[] {
  const jvm = ["-Xmx512m", QUICK_START, ...options.jvm ?? []];
  return toolbox.commandLine({ ...options, jvm, className, args, folder, log: "tool" });
}

/** Runs a class of Kafka's jars to its end, with all of its input and output. */
export async function runTool(
  toolbox: Toolbox,
  folder: string,
  className: string,
  args: string[],
  options: RunOptions = {},
): Promise<RunResult> {
  const [program, ...rest] = toolCommandLine(toolbox, folder, className, args, options);
  const child = new Deno.Command(program, {
    args: rest,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const timeoutMs = options.timeoutMs ?? defaultTimeoutMs;
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    child.kill("SIGKILL");
  }, timeoutMs);
  try {
    const [stdout, stderr, status] = await Promise.all([
      collect(child.stdout, options.stdoutFile),
      new Response(child.stderr).text(),
      child.status,
      feed(child.stdin, options.stdin),
    ]);
    if (late) {
      const what = `Cannot wait for ${className}: it still ran after ${timeoutMs / 1000} s`;
      throw new Failure(
        "broker",
        stderr.trim() ? `${what}: ${stderr.trim().split("\n")[0]}` : what,
      );
    }
    return { code: status.code, stdout, stderr };
  } finally {
    clearTimeout(timer);
  }
}

async function collect(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  file: string | undefined,
): Promise<Uint8Array<ArrayBuffer>> {
  if (file === undefined) return new Uint8Array(await new Response(stream).arrayBuffer());
  const target = await Deno.open(file, { write: true, create: true, truncate: true });
  await stream.pipeTo(target.writable);
  return new Uint8Array(0);
}

/**
 * A tool may end before it has read all of its input; its exit status counts, not the broken pipe.
 */
async function feed(
  stdin: WritableStream<Uint8Array<ArrayBuffer>>,
  input: Uint8Array | string | undefined,
): Promise<void> {
  const writer = stdin.getWriter();
  try {
    const bytes = typeof input === "string" ? new TextEncoder().encode(input) : input;
    // The two Deno versions differ in which buffers their types let through here; the bytes don't.
    if (bytes?.length) await writer.write(bytes as Uint8Array<ArrayBuffer>);
    await writer.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}
