import { wordsOf } from "../../greenplum/quote.ts";
import type { ClientConfig } from "../../kafka/config.ts";
import type { Reader } from "../../load/stand.ts";
import type { Console } from "../console.ts";
import { env } from "../environment.ts";
import { parseFlags } from "../flags.ts";
import { clientConfig, readProperties } from "./connection.ts";
import { consumeFlags, consumeOptions } from "./consume.ts";
import { registryOptions } from "./registry.ts";
import { rowFlags } from "./rows.ts";

/**
 * What `sql source` writes into a reader's command. Other flags would let a database decide over this
 * machine: which files are written, how long a run waits.
 */
const names = [
  ...["topic", "topics", "topic-pattern", "isolation", "brokers", "config"],
  ...rowFlags.map(({ name }) => name),
];
const readerFlags = consumeFlags.filter(({ name }) => names.includes(name));

/**
 * How a reader's command would read its topic: for a program that does the same itself. Files that it
 * names are those of this machine. With a `config` of the user's, that is how the cluster is reached.
 * Throws Failure (usage).
 */
export async function sourceReader(
  command: string,
  console: Console,
  config?: ClientConfig,
): Promise<Reader> {
  const given = parseFlags(readerFlags, wordsOf(command).slice(1));
  if (config !== undefined) return { options: consumeOptions(given, () => undefined), config };
  const properties = await readProperties(given, env, console);
  // It reads all partitions, also on a host of Greenplum.
  const options = consumeOptions(given, () => undefined, properties);
  options.registry = await registryOptions(given, env, console, properties);
  return {
    options,
    config: await clientConfig(given, env, console, "gpdb-kafka-load", properties),
  };
}
