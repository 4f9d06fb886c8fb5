import type { Api } from "./api.ts";
import { readTopics, writeTopics } from "./topics.ts";

/** Instead of a time: the log's end, or its start. */
export const LATEST = -1;
export const EARLIEST = -2;

/** Whether records of unfinished and aborted transactions are left out. */
export type Isolation = "read_committed" | "read_uncommitted";

export function isolationByte(isolation: Isolation): number {
  return isolation === "read_committed" ? 1 : 0;
}

export interface ListOffsetsRequest {
  isolation: Isolation;
  topics: { topic: string; partitions: { partition: number; timestamp: number }[] }[];
}

export interface ListedOffset {
  partition: number;
  errorCode: number;
  timestamp: number;
  /** The first offset at or after the time asked for; -1 if there is none. */
  offset: number;
  /**
   * Of the record at that offset; for LATEST the leader's own. -1 if the broker does not know it.
   */
  leaderEpoch: number;
}

export interface ListOffsetsResponse {
  topics: { topic: string; partitions: ListedOffset[] }[];
}

/**
 * ListOffsets (key 2) version 4, https://kafka.apache.org/protocol#The_Messages_ListOffsets
 * The end under read_committed is the last stable offset (KIP-98). Version 4 is the first one that
 * reports leader epochs (KIP-320).
 *
 *     request  => replica_id int32, isolation_level int8, topics [name string,
 *       partitions [partition_index int32, current_leader_epoch int32, timestamp int64]]
 *     response => throttle_time_ms int32, topics [name string, partitions [partition_index int32,
 *       error_code int16, timestamp int64, offset int64, leader_epoch int32]]
 */
export const listOffsets: Api<ListOffsetsRequest, ListOffsetsResponse> = {
  name: "ListOffsets",
  key: 2,
  version: 4,
  encode(writer, { isolation, topics }) {
    writer.int32(-1).int8(isolationByte(isolation));
    writeTopics(writer, topics, ({ partition, timestamp }, w) => {
      w.int32(partition).int32(-1).int64(timestamp);
    });
  },
  decode(reader) {
    reader.throttleTime();
    return {
      topics: readTopics(reader, (p) => ({
        partition: p.int32(),
        errorCode: p.int16(),
        timestamp: p.int64(),
        offset: p.int64(),
        leaderEpoch: p.int32(),
      })),
    };
  },
};
