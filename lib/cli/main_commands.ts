import { shown } from "../secret.ts";
import { exitCodes } from "./exit_codes.ts";
import type { Command } from "./run.ts";
import { version } from "./version.ts";

interface Entry {
  about: string;
  /** Loaded when it is called: no command pays for another's packages. */
  load(): Promise<Command>;
}

/** The commands of gpdb-kafka, in the order of the help. */
export const mainCommands: Record<string, Entry> = {
  consume: {
    about: "topic to rows, as kafka_consumer",
    load: async () => (await import("./consume_command.ts")).consumeCommand,
  },
  produce: {
    about: "rows to topic, as kafka_producer",
    load: async () => (await import("./produce_command.ts")).produceCommand,
  },
  load: {
    about: "call kafka.load once, or again and again",
    load: async () => (await import("./load_command.ts")).loadCommand,
  },
  sql: {
    about: "print the SQL that a database needs",
    load: async () => (await import("./sql_command.ts")).sqlCommand,
  },
  plan: {
    about: "print where a topic starts and ends",
    load: async () => (await import("./plan_command.ts")).planCommand,
  },
  topics: {
    about: "list, create, delete, describe topics",
    load: async () => (await import("./topics_command.ts")).topicsCommand,
  },
  offsets: {
    about: "show, export, import, reset a group's offsets",
    load: async () => (await import("./offsets_command.ts")).offsetsCommand,
  },
  lag: {
    about: "how far a group, or a database, is behind",
    load: async () => (await import("./lag_command.ts")).lagCommand,
  },
  doctor: {
    about: "look for what keeps a load from working",
    load: async () => (await import("./doctor_command.ts")).doctorCommand,
  },
};

/** What is called with these arguments: a command and its own arguments, or a text and a status. */
export async function chooseCommand(
  args: readonly string[],
): Promise<{ command: Command; args: string[] } | { text: string; code: number }> {
  const [name, ...rest] = args;
  if (name === "--version") return { text: `gpdb-kafka ${version}`, code: exitCodes.done.code };
  if (name === "--help" || name === "-h") return { text: mainUsage(), code: exitCodes.done.code };
  if (name === undefined || !Object.hasOwn(mainCommands, name)) {
    const why = name === undefined ? "no command" : `unknown command "${shown(name)}"`;
    const all = Object.keys(mainCommands).join(", ");
    return { text: `gpdb-kafka: ${why}: say ${all}, or --help`, code: exitCodes.usage.code };
  }
  return { command: await mainCommands[name].load(), args: rest };
}

function mainUsage(): string {
  const commands = Object.entries(mainCommands)
    .map(([name, { about }]) => `  ${name.padEnd(12)}${about}`);
  return [
    "gpdb-kafka: Kafka topics into Greenplum tables, and back",
    `Commands:\n${commands.join("\n")}`,
    "gpdb-kafka COMMAND --help says more.",
  ].join("\n\n");
}
