import { Failure } from "../failure.ts";

/** Writes text to stdout, all of it. Throws Failure (output) where its reader is gone. */
export function print(text: string): void {
  const bytes = new TextEncoder().encode(text);
  try {
    for (let at = 0; at < bytes.length;) at += Deno.stdout.writeSync(bytes.subarray(at));
  } catch (error) {
    const why = error instanceof Deno.errors.BrokenPipe
      ? "stdout was closed by its reader"
      : `cannot write to stdout: ${error instanceof Error ? error.message : error}`;
    throw new Failure("output", why, { cause: error });
  }
}
