import { outputFailure } from "../consume/output.ts";
import { systemReason } from "../failure.ts";

/** Something that bytes are written to: stdout, stderr, an open file. */
export interface Sink {
  writeSync(bytes: Uint8Array): number;
}

const utf8 = new TextEncoder();

/** Writes what a command was asked for to stdout, all of it. Throws Failure (output). */
export function print(text: string): void {
  try {
    writeAll(Deno.stdout, text);
  } catch (error) {
    throw outputFailure(error);
  }
}

/** Writes to stdout what is done, and can't fail any more because it is not said there. */
export function printDone(text: string, warn: (line: string) => void): void {
  const why = tryWrite(Deno.stdout, text);
  if (why !== null) warn(`cannot write to stdout: ${why} — done all the same: ${text.trimEnd()}`);
}

/**
 * Writes all of a text where that is possible. For what is only said: it must not decide how a run
 * ends. Returns why it was not possible, else null.
 */
export function tryWrite(to: Sink, text: string): string | null {
  try {
    writeAll(to, text);
    return null;
  } catch (error) {
    return systemReason(error);
  }
}

function writeAll(to: Sink, text: string): void {
  const bytes = utf8.encode(text);
  for (let at = 0; at < bytes.length;) at += to.writeSync(bytes.subarray(at));
}
