/** The processes below one, as /proc tells. */
async function children(pid: number): Promise<number[]> {
  const text = await Deno.readTextFile(`/proc/${pid}/task/${pid}/children`).catch(() => "");
  return text.trim().split(" ").filter(Boolean).map(Number);
}

/**
 * Kills -9 the program that a server's process runs: the last of the chain that it started (its
 * shell, then the program). Returns false when none was seen within the time, milliseconds.
 */
export async function killProgram(serverPid: number, within: number): Promise<boolean> {
  for (const deadline = Date.now() + within; Date.now() < deadline;) {
    let last: number | undefined;
    for (let below = await children(serverPid); below.length > 0;) {
      last = below[0];
      below = await children(last);
    }
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
