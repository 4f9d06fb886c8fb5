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

/** Reports on stdout what is done: a failure to write that is a warning, for it is done. */
export function printDone(text: string, warn: (line: string) => void): void {
  const why = tryWrite(Deno.stdout, text);
  if (why !== null) warn(`cannot write to stdout: ${why} — done all the same: ${text.trimEnd()}`);
}

/**
 * Writes all of a text if that is possible. For reports: they must not decide how a run
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
