import { Failure } from "../failure.ts";

const link = "/proc/self/fd/1";

/**
 * Throws Failure (output) if stdout was closed before the start. The runtime then opens
 * /dev/null in its place, so every write succeeds and goes nowhere. It opens it to read and write;
 * a shell's `>/dev/null` only writes, and is meant to discard the rows.
 *
 * If that is not visible (a compiled program of Deno 2.9 may not look into /proc, and other
 * systems have none), a stdout that is /dev/null is only reported.
 */
export async function checkStdout(warn: (line: string) => void): Promise<void> {
  try {
    if (Deno.readLinkSync(link) !== "/dev/null") return;
    const mode = Deno.lstatSync(link).mode ?? 0;
    if ((mode & READABLE) === 0) return;
  } catch {
    if (await isNull()) warn("stdout is closed, or is /dev/null: the output is lost");
    return;
  }
  throw new Failure(
    "output",
    "cannot write to stdout: it is closed, or is /dev/null opened for reading and writing — " +
      "open it; >/dev/null discards what is written",
  );
}

/** In the mode of a link in /proc/self/fd: whether the file is open for reading. */
const READABLE = 0o400;

async function isNull(): Promise<boolean> {
  try {
    const { fstatSync, statSync } = await import("node:fs");
    const [own, nothing] = [fstatSync(1), statSync("/dev/null")];
    return own.isCharacterDevice() && own.rdev === nothing.rdev;
  } catch {
    return false;
  }
}
