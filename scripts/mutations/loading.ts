import type { Mutation } from "./mutation.ts";

const produce: Mutation[] = [
  {
    file: "lib/produce/sender.ts",
    change: "a batch is sent before it is compressed",
    find: "if (batch.sealing !== null) return;",
    replace: "",
    tests: ["tests/broker/produce_test.ts"],
    filter: "what two threads compress",
  },
  {
    file: "lib/produce/partition_queue.ts",
    change: "sequence numbers count batches, not rows",
    find: "this.#sequence = (this.#sequence + batch.count) % SEQUENCES;",
    replace: "this.#sequence = (this.#sequence + 1) % SEQUENCES;",
    tests: ["tests/cli/producer_once_test.ts"],
  },
  {
    file: "lib/produce/split_batch.ts",
    change: "offsets of a batch's second half begin in the middle",
    find: "const delta = index - first;",
    replace: "const delta = index;",
    tests: ["tests/unit/produce/batch_test.ts"],
  },
  {
    file: "lib/produce/batch.ts",
    change: "the last byte is not in the CRC",
    find: "kernel.view.setUint32(start + At.crc, kernel.crc32c(from, this.end - from));",
    replace: "kernel.view.setUint32(start + At.crc, kernel.crc32c(from, this.end - from - 1));",
    tests: ["tests/unit/produce/batch_test.ts"],
  },
  {
    file: "lib/produce/once.ts",
    change: "a batch without an answer counts as rejected",
    find: "return !(error instanceof BrokerError && REFUSED.has(error.code));",
    replace: "return error instanceof BrokerError && !REFUSED.has(error.code);",
    tests: ["tests/cli/producer_once_test.ts"],
  },
];

const load: Mutation[] = [
  {
    file: "lib/load/errors.ts",
    change: "a load that lost a race with another load is not tried again",
    find: '["40", "incomplete", true],',
    replace: '["40", "incomplete", false],',
    tests: ["tests/unit/load/loop_test.ts"],
  },
  {
    file: "lib/load/loop.ts",
    change: "the deadline of a load without --every is lost",
    find: "this.#now + wait - failedSince > patience;",
    replace: "this.#now + wait - failedSince > Infinity;",
    tests: ["tests/unit/load/loop_test.ts"],
  },
  {
    file: "lib/load/plan_topic.ts",
    change: "offsets are committed for a topic that was recreated, too",
    find: "return possibleHashes(identity).includes(log)",
    replace: "return possibleHashes(identity).length > 0",
    tests: ["tests/unit/load/plan_test.ts"],
  },
  {
    file: "lib/load/transaction.ts",
    change: "a COMMIT that the server answered with ROLLBACK counts as done",
    find: 'if (command !== "COMMIT") throw',
    replace: 'if (command === "") throw',
    tests: ["tests/db/transaction_test.ts"],
  },
  {
    file: "lib/load/access.ts",
    change: "the token of --listen is not compared",
    find: "return timingSafeEqual(digest(one), digest(other));",
    replace: "return timingSafeEqual(digest(one), digest(one)) || one === other;",
    tests: ["tests/unit/load/site_test.ts"],
  },
  {
    file: "lib/greenplum/quote.ts",
    change: "quotes in a name of SQL are not doubled",
    find: 'return `"${name.replaceAll(\'"\', \'""\')}"`;',
    replace: 'return `"${name}"`;',
    tests: ["tests/unit/load/ddl_test.ts"],
  },
  {
    file: "lib/greenplum/quote.ts",
    change: "a backslash in a string of SQL is not escaped",
    find: 'return quoted.includes("\\\\") ? `E${quoted.replaceAll("\\\\", "\\\\\\\\")}` : quoted;',
    replace: "return quoted;",
    tests: ["tests/unit/load/ddl_test.ts"],
  },
  {
    file: "lib/greenplum/query_comment.ts",
    change: "a comment anywhere in a statement says what is read",
    find: String.raw`const match = /^\s*\/\* `,
    replace: String.raw`const match = /\/\* `,
    tests: ["tests/unit/load/query_comment_test.ts"],
  },
];

