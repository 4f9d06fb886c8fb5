/** What goes wrong while rows are written and loaded. */
import { sleep } from "../support/group.ts";
import { killProgram } from "../support/processes.ts";
import type { Random } from "../support/random.ts";
import type { World } from "./world.ts";

/** How long a load is waited for that something can be done to, milliseconds. */
const PATIENCE = 8000;
/** How long a broker hangs, milliseconds. */
const HANGS = 3000;

/** Each returns whether it has hit anything. */
export const faults: Record<string, (world: World, random: Random) => Promise<boolean>> = {
  async "reader killed"({ pg }) {
    const [session] = await pg.sql<{ pid: number }[]>`
      SELECT pid FROM pg_stat_activity WHERE application_name = 'gpdb-kafka load by_program'`;
    return session !== undefined && await killProgram(session.pid, PATIENCE);
  },

  "backend terminated": (world, random) => signalLoad(world, random, "pg_terminate_backend"),

  "statement cancelled": (world, random) => signalLoad(world, random, "pg_cancel_backend"),

  async "loader killed"({ loaders }) {
    await loaders.merged.replace();
    return true;
  },

  async "broker killed and started again"({ broker: { nodes: [node] } }) {
    await node.kill();
    await node.start();
    return true;
  },

  async "broker stopped and started again"({ broker: { nodes: [node] } }) {
    await node.stop();
    await node.start();
    return true;
  },

  async "broker hangs"({ broker: { nodes: [node] } }) {
    await node.pause();
    await sleep(HANGS);
    await node.resume();
    return true;
  },
};

/** Signals the session of a load that runs. That of by_client is left alone: its memory is judged. */
async function signalLoad(
  { pg }: World,
  random: Random,
  call: "pg_cancel_backend" | "pg_terminate_backend",
): Promise<boolean> {
  const source = ["by_program", "merged"][random.int(0, 1)];
  for (const deadline = Date.now() + PATIENCE; Date.now() < deadline;) {
    const [row] = await pg.sql.unsafe(`
      SELECT ${call}(pid) AS hit FROM pg_stat_activity
      WHERE application_name = 'gpdb-kafka load ${source}' AND xact_start IS NOT NULL`);
    if (row?.hit) return true;
    await sleep(5);
  }
  return false;
}
