/** What ends the processes of a load: kill -9 of each of them, and of the whole database. */
import assert from "node:assert/strict";
import { start } from "../cli.ts";
import { dialect } from "../load.ts";
import { killProgram } from "../processes.ts";
import { type ChaosEvent, type Outcome, struck } from "./event.ts";
import type { ChaosSource } from "./source.ts";
import type { ChaosWorld } from "./world.ts";

/** What a client sees of a session that is ended, or a server that is. */
export const LOST =
  /^(57P01: terminating connection due to administrator command$|57P02|57P03|CONNECTION_|ECONNRESET|ECONNREFUSED|EPIPE)/;

const LOST_OUTCOME = "the connection is lost; all of the load stays, or nothing";

/** Runs `gpdb-kafka load` as a process, and sends it a signal in the middle of its load. */
async function signalled(
  world: ChaosWorld,
  source: ChaosSource,
  signal: "SIGKILL" | "SIGTERM",
): Promise<{ ended: string }> {
  const child = start("main", ["load", source.name, "--dsn", world.pg.dsn, "--once", "--quiet"]);
  const process = { isOver: false };
  const output = child.output().finally(() => process.isOver = true);
  await world.backend(source, process);
  await world.moment(source);
  try {
    child.kill(signal);
  } catch {
    // It has ended already.
  }
  const { code, signal: received, stderr } = await output;
  const ended = received ?? `${code}`;
  assert.ok([signal, "143", "0"].includes(ended), new TextDecoder().decode(stderr));
  return { ended };
}

export const killEvents: readonly ChaosEvent[] = [
  {
    name: "kafka_consumer killed -9",
    greenplum: true,
    outcome: "SQLSTATE 38000, with its signal; nothing of the load stays",
    way: "program",
    async run(world, source) {
      await using attempt = world.attempt(source);
      const pid = await world.backend(source, attempt);
      await world.moment(source);
      if (pid !== null) await killProgram(dialect === "greenplum" ? "kafka_consumer" : pid, 500);
      return struck(
        await attempt.ended,
        // The planner is a kafka_consumer, too.
        /^38000: the (planner|reader) of source ".*" failed: .*(signal 9|exit code 137)/,
      );
    },
  },
  {
    name: "gpdb-kafka load killed -9",
    outcome: "all of the load stays, or nothing",
    async run(world, source): Promise<Outcome> {
      const { ended } = await signalled(world, source, "SIGKILL");
      const hit = ended === "SIGKILL";
      return { hit, ended, rows: hit ? "either" : "all" };
    },
  },
  {
    name: "gpdb-kafka load ended by SIGTERM",
    outcome: "status 143; the load ends within 3 s, or nothing of it stays",
    async run(world, source): Promise<Outcome> {
      const { ended } = await signalled(world, source, "SIGTERM");
      const hit = ended === "143";
      return { hit, ended, rows: hit ? "either" : "all" };
    },
  },
  {
    name: "backend killed -9",
    outcome: LOST_OUTCOME,
    async run(world, source) {
      await using attempt = world.attempt(source);
      const pid = await world.backend(source, attempt);
      await world.moment(source);
      // Its session stays until the end of this round: the process is that one.
      if (pid !== null) await world.crash(() => Deno.kill(pid, "SIGKILL"));
      return struck(await attempt.ended, LOST, "either");
    },
  },
  {
    name: "database stopped at once, and restarted",
    outcome: LOST_OUTCOME,
    async run(world, source) {
      await using attempt = world.attempt(source);
      await world.backend(source, attempt);
      await world.moment(source);
      await world.crash(() => world.pg.crash());
      return struck(await attempt.ended, LOST, "either");
    },
  },
];
