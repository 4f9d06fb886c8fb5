import type { Api } from "./api.ts";

export interface DescribedGroup {
  errorCode: number;
  group: string;
  /** Kafka's word: Empty, Stable, PreparingRebalance, CompletingRebalance, Dead. */
  state: string;
  members: { id: string; client: string; host: string }[];
}

/**
 * DescribeGroups (key 15) version 1, https://kafka.apache.org/protocol#The_Messages_DescribeGroups
 *
 *     request  => groups [group string]
 *     response => throttle_time_ms int32, groups [error_code int16, group_id string,
 *       group_state string, protocol_type string, protocol_data string, members [member_id string,
 *         client_id string, client_host string, member_metadata bytes, member_assignment bytes]]
 */
export const describeGroups: Api<{ groups: string[] }, { groups: DescribedGroup[] }> = {
  name: "DescribeGroups",
  key: 15,
  version: 1,
  encode(writer, { groups }) {
    writer.array(groups, (group, w) => w.string(group));
  },
  decode(reader) {
    reader.throttleTime();
    return {
      groups: reader.array((r) => {
        const [errorCode, group, state] = [r.int16(), r.string(), r.string()];
        r.string();
        r.string();
        const members = r.array((m) => {
          const member = { id: m.string(), client: m.string(), host: m.string() };
          m.nullableBytes();
          m.nullableBytes();
          return member;
        });
        return { errorCode, group, state, members };
      }),
    };
  },
};
