import type { Api } from "./api.ts";

export interface CreateTopicsRequest {
  topics: {
    topic: string;
    /** -1: as many as the brokers' num.partitions says. */
    partitions: number;
    /** -1: what their default.replication.factor says. */
    replication: number;
    configs: { name: string; value: string }[];
  }[];
  /** How long the broker may wait until the topics are made, milliseconds. */
  timeout: number;
}

export interface CreatedTopic {
  topic: string;
  errorCode: number;
  errorMessage: string | null;
}

/**
 * CreateTopics (key 19) version 2, https://kafka.apache.org/protocol#The_Messages_CreateTopics
 * The brokers choose where the replicas are.
 *
 *     request  => topics [name string, num_partitions int32, replication_factor int16,
 *       assignments [partition_index int32, broker_ids [int32]], configs [name string,
 *         value ?string]], timeout_ms int32, validate_only boolean
 *     response => throttle_time_ms int32,
 *       topics [name string, error_code int16, error_message ?string]
 */
export const createTopics: Api<CreateTopicsRequest, CreatedTopic[]> = {
  name: "CreateTopics",
  key: 19,
  version: 2,
  encode(writer, { topics, timeout }) {
    writer.array(topics, ({ topic, partitions, replication, configs }, w) => {
      w.string(topic).int32(partitions).int16(replication).int32(0);
      w.array(configs, ({ name, value }) => w.string(name).string(value));
    });
    writer.int32(timeout).boolean(false);
  },
  decode(reader) {
    reader.throttleTime();
    return reader.array((r) => ({
      topic: r.string(),
      errorCode: r.int16(),
      errorMessage: r.nullableString(),
    }));
  },
};
