/** gpdb-kafka: everything that is done around the consumer and the producer. */
import { chooseCommand } from "./lib/cli/main_commands.ts";
import { answer, exitOnSignals, run } from "./lib/cli/run.ts";

if (import.meta.main) {
  const chosen = await chooseCommand(Deno.args);
  if ("text" in chosen) {
    Deno.exit(answer(chosen.text, chosen.code));
  }
  const { command, args } = chosen;
  if (!command.handlesSignals) exitOnSignals(command.name, Deno.exit, command.interrupted);
  Deno.exit(await run(command, args));
}
