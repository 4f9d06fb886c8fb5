import { gssapiPaths } from "../../lib/kafka/sasl/gssapi_paths.ts";

/** An executable: what it is made from, and what it may do. */
export interface Program {
  /** Its file name, and the name of its command. */
  name: string;
  /** Its entry, relative to the project. */
  entry: string;
  /** The entries of its workers: no import leads to them. */
  workers: readonly string[];
  /** What the runtime lets it do; everything else is denied, never asked for. */
  permissions: readonly string[];
  /** Folders that it reads from itself. */
  include: readonly string[];
}

/**
 * What every program may do. Brokers are named by users and name further brokers, and what a
 * config, CA, key or token file is called is the user's business, too: so no list can be baked in
 * for net and read. Nothing may run other programs or ask about the system; and a compiled program
 * loads no code from a network, whatever it may do.
 *
 * The one library that may be loaded is the host's Kerberos, from where hosts have it, for logins
 * with GSSAPI. That right is given back, too: without such a login before the first connection
 * (`readProperties`), else once it is loaded.
 *
 * Write is for `--log-file`, whose path is not known here either. So it is allowed here and given
 * back by `run()` once the log file is open (and at once if there is none): from then on, before
 * the first byte comes from a network, nothing can be written but to that open file and stdout.
 *
 * `--no-prompt`: a question on a segment's terminal, which nobody sees, would hang the query.
 */
const permissions = [
  ...["--no-prompt", "--allow-net", "--allow-env", "--allow-read", "--allow-write"],
  `--allow-ffi=${gssapiPaths.join(",")}`,
];

const workers = ["lib/produce/seal_worker.ts"];

export const programs: readonly Program[] = [
  { name: "kafka_consumer", entry: "consumer.ts", workers: [], permissions, include: [] },
  { name: "kafka_producer", entry: "producer.ts", workers, permissions, include: [] },
  { name: "gpdb-kafka", entry: "main.ts", workers, permissions, include: ["sql"] },
];
