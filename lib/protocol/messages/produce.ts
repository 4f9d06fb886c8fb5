import type { Api } from "./api.ts";

export interface ProducedPartition {
  topic: string;
  partition: number;
  errorCode: number;
  /** The offset the first record got; -1 if the broker does not say. */
  baseOffset: number;
}

/**
 * What comes before the records of a Produce request with one batch. The records are not part of
 * it: they are sent from the buffer they were built in.
 */
export interface ProduceRequest {
  /** -1: all in-sync replicas; 1: the leader; 0: no answer at all. */
  acks: -1 | 1 | 0;
  /** How long the broker may wait for the replicas, milliseconds. */
  timeout: number;
  topic: string;
  partition: number;
  /** Size of the record batch that follows, bytes. */
  recordsSize: number;
}

/**
 * Produce (key 0) version 7, https://kafka.apache.org/protocol#The_Messages_Produce
 * Version 7 is the first one that accepts zstd batches (KIP-110).
 *
 *     request  => transactional_id ?string, acks int16, timeout_ms int32, topic_data [name string,
 *       partition_data [index int32, records ?bytes]]
 *     response => responses [name string, partition_responses [index int32, error_code int16,
 *       base_offset int64, log_append_time_ms int64, log_start_offset int64]],
 *       throttle_time_ms int32
 */
export const produce: Api<ProduceRequest, ProducedPartition[]> = {
  name: "Produce",
  key: 0,
  version: 7,
  encode(writer, { acks, timeout, topic, partition, recordsSize }) {
    writer.nullableString(null).int16(acks).int32(timeout);
    writer.int32(1).string(topic).int32(1).int32(partition).int32(recordsSize);
  },
  decode(reader) {
    const produced: ProducedPartition[] = [];
    reader.array((r) => {
      const topic = r.string();
      r.array((p) => {
        produced.push({
          topic,
          partition: p.int32(),
          errorCode: p.int16(),
          baseOffset: p.int64(),
        });
        p.int64();
        p.int64();
      });
    });
    reader.throttleTime();
    return produced;
  },
};
