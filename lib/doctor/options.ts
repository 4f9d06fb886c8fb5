import type { ClientConfig } from "../kafka/config.ts";
import type { Dsn } from "../load/dsn.ts";
import type { Reader } from "../load/stand.ts";
import type { TableName } from "../greenplum/source.ts";
import type { RegistryConfig } from "../registry/config.ts";
import type { RowOptions } from "./rows.ts";

/** What a run is asked to look at; `lib/cli/flags/doctor.ts` makes it from the command line. */
export interface DoctorOptions {
  /** Without TLS and SASL, which {@link security} gives; the timeout is that of each check. */
  config: ClientConfig;
  /** Reads certificates, keys and credentials. Throws Failure if they can't be had. */
  security(): Promise<Pick<ClientConfig, "tls" | "sasl">>;
  /** Brokers that the user named: they override a source's own. */
  brokersAreGiven: boolean;
  topic: string | null;
  group: string;
  dsn: Dsn | null;
  /** A source of kafka.load, which says the topic, the table and the group. */
  source: string | null;
  table: TableName | null;
  /** How the reader makes rows. */
  rows: RowOptions;
  /** The same of a source's command. Throws Failure. */
  rowsOfCommand(command: string): RowOptions;
  /**
   * How to reach the schema registry: one that the user named, else these URLs of a source's command,
   * else that of the properties; null if there is none. Throws Failure.
   */
  registry(urls: readonly string[]): Promise<RegistryConfig | null>;
  /** How a source's topic is read, if gpdb-kafka load reads it. Throws Failure. */
  readerOf(command: string): Promise<Reader>;
  /** Records of each partition that are looked at. */
  sample: number;
  /** Where kafka_consumer is on the database's hosts; null: where the source's command has it. */
  program: string | null;
  /** What that kafka_consumer needs to reach the brokers; null if it can't be known. */
  programArgs: readonly string[] | null;
  version: string;
}
