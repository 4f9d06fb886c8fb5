/** kafka_consumer: the program that a Greenplum web table runs on every segment. */
import { consumeCommand } from "./lib/cli/consume_command.ts";
import { exitOnSignals, run } from "./lib/cli/run.ts";

if (import.meta.main) {
  const [first, ...rest] = Deno.args;
  // The planner of kafka.load too, so that a cluster needs no second executable.
  const planning = first === "plan";
  const command = planning
    ? (await import("./lib/cli/plan_command.ts")).planCommand
    : consumeCommand;
  exitOnSignals(command.name, Deno.exit);
  Deno.exit(await run(command, planning ? rest : Deno.args));
}
