/** gpdb-kafka: everything that is done around the consumer and the producer. */
import { chooseCommand } from "./lib/cli/main_commands.ts";
import { exitOnSignals, run } from "./lib/cli/run.ts";

if (import.meta.main) {
  const chosen = await chooseCommand(Deno.args);
  if ("text" in chosen) {
    (chosen.code === 0 ? console.log : console.error)(chosen.text);
    Deno.exit(chosen.code);
  }
  const { command, args } = chosen;
  if (!command.handlesSignals) exitOnSignals(command.name, Deno.exit, command.interrupted);
  Deno.exit(await run(command, args));
}
