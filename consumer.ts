/** kafka_consumer: the program that a Greenplum web table runs on every segment. */
import { consumeCommand } from "./lib/cli/consume_command.ts";
import { exitOnSignals, run } from "./lib/cli/run.ts";

if (import.meta.main) {
  exitOnSignals(consumeCommand.name, Deno.exit);
  Deno.exit(await run(consumeCommand, Deno.args));
}
