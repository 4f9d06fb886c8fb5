import type { Api } from "./api.ts";
import { readTopics, writeTopics } from "./topics.ts";

/** A member that commits, of one generation: needed if a group has live members. */
export interface GroupMember {
  id: string;
  generation: number;
}

/** A group's offset in one partition. */
export interface Position {
  partition: number;
  /** The next offset to read. */
  offset: number;
  /** Of the last record read (KIP-320); -1 if it is not known. */
  leaderEpoch?: number;
  /** Any text that is kept with the offset. */
  metadata?: string | null;
}

export interface OffsetCommitRequest {
  group: string;
  /**
   * Left out by a client that is not a member, which a broker accepts while the group has no live
   * one.
   */
  member?: GroupMember;
  topics: { topic: string; partitions: Position[] }[];
}

export interface OffsetCommitResponse {
  topics: { topic: string; partitions: { partition: number; errorCode: number }[] }[];
}

/**
 * OffsetCommit (key 8) version 6, https://kafka.apache.org/protocol#The_Messages_OffsetCommit
 * Outside the group's membership the generation is -1 and the member id empty.
 *
 *     request  => group_id string, generation_id int32, member_id string,
 *       topics [name string, partitions [partition_index int32, committed_offset int64,
 *         committed_leader_epoch int32, committed_metadata ?string]]
 *     response => throttle_time_ms int32,
 *       topics [name string, partitions [partition_index int32, error_code int16]]
 */
export const offsetCommit: Api<OffsetCommitRequest, OffsetCommitResponse> = {
  name: "OffsetCommit",
  key: 8,
  version: 6,
  encode(writer, { group, member, topics }) {
    writer.string(group).int32(member?.generation ?? -1).string(member?.id ?? "");
    writeTopics(writer, topics, (item, w) => {
      const { partition, offset, leaderEpoch = -1, metadata = null } = item;
      w.int32(partition).int64(offset).int32(leaderEpoch).nullableString(metadata);
    });
  },
  decode(reader) {
    reader.throttleTime();
    return {
      topics: readTopics(reader, (p) => ({ partition: p.int32(), errorCode: p.int16() })),
    };
  },
};