const sql: Mutation[] = [
  {
    file: "sql/kafka/next.sql",
    change: "the last offset of each range is loaded twice",
    find: "offsets := offsets || upto;",
    replace: "offsets := offsets || greatest(upto - 1, at);",
    tests: ["tests/db/load_test.ts"],
    filter: "what is new is loaded once",
  },
  {
    file: "sql/kafka/load.sql",
    change: "a load may end with more rows than records",
    find: "AND (rows_read <= p.records OR kafka._holds_rows(s));",
    replace: "AND rows_read >= 0;",
    tests: ["tests/db/load_rights_test.ts"],
  },
  {
    file: "sql/kafka/load_staged.sql",
    change: "the first record of a key wins in a merge, not the last",
    find: `|| '"kafka$partition" DESC, "kafka$offset" DESC');`,
    replace: `|| '"kafka$partition" DESC, "kafka$offset"');`,
    tests: ["tests/db/load_merge_test.ts"],
  },
  {
    file: "sql/kafka/plan.sql",
    change: "a recreated topic is loaded as if it were the same",
    find: "ELSIF topic_id <> last.topic_ids[topic_no] THEN",
    replace: "ELSIF topic_id < '' THEN",
    tests: ["tests/db/load_identity_test.ts"],
  },
];

const records: Mutation[] = [
  {
    file: "lib/records/paths.ts",
    change: "a doubled quote in a name stays doubled",
    find: `.replaceAll('""', '"');`,
    replace: ";",
    tests: ["tests/unit/records/paths_test.ts"],
  },
  {
    file: "lib/records/avro_walk.ts",
    change: "of a key that comes twice in a map, parts of the first stay",
    find: "if (op === Op.map) { for",
    replace: "if (op === Op.array) { for",
    tests: ["tests/unit/records/avro_random_test.ts", "tests/unit/protocol/kernel/avro_test.ts"],
  },
  {
    file: "lib/records/protobuf_nodes.ts",
    change: "a member of a oneof does not end what another one was",
    find: "const oneof = this.#newState();",
    replace: "const oneof = 0;",
    tests: ["tests/unit/protocol/kernel/proto_test.ts"],
  },
];

const settings: Mutation[] = [
  {
    file: "lib/registry/http.ts",
    change: "a login follows a redirection to another host",
    find: 'redirect: "manual" as const,',
    replace: 'redirect: "follow" as const,',
    tests: ["tests/unit/registry/faults_test.ts"],
  },
  {
    file: "lib/registry/registry.ts",
    change: "a schema that could not be fetched is never asked for again",
    find: "      this.#schemas.delete(id);\n      throw error;",
    replace: "      throw error;",
    tests: ["tests/unit/registry/registry_test.ts"],
  },
  {
    file: "lib/properties/property_file.ts",
    change: "two backslashes at a line's end continue it",
    find: "const goesOn = backslashes.length % 2 === 1;",
    replace: "const goesOn = backslashes.length > 0;",
    tests: ["tests/unit/properties/java_properties_test.ts"],
  },
  {
    file: "lib/properties/security_tls.ts",
    change: "without the property the host's name is not compared with the certificate",
    find: 'if (algorithm === undefined || algorithm.toLowerCase() === "https") return true;',
    replace: 'if (algorithm?.toLowerCase() === "https") return true;',
    tests: ["tests/unit/properties/security_test.ts"],
  },
  {
    file: "lib/properties/jaas.ts",
    change: "escapes in a password of sasl.jaas.config are not replaced",
    find: "options.set(key, unquote(value));",
    replace: "options.set(key, value);",
    tests: ["tests/unit/properties/security_test.ts"],
  },
];

const cli: Mutation[] = [
  {
    file: "lib/cli/exit_codes.ts",
    change: "a broker that is away has another exit status",
    find: "code: 69,",
    replace: "code: 75,",
    tests: ["tests/cli/consumer_test.ts"],
    filter: "a closed port is one line",
  },
  {
    file: "lib/secret.ts",
    change: "secrets that are known are not masked in lines for people",
    find: 'if (text.includes(secret)) text = text.replaceAll(secret, "***");',
    replace: "",
    tests: ["tests/unit/secret_test.ts"],
  },
  {
    file: "lib/cli/flags.ts",
    change: "a flag that is given twice is not rejected",
    find: "if (known.length > 0 && !flag.many && flag.value !== undefined) {",
    replace: "if (known.length > 1 && !flag.many && flag.value !== undefined) {",
    tests: ["tests/unit/cli/flags_test.ts"],
  },
  {
    file: "lib/admin/offset_file.ts",
    change: "a partition may be in a file of offsets twice",
    find: "if (earlier !== undefined) {",
    replace: "if (earlier === 0) {",
    tests: ["tests/unit/admin/offset_file_test.ts"],
  },
];

/** Of what writes topics, loads tables, and reads what users give. */
export const loading: readonly Mutation[] = [
  ...[...produce, ...load, ...sql, ...records],
  ...[...settings, ...cli],
];
