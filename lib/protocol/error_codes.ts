// Kafka's error codes that this client can meet: https://kafka.apache.org/protocol#protocol_error_codes

/**
 * What an error asks for: `retriable` goes away by itself (a moved leader or coordinator, a broker
 * coming up), `denied` says that the client may not do this, `unfit` that what was asked for can't
 * be; null: it depends on the request.
 */
export type ErrorKind = "retriable" | "denied" | "unfit" | null;

/** One error code. */
export interface KafkaError {
  code: number;
  kind: ErrorKind;
  /** What it means, in words. */
  meaning: string;
}

const e = (code: number, kind: ErrorKind, meaning: string): KafkaError => ({ code, kind, meaning });

/** Every code by its name, in the order of the codes. */
export const kafkaErrors = {
  UNKNOWN_SERVER_ERROR: e(-1, "retriable", "the broker met an error of its own: its log says more"),
  OFFSET_OUT_OF_RANGE: e(1, null, "the log does not have this offset"),
  CORRUPT_MESSAGE: e(
    2,
    "retriable",
    "the batch's checksum is wrong, or it has no key although the topic is compacted",
  ),
  UNKNOWN_TOPIC_OR_PARTITION: e(
    3,
    "retriable",
    "the topic or partition does not exist, or this user may not describe it",
  ),
  INVALID_FETCH_SIZE: e(4, null, "the size asked for is not valid"),
  LEADER_NOT_AVAILABLE: e(5, "retriable", "the partition has no leader now"),
  NOT_LEADER_OR_FOLLOWER: e(6, "retriable", "the leader is another broker now"),
  REQUEST_TIMED_OUT: e(7, "retriable", "the broker did not finish in time"),
  BROKER_NOT_AVAILABLE: e(8, "retriable", "the broker is not available"),
  REPLICA_NOT_AVAILABLE: e(9, "retriable", "the replica is not available"),
  MESSAGE_TOO_LARGE: e(10, null, "the batch is larger than the topic or the broker accepts"),
  OFFSET_METADATA_TOO_LARGE: e(
    12,
    null,
    "the text stored with an offset is longer than the broker accepts",
  ),
  NETWORK_EXCEPTION: e(13, "retriable", "the broker lost the connection to another one"),
  COORDINATOR_LOAD_IN_PROGRESS: e(14, "retriable", "the coordinator is still reading the group"),
  COORDINATOR_NOT_AVAILABLE: e(15, "retriable", "the coordinator is not available"),
  NOT_COORDINATOR: e(16, "retriable", "the coordinator is another broker now"),
  INVALID_TOPIC_EXCEPTION: e(
    17,
    "unfit",
    "this is not a valid name of a topic, or an internal one",
  ),
  RECORD_LIST_TOO_LARGE: e(18, null, "the batch is larger than a log segment"),
  NOT_ENOUGH_REPLICAS: e(19, "retriable", "fewer replicas are in sync than min.insync.replicas"),
  NOT_ENOUGH_REPLICAS_AFTER_APPEND: e(
    20,
    "retriable",
    "the batch was written, but to fewer replicas than min.insync.replicas",
  ),
  INVALID_REQUIRED_ACKS: e(21, null, "the broker does not accept this value of acks"),
  ILLEGAL_GENERATION: e(22, null, "the group has had another rebalance since"),
  INVALID_GROUP_ID: e(24, null, "this is not a valid name of a group"),
  UNKNOWN_MEMBER_ID: e(25, null, "the group does not have this member any more"),
  INVALID_SESSION_TIMEOUT: e(26, null, "the broker does not accept this session timeout"),
  REBALANCE_IN_PROGRESS: e(27, null, "the group is being rebalanced"),
  INVALID_COMMIT_OFFSET_SIZE: e(28, null, "the offsets are too large to be committed at once"),
  TOPIC_AUTHORIZATION_FAILED: e(29, "denied", "this user may not use the topic"),
  GROUP_AUTHORIZATION_FAILED: e(30, "denied", "this user may not use the group"),
  CLUSTER_AUTHORIZATION_FAILED: e(31, "denied", "this user may not do this in the cluster"),
  INVALID_TIMESTAMP: e(32, null, "a record's time is outside what the broker accepts"),
  UNSUPPORTED_SASL_MECHANISM: e(33, "denied", "the broker does not have this SASL mechanism"),
  ILLEGAL_SASL_STATE: e(34, null, "the login's steps came in a wrong order"),
  UNSUPPORTED_VERSION: e(35, null, "the broker does not have this version of the request"),
  TOPIC_ALREADY_EXISTS: e(36, null, "a topic of this name exists"),
  INVALID_PARTITIONS: e(37, "unfit", "this number of partitions is not possible"),
  INVALID_REPLICATION_FACTOR: e(38, "unfit", "this replication factor is not possible"),
  INVALID_REPLICA_ASSIGNMENT: e(39, "unfit", "these replicas are not possible"),
  INVALID_CONFIG: e(40, "unfit", "the broker does not accept this configuration"),
  NOT_CONTROLLER: e(41, "retriable", "the controller is another broker now"),
  INVALID_REQUEST: e(42, "unfit", "the broker does not accept the request"),
  UNSUPPORTED_FOR_MESSAGE_FORMAT: e(43, null, "the topic's message format is too old for this"),
  POLICY_VIOLATION: e(44, "unfit", "a policy of the cluster forbids it"),
  OUT_OF_ORDER_SEQUENCE_NUMBER: e(45, null, "batches of this producer are missing before this one"),
  DUPLICATE_SEQUENCE_NUMBER: e(46, null, "the broker has this batch already"),
  INVALID_PRODUCER_EPOCH: e(47, null, "a newer producer has this producer id"),
  CONCURRENT_TRANSACTIONS: e(
    51,
    "retriable",
    "another transaction of this producer is still ending",
  ),
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: e(
    53,
    "denied",
    "this user may not use the transactional id",
  ),
  SECURITY_DISABLED: e(54, "denied", "the broker has no security turned on"),
  OPERATION_NOT_ATTEMPTED: e(
    55,
    null,
    "the broker did not try it, because another part of the request failed",
  ),
  KAFKA_STORAGE_ERROR: e(56, "retriable", "the broker cannot read or write its disk"),
  SASL_AUTHENTICATION_FAILED: e(
    58,
    "denied",
    "the user or the password is wrong, or the login is not allowed",
  ),
  UNKNOWN_PRODUCER_ID: e(
    59,
    null,
    "the broker has forgotten this producer: all its records are gone",
  ),
  REASSIGNMENT_IN_PROGRESS: e(60, "retriable", "the partition is being moved"),
  GROUP_ID_NOT_FOUND: e(69, null, "the group does not exist, or is not of the protocol asked for"),
  LISTENER_NOT_FOUND: e(72, "retriable", "the leader does not have this listener"),
  FENCED_LEADER_EPOCH: e(74, "retriable", "the leader has changed since"),
  UNKNOWN_LEADER_EPOCH: e(75, "retriable", "the broker has not learned of the new leader yet"),
  UNSUPPORTED_COMPRESSION_TYPE: e(76, null, "the broker does not have this codec"),
  OFFSET_NOT_AVAILABLE: e(78, "retriable", "the new leader does not know its high watermark yet"),
  MEMBER_ID_REQUIRED: e(79, null, "the member must join with the id that it got"),
  GROUP_MAX_SIZE_REACHED: e(81, null, "the group has as many members as it may have"),
  FENCED_INSTANCE_ID: e(82, null, "another member has this group.instance.id"),
  INVALID_RECORD: e(87, null, "the broker found a record that is not valid"),
  UNSTABLE_OFFSET_COMMIT: e(
    88,
    "retriable",
    "a transaction that commits offsets of this group is open",
  ),
  THROTTLING_QUOTA_EXCEEDED: e(89, "retriable", "the quota is used up"),
  PRODUCER_FENCED: e(90, null, "a newer producer has this transactional id"),
  UNKNOWN_TOPIC_ID: e(
    100,
    "retriable",
    "the topic id is not known, so the topic was deleted or recreated",
  ),
} satisfies Record<string, KafkaError>;

