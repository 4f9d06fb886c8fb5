import type { Api } from "./api.ts";
import { readTopics, writeTopics } from "./topics.ts";

export interface OffsetForLeaderEpochRequest {
  topics: { topic: string; partitions: { partition: number; leaderEpoch: number }[] }[];
}

export interface EpochEnd {
  partition: number;
  errorCode: number;
  /** The largest epoch up to the one asked for that the log has records of; -1 if it has none. */
  leaderEpoch: number;
  /**
   * The offset after the last record of that epoch; -1 if the epoch is later than all of the log.
   */
  endOffset: number;
}

export interface OffsetForLeaderEpochResponse {
  topics: { topic: string; partitions: EpochEnd[] }[];
}

/**
 * OffsetForLeaderEpoch (key 23) version 2,
 * https://kafka.apache.org/protocol#The_Messages_OffsetForLeaderEpoch
 * Where a leader epoch ends in the leader's log. An offset that was read under that epoch and is
 * past its end is of a log that was truncated since (KIP-320).
 *
 *     request  => topics [topic string,
 *       partitions [partition int32, current_leader_epoch int32, leader_epoch int32]]
 *     response => throttle_time_ms int32, topics [topic string,
 *       partitions [error_code int16, partition int32, leader_epoch int32, end_offset int64]]
 */
export const offsetForLeaderEpoch: Api<OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse> =
  {
    name: "OffsetForLeaderEpoch",
    key: 23,
    version: 2,
    encode(writer, { topics }) {
      writeTopics(writer, topics, ({ partition, leaderEpoch }, w) => {
        w.int32(partition).int32(-1).int32(leaderEpoch);
      });
    },
    decode(reader) {
      reader.throttleTime();
      return {
        topics: readTopics(reader, (p) => {
          const errorCode = p.int16();
          return { partition: p.int32(), errorCode, leaderEpoch: p.int32(), endOffset: p.int64() };
        }),
      };
    },
  };
