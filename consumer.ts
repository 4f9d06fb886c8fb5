/** kafka_consumer: the program that a Greenplum web table runs on every segment. */
import { consumeCommand } from "./lib/cli/commands/consume.ts";
import { run } from "./lib/cli/run.ts";
import { exitOnSignals } from "./lib/cli/signals.ts";

if (import.meta.main) {
  const [first, ...rest] = Deno.args;
  // The planner of kafka.load too, so that a cluster needs no second executable.
  const planning = first === "plan";
  const command = planning
    ? (await import("./lib/cli/commands/plan.ts")).planCommand
    : consumeCommand;
  exitOnSignals(command.name, Deno.exit);
  Deno.exit(await run(command, planning ? rest : Deno.args));
}
