import type { Reader } from "../reader.ts";
import type { Writer } from "../writer.ts";
import type { Api } from "./api.ts";

export interface MetadataRequest {
  /** The topics wanted; null asks for all. None is created by asking. */
  topics: string[] | null;
}

export interface BrokerAddress {
  id: number;
  host: string;
  port: number;
}

export interface PartitionMetadata {
  errorCode: number;
  partition: number;
  /** The leader's broker id; -1 while there is none. */
  leader: number;
  /** How often the leadership has changed; -1 if the broker does not know it. */
  leaderEpoch: number;
  replicas: number[];
  inSyncReplicas: number[];
}

export interface TopicMetadata {
  errorCode: number;
  topic: string;
  /**
   * What identifies the topic among those of its name (KIP-516), as Kafka prints it: 22 characters
   * of base64url. Null if the broker has none.
   */
  topicId: string | null;
  isInternal: boolean;
  partitions: PartitionMetadata[];
}

export interface MetadataResponse {
  brokers: BrokerAddress[];
  clusterId: string | null;
  controllerId: number;
  topics: TopicMetadata[];
}

/**
 * Metadata (key 3) version 5: as version 7, without leader epochs.
 */
const metadataWithoutEpochs: Api<MetadataRequest, MetadataResponse> = {
  name: "Metadata",
  key: 3,
  version: 5,
  encode,
  decode: (reader) => decode(reader, () => -1),
};

/**
 * Metadata (key 3) version 7, https://kafka.apache.org/protocol#The_Messages_Metadata
 * For brokers before Kafka 2.8, which have no topic ids.
 *
 *     request  => topics ?[name string], allow_auto_topic_creation boolean
 *     response => throttle_time_ms int32, brokers [node_id int32, host string, port int32, rack
 * ?string],       cluster_id ?string, controller_id int32, topics [error_code int16, name string,
 * is_internal boolean, partitions [error_code int16, partition_index int32, leader_id int32,
 * leader_epoch int32, replica_nodes [int32], isr_nodes [int32], offline_replicas [int32]]]
 */
export const metadata: Api<MetadataRequest, MetadataResponse> = {
  name: "Metadata",
  key: 3,
  version: 7,
  older: metadataWithoutEpochs,
  encode,
  decode: (reader) => decode(reader, int32),
};

function encode(writer: Writer, { topics }: MetadataRequest): void {
  if (topics === null) writer.int32(-1);
  else writer.array(topics, (topic, w) => w.string(topic));
  writer.boolean(false);
}

function decode(reader: Reader, leaderEpoch: (reader: Reader) => number): MetadataResponse {
  reader.throttleTime();
  const brokers = reader.array((r) => {
    const broker = { id: r.int32(), host: r.string(), port: r.int32() };
    r.nullableString();
    return broker;
  });
  return {
    brokers,
    clusterId: reader.nullableString(),
    controllerId: reader.int32(),
    topics: reader.array((r) => ({
      errorCode: r.int16(),
      topic: r.string(),
      topicId: null,
      isInternal: r.boolean(),
      partitions: r.array((p) => {
        const partition = {
          errorCode: p.int16(),
          partition: p.int32(),
          leader: p.int32(),
          leaderEpoch: leaderEpoch(p),
          replicas: p.array(int32),
          inSyncReplicas: p.array(int32),
        };
        p.array(int32); // offline replicas
        return partition;
      }),
    })),
  };
}

/**
 * Metadata (key 3) version 10, the first one with topic ids (KIP-516): Kafka 2.8 and later.
 *
 *     request  => topics ?[topic_id uuid, name ?string], allow_auto_topic_creation boolean,
 *       include_cluster_authorized_operations boolean, include_topic_authorized_operations boolean
 *     response => throttle_time_ms int32, brokers [node_id int32, host string, port int32, rack
 * ?string],       cluster_id ?string, controller_id int32, topics [error_code int16, name string,
 * topic_id uuid,         is_internal boolean, partitions [error_code int16, partition_index int32,
 * leader_id int32,           leader_epoch int32, replica_nodes [int32], isr_nodes [int32],
 * offline_replicas [int32]],         topic_authorized_operations int32],
 * cluster_authorized_operations int32
 *
 * Strings and arrays are compact, and each structure ends in tagged fields (KIP-482).
 */
export const metadataWithIds: Api<MetadataRequest, MetadataResponse> = {
  name: "Metadata",
  key: 3,
  version: 10,
  flexible: true,
  encode(writer, { topics }) {
    if (topics === null) writer.unsignedVarint(0);
    else {
      writer.compactArray(topics, (topic, w) => w.uuid(null).compactString(topic).noTaggedFields());
    }
    writer.boolean(false).boolean(false).boolean(false).noTaggedFields();
  },
  decode(reader) {
    reader.throttleTime();
    const brokers = reader.compactArray((r) => {
      const broker = { id: r.int32(), host: r.compactString(), port: r.int32() };
      r.nullableCompactString();
      r.skipTaggedFields();
      return broker;
    });
    const answer = {
      brokers,
      clusterId: reader.nullableCompactString(),
      controllerId: reader.int32(),
      topics: reader.compactArray(topicWithId),
    };
    reader.int32(); // authorized operations
    reader.skipTaggedFields();
    return answer;
  },
};

function topicWithId(reader: Reader): TopicMetadata {
  const topic = {
    errorCode: reader.int16(),
    topic: reader.compactString(),
    topicId: reader.uuid(),
    isInternal: reader.boolean(),
    partitions: reader.compactArray(partitionWithEpoch),
  };
  reader.int32(); // authorized operations
  reader.skipTaggedFields();
  return topic;
}

function partitionWithEpoch(reader: Reader): PartitionMetadata {
  const partition = {
    errorCode: reader.int16(),
    partition: reader.int32(),
    leader: reader.int32(),
    leaderEpoch: reader.int32(),
    replicas: reader.compactArray(int32),
    inSyncReplicas: reader.compactArray(int32),
  };
  reader.compactArray(int32); // offline replicas
  reader.skipTaggedFields();
  return partition;
}

function int32(reader: Reader): number {
  return reader.int32();
}
