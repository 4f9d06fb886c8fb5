import type { Reader } from "../reader.ts";
import type { Api } from "./api.ts";

/** Of a member that joined a group of the new protocol with the new protocol, not the classic one. */
export const CONSUMER_MEMBER = 1;

export interface ConsumerGroupMember {
  id: string;
  client: string;
  host: string;
  /** 0: of the classic protocol; {@link CONSUMER_MEMBER}; -1: the broker does not know it. */
  type: number;
}

export interface ConsumerGroupDescribeRequest {
  group: string;
}

/** `errorCode` is GROUP_ID_NOT_FOUND if the group is not one of the new protocol. */
export interface ConsumerGroupDescribeResponse {
  groups: { errorCode: number; group: string; state: string; members: ConsumerGroupMember[] }[];
}

/**
 * ConsumerGroupDescribe (key 69) version 1 (KIP-848, KIP-1099): Kafka 4.0 and later.
 * https://kafka.apache.org/protocol#The_Messages_ConsumerGroupDescribe
 *
 *     request  => group_ids [string], include_authorized_operations boolean
 *     response => throttle_time_ms int32, groups [error_code int16, error_message ?string,
 *       group_id string, group_state string, group_epoch int32, assignment_epoch int32,
 *       assignor_name string, members [member_id string, instance_id ?string, rack_id ?string,
 *         member_epoch int32, client_id string, client_host string, subscribed_topic_names [string],
 *         subscribed_topic_regex ?string, assignment, target_assignment, member_type int8],
 *       authorized_operations int32]
 *     assignment => topic_partitions [topic_id uuid, topic_name string, partitions [int32]]
 *
 * Strings and arrays are compact, and each structure ends in tagged fields (KIP-482).
 */
export const consumerGroupDescribe: Api<
  ConsumerGroupDescribeRequest,
  ConsumerGroupDescribeResponse
> = {
  name: "ConsumerGroupDescribe",
  key: 69,
  version: 1,
  flexible: true,
  encode(writer, { group }) {
    writer.compactArray([group], (id, w) => w.compactString(id)).boolean(false).noTaggedFields();
  },
  decode(reader) {
    reader.throttleTime();
    const groups = reader.compactArray((r) => {
      const errorCode = r.int16();
      r.nullableCompactString();
      const group = r.compactString();
      const state = r.compactString();
      r.int32(); // group epoch
      r.int32(); // assignment epoch
      r.compactString();
      const members = r.compactArray(member);
      r.int32(); // authorized operations
      r.skipTaggedFields();
      return { errorCode, group, state, members };
    });
    reader.skipTaggedFields();
    return { groups };
  },
};

function member(reader: Reader): ConsumerGroupMember {
  const id = reader.compactString();
  reader.nullableCompactString();
  reader.nullableCompactString();
  reader.int32(); // epoch
  const client = reader.compactString();
  const host = reader.compactString().replace(/^\//, "");
  reader.compactArray((r) => r.compactString());
  reader.nullableCompactString();
  skipAssignment(reader);
  skipAssignment(reader);
  const type = reader.int8();
  reader.skipTaggedFields();
  return { id, client, host, type };
}

function skipAssignment(reader: Reader): void {
  reader.compactArray((r) => {
    r.uuid();
    r.compactString();
    r.compactArray((p) => p.int32());
    r.skipTaggedFields();
  });
  reader.skipTaggedFields();
}
