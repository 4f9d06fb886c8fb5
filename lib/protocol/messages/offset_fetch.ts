import type { Api } from "./api.ts";
import { readTopics, writeTopics } from "./topics.ts";

export interface OffsetFetchRequest {
  group: string;
  /** The partitions wanted; null asks for all that the group has stored an offset of. */
  topics: { topic: string; partitions: number[] }[] | null;
}

export interface CommittedOffset {
  partition: number;
  /** The next offset to read; -1 if the group has stored none. */
  offset: number;
  /** Of the last record read, as it was committed (KIP-320); -1 if it was not. */
  leaderEpoch: number;
  /** The text that was committed with the offset. */
  metadata: string | null;
  errorCode: number;
}

export interface OffsetFetchResponse {
  topics: { topic: string; partitions: CommittedOffset[] }[];
  errorCode: number;
}

/**
 * OffsetFetch (key 9) version 5, https://kafka.apache.org/protocol#The_Messages_OffsetFetch
 *
 *     request  => group_id string, topics ?[name string, partition_indexes [int32]]
 *     response => throttle_time_ms int32, topics [name string, partitions [partition_index int32,
 *       committed_offset int64, committed_leader_epoch int32, metadata ?string,
 *       error_code int16]], error_code int16
 */
export const offsetFetch: Api<OffsetFetchRequest, OffsetFetchResponse> = {
  name: "OffsetFetch",
  key: 9,
  version: 5,
  encode(writer, { group, topics }) {
    writer.string(group);
    if (topics === null) writer.int32(-1);
    else writeTopics(writer, topics, (partition, w) => w.int32(partition));
  },
  decode(reader) {
    reader.throttleTime();
    return {
      topics: readTopics(reader, (p) => ({
        partition: p.int32(),
        offset: p.int64(),
        leaderEpoch: p.int32(),
        metadata: p.nullableString(),
        errorCode: p.int16(),
      })),
      errorCode: reader.int16(),
    };
  },
};
