/** kafka_producer: rows into a Kafka topic, from a shell or from a writable Greenplum web table. */
import { produceCommand } from "./lib/cli/commands/produce.ts";
import { run } from "./lib/cli/run.ts";
import { exitOnSignals } from "./lib/cli/signals.ts";

if (import.meta.main) {
  exitOnSignals(produceCommand.name, Deno.exit, produceCommand.interrupted);
  Deno.exit(await run(produceCommand, Deno.args));
}
