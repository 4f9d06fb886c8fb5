/** Keeps a Kafka broker running in the background: `deno task broker:start`, `broker:stop`. */
import { runCommand } from "./servers/broker/command.ts";

Deno.exitCode = await runCommand(Deno.args);
