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
  replicas: number[];
  inSyncReplicas: number[];
}

export interface TopicMetadata {
  errorCode: number;
  topic: string;
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
 * Metadata (key 3) version 4, https://kafka.apache.org/protocol#The_Messages_Metadata
 *
 *     request  => topics ?[name string], allow_auto_topic_creation boolean
 *     response => throttle_time_ms int32, brokers [node_id int32, host string, port int32, rack ?string],
 *       cluster_id ?string, controller_id int32, topics [error_code int16, name string,
 *         is_internal boolean, partitions [error_code int16, partition_index int32, leader_id int32,
 *           replica_nodes [int32], isr_nodes [int32]]]
 */
export const metadata: Api<MetadataRequest, MetadataResponse> = {
  name: "Metadata",
  key: 3,
  version: 4,
  encode(writer, { topics }) {
    if (topics === null) writer.int32(-1);
    else writer.array(topics, (topic, w) => w.string(topic));
    writer.boolean(false);
  },
  decode(reader) {
    reader.int32();
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
        isInternal: r.boolean(),
        partitions: r.array((p) => ({
          errorCode: p.int16(),
          partition: p.int32(),
          leader: p.int32(),
          replicas: p.array((x) => x.int32()),
          inSyncReplicas: p.array((x) => x.int32()),
        })),
      })),
    };
  },
};
