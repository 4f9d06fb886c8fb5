/** gpdb-kafka: loads and the administration commands; also the consumer and the producer. */
import { chooseCommand } from "./lib/cli/commands.ts";
import { answer, run } from "./lib/cli/run.ts";
import { exitOnSignals } from "./lib/cli/signals.ts";

if (import.meta.main) {
  const chosen = await chooseCommand(Deno.args);
  if ("text" in chosen) {
    Deno.exit(answer(chosen.text, chosen.code));
  }
  const { command, args } = chosen;
  if (!command.handlesSignals) exitOnSignals(command.name, Deno.exit, command.interrupted);
  Deno.exit(await run(command, args));
}
