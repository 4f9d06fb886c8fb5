/** Which test shows what: faults, and the promises of the README. A test checks that each is there. */

/** A file below tests/, and words of the test's name. */
export interface NamedTest {
  file: string;
  name: string;
}

const three = "broker/faults_test.ts";
/** Each of these faults, while rows are written and read, and while they are loaded. */
const throughAll = [
  { file: three, name: "three brokers, written to and read from through all of them" },
  {
    file: "db/load_faults_test.ts",
    name: "three brokers, loaded from by a program and by a client",
  },
];
const goesOn = "writing, reading and loading continue; no row is lost or comes twice";

/** What each run of the tests does, what is promised then, and by which test. */
export const shownFaults: readonly { fault: string; happens: string; tests: NamedTest[] }[] = [
  ...[
    ...["the leader of partitions is killed", "the controller is killed", "a broker hangs"],
    ...["a broker's disk is full", "rolling restart", "partitions move to other brokers"],
  ].map((fault) => ({ fault, happens: goesOn, tests: throughAll })),
  {
    fault: "an unclean election cuts a log",
    happens:
      "the consumer ends with 65 unless `--on-lost` says where to continue; a load fails until `kafka.seek`",
    tests: [
      { file: three, name: "an unclean election under a reader ends it with 65" },
      { file: "db/load_log_test.ts", name: "a log cut by an unclean leader election is rejected" },
    ],
  },
  {
    fault: "the answer to a batch is lost",
    happens: "the batch is sent again, and stored once",
    tests: [{ file: "cli/producer_once_test.ts", name: "a lost answer is asked for again" }],
  },
  {
    fault: "the producer's broker is killed twice",
    happens: "each row is stored once, in order",
    tests: [{ file: "broker/produce_test.ts", name: "even if the broker is killed twice" }],
  },
  {
    fault: "a topic is recreated",
    happens: "loads stop until `kafka.seek` accepts it; the consumer ends with 65",
    tests: [
      { file: "db/load_log_test.ts", name: "a topic recreated with more, as many or fewer" },
      { file: "broker/recreated_test.ts", name: "a recreated topic is never read from the old" },
    ],
  },
  {
    fault: "records are deleted before they are loaded",
    happens:
      "the load fails and names the offsets; with `--on-lost` it counts them as lost and continues",
    tests: [{ file: "db/load_identity_test.ts", name: "skipped offsets are counted, warned of" }],
  },
  {
    fault: "reader, session, database or broker is killed in a load by `kafka.load`",
    happens: "rows and offsets are in one transaction: all of the load, or nothing",
    tests: [{
      file: "db/load_chaos_test.ts",
      name: "rounds of trouble, and every record is there once",
    }],
  },
  {
    fault:
      "reader, session, database, broker or `gpdb-kafka load` is killed in a load `--via client`",
    happens: "rows and offsets are in one transaction: all of it, or nothing",
    tests: [{
      file: "db/load_client_chaos_test.ts",
      name: "rounds of trouble, and every record is there once",
    }],
  },
  {
    fault: "some loads of a merge fail",
    happens: "the table equals the topic's last rows after every load",
    tests: [
      { file: "db/load_merge_test.ts", name: "random histories equal their model" },
      { file: "db/load_client_merge_test.ts", name: "random histories equal their model" },
    ],
  },
  {
    fault: "a bit of a batch is flipped",
    happens: "exit 65, nothing is committed",
    tests: [{ file: "cli/flipped_bit_test.ts", name: "flipped bit" }],
  },
  {
    fault: "the disk that rows are written to is full",
    happens: "exit 74, nothing is committed",
    tests: [{ file: "cli/full_disk_test.ts", name: "rows that stdout does not accept" }],
  },
  {
    fault: "the schema registry is down",
    happens: "retried for `--timeout`, then exit 69",
    tests: [{
      file: "broker/registry_down_test.ts",
      name: "a registry that goes down during a run",
    }],
  },
  {
    fault: "brokers throttle by quotas",
    happens: "the run waits, for longer than `--timeout` too",
    tests: [{ file: "broker/quota_test.ts", name: "throttled for longer than --timeout" }],
  },
];

/** The README's table of promises; `of` is how the row begins. */
export const promiseTests: readonly { of: string; tests: NamedTest[] }[] = [
  {
    of: "`SELECT * FROM kafka.load(",
    tests: [
      { file: "db/load_chaos_test.ts", name: "rounds of trouble, and every record is there once" },
      {
        file: "db/load_client_chaos_test.ts",
        name: "rounds of trouble, and every record is there once",
      },
      { file: "db/soak_test.ts", name: "rows exact, nothing grows, everyone catches up" },
    ],
  },
  {
    of: "`INSERT … SELECT * FROM crimes_kafka`",
    tests: [
      { file: "cli/full_disk_test.ts", name: "end the consumer with 74 before any commit" },
      { file: "cli/consumer_test.ts", name: "consumer: reads what is new, once" },
    ],
  },
  {
    of: "`SELECT … FROM crimes_peek`",
    tests: [{ file: "db/load_safety_test.ts", name: "from the peek table moves nothing" }],
  },
  {
    of: "`kafka_consumer --ranges",
    tests: [{
      file: "broker/middle_test.ts",
      name: "begins in the middle of a batch: each row once",
    }],
  },
  {
    of: "`kafka_producer`",
    tests: [
      { file: "broker/produce_test.ts", name: "even if the broker is killed twice" },
      { file: "cli/producer_once_test.ts", name: "a lost answer is asked for again" },
      { file: three, name: "each row came once, and is stored once" },
    ],
  },
];
