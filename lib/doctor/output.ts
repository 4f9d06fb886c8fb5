import type { Say } from "./findings.ts";

/** A process with fewer may fail where there are many brokers. */
const FEW_FILES = 256;
/** After this many pages of pipes a user's new pipes hold one page (pipe(7)), and rows are slow. */
const FEW_PAGES = 1024;

/** Where this process's stdout goes, and the limits of pipes and files that a reader would meet. */
export async function checkOutput(say: Say): Promise<true> {
  if (Deno.build.os !== "linux") {
    say("ok", `${stdoutKind()}; limits are checked on Linux only`);
    return true;
  }
  const pages = await number("/proc/sys/fs/pipe-user-pages-soft");
  const largest = await number("/proc/sys/fs/pipe-max-size");
  const limits = await Deno.readTextFile("/proc/self/limits").catch(() => "");
  const files = Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1] ?? NaN);
  if (largest === null) {
    say("ok", `${stdoutKind()}; limits cannot be read with this program's permissions`);
    return true;
  }
  say("ok", `${stdoutKind()}; a pipe may have ${largest} bytes, ${files} files may be open`);
  if (pages !== null && pages > 0 && pages < FEW_PAGES) {
    say(
      "warn",
      `fs.pipe-user-pages-soft is ${pages}: past that a pipe holds one page, and rows are slow`,
      "sysctl fs.pipe-user-pages-soft=16384",
    );
  }
  if (files < FEW_FILES) {
    say("warn", `only ${files} files may be open`, "raise ulimit -n (nofile in limits.conf)");
  }
  return true;
}

async function number(path: string): Promise<number | null> {
  const text = await Deno.readTextFile(path).catch(() => "");
  return /^\d+\s*$/.test(text) ? Number(text) : null;
}

function stdoutKind(): string {
  if (Deno.stdout.isTerminal()) return "stdout is a terminal";
  try {
    const target = Deno.readLinkSync("/proc/self/fd/1");
    return `stdout is ${target.startsWith("pipe:") ? "a pipe" : target}`;
  } catch {
    return "stdout is not a terminal";
  }
}