const byCode = new Map<number, [name: string, error: KafkaError]>(
  Object.entries(kafkaErrors).map(([name, error]) => [error.code, [name, error]]),
);

/** `OFFSET_OUT_OF_RANGE (1)`: how every message names a code. */
export function errorName(code: number): string {
  return `${byCode.get(code)?.[0] ?? "an error unknown to this client"} (${code})`;
}

/** Whether another try may help. */
export function isRetriable(code: number): boolean {
  return kindOf(code) === "retriable";
}

/** Whether the code says that the client may not do this. */
export function isDenied(code: number): boolean {
  return kindOf(code) === "denied";
}

/** Whether the code says that what was asked for can't be. */
export function isUnfit(code: number): boolean {
  return kindOf(code) === "unfit";
}

function kindOf(code: number): ErrorKind {
  return byCode.get(code)?.[1].kind ?? null;
}

export const OFFSET_OUT_OF_RANGE = kafkaErrors.OFFSET_OUT_OF_RANGE.code;
export const UNKNOWN_TOPIC_OR_PARTITION = kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION.code;
export const LEADER_NOT_AVAILABLE = kafkaErrors.LEADER_NOT_AVAILABLE.code;
export const MESSAGE_TOO_LARGE = kafkaErrors.MESSAGE_TOO_LARGE.code;
export const OFFSET_METADATA_TOO_LARGE = kafkaErrors.OFFSET_METADATA_TOO_LARGE.code;
export const RECORD_LIST_TOO_LARGE = kafkaErrors.RECORD_LIST_TOO_LARGE.code;
export const ILLEGAL_GENERATION = kafkaErrors.ILLEGAL_GENERATION.code;
export const UNKNOWN_MEMBER_ID = kafkaErrors.UNKNOWN_MEMBER_ID.code;
export const REBALANCE_IN_PROGRESS = kafkaErrors.REBALANCE_IN_PROGRESS.code;
export const TOPIC_ALREADY_EXISTS = kafkaErrors.TOPIC_ALREADY_EXISTS.code;
export const OUT_OF_ORDER_SEQUENCE_NUMBER = kafkaErrors.OUT_OF_ORDER_SEQUENCE_NUMBER.code;
export const DUPLICATE_SEQUENCE_NUMBER = kafkaErrors.DUPLICATE_SEQUENCE_NUMBER.code;
export const INVALID_PRODUCER_EPOCH = kafkaErrors.INVALID_PRODUCER_EPOCH.code;
export const UNKNOWN_PRODUCER_ID = kafkaErrors.UNKNOWN_PRODUCER_ID.code;
export const GROUP_ID_NOT_FOUND = kafkaErrors.GROUP_ID_NOT_FOUND.code;
export const OFFSET_NOT_AVAILABLE = kafkaErrors.OFFSET_NOT_AVAILABLE.code;
