/** The processes below one, from /proc. */
async function children(pid: number): Promise<number[]> {
  const text = await Deno.readTextFile(`/proc/${pid}/task/${pid}/children`).catch(() => "");
  return text.trim().split(" ").filter(Boolean).map(Number);
}

/** The last of the chain that a server's process started: its shell, then the program. */
async function programOf(serverPid: number): Promise<number | undefined> {
  let last: number | undefined;
  for (let below = await children(serverPid); below.length > 0;) {
    last = below[0];
    below = await children(last);
  }
  return last;
}

/** Any process of that name. */
async function processNamed(name: string): Promise<number | undefined> {
  for await (const { name: pid } of Deno.readDir("/proc")) {
    const found = await Deno.readTextFile(`/proc/${pid}/comm`).catch(() => "");
    if (found === `${name}\n`) return Number(pid);
  }
}

/**
 * Kills -9 the program that the server's process of that number runs, or any program of that name:
 * a segment's. Returns false when none was seen within the time, milliseconds.
 */
export async function killProgram(server: number | string, within: number): Promise<boolean> {
  for (const deadline = Date.now() + within; Date.now() < deadline;) {
    const last = await (typeof server === "number" ? programOf(server) : processNamed(server));
    if (last !== undefined) {
      try {
        Deno.kill(last, "SIGKILL");
        return true;
      } catch {
        // It ended a moment ago.
      }
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return false;
}
