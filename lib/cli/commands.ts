import { shown } from "../secret.ts";
import { exitCodes } from "./exit_codes.ts";
import { suggestion } from "../text.ts";
import type { Command } from "./run.ts";
import { version } from "./version.ts";

interface Entry {
  about: string;
  /** Loaded when it is called: no command loads another's packages. */
  load(): Promise<Command>;
}

/** The commands of gpdb-kafka, in the order of the help. */
export const mainCommands: Record<string, Entry> = {
  consume: {
    about: "write new records of a topic as rows to stdout; the same as kafka_consumer",
    load: async () => (await import("./commands/consume.ts")).consumeCommand,
  },
  produce: {
    about: "write rows to a topic; the same as kafka_producer",
    load: async () => (await import("./commands/produce.ts")).produceCommand,
  },
  load: {
    about: "call kafka.load for a source, once or repeatedly",
    load: async () => (await import("./commands/load.ts")).loadCommand,
  },
  seek: {
    about: "move a source: where its next load starts",
    load: async () => (await import("./commands/seek.ts")).seekCommand,
  },
  sql: {
    about: "print the SQL of schema kafka and of its sources",
    load: async () => (await import("./commands/sql.ts")).sqlCommand,
  },
  plan: {
    about: "print the first and the end offset of each partition of a topic",
    load: async () => (await import("./commands/plan.ts")).planCommand,
  },
  topics: {
    about: "list, create, delete, describe topics",
    load: async () => (await import("./commands/topics.ts")).topicsCommand,
  },
  offsets: {
    about: "show, export, import, reset the offsets of a group",
    load: async () => (await import("./commands/offsets.ts")).offsetsCommand,
  },
  lag: {
    about: "show the consumer lag of a group or a database",
    load: async () => (await import("./commands/lag.ts")).lagCommand,
  },
  doctor: {
    about: "check everything that a load depends on",
    load: async () => (await import("./commands/doctor.ts")).doctorCommand,
  },
};

/** What these arguments call: a command with its own arguments, or a text and an exit status. */
export async function chooseCommand(
  args: readonly string[],
): Promise<{ command: Command; args: string[] } | { text: string; code: number }> {
  const [name, ...rest] = args;
  if (name === "--version") return { text: `gpdb-kafka ${version}`, code: exitCodes.done.code };
  if (name === "--help" || name === "-h") return { text: mainUsage(), code: exitCodes.done.code };
  if (name === undefined) return { text: mainUsage(), code: exitCodes.usage.code };
  if (!Object.hasOwn(mainCommands, name)) {
    const all = Object.keys(mainCommands);
    const hint = suggestion(name, all, `: use ${all.join(", ")}; see --help`);
    const text = `gpdb-kafka: unknown command "${shown(name)}"${hint}`;
    return { text, code: exitCodes.usage.code };
  }
  return { command: await mainCommands[name].load(), args: rest };
}

function mainUsage(): string {
  const commands = Object.entries(mainCommands)
    .map(([name, { about }]) => `  ${name.padEnd(12)}${about}`);
  return [
    "gpdb-kafka: loads Kafka topics into Greenplum and PostgreSQL tables, and writes rows to topics",
    `Commands:\n${commands.join("\n")}`,
    "gpdb-kafka COMMAND --help lists its flags.",
  ].join("\n\n");
}
