import type { Api } from "./api.ts";

export interface FindCoordinatorRequest {
  group: string;
}

export interface FindCoordinatorResponse {
  errorCode: number;
  errorMessage: string | null;
  id: number;
  host: string;
  port: number;
}

/**
 * FindCoordinator (key 10) version 1, https://kafka.apache.org/protocol#The_Messages_FindCoordinator
 *
 *     request  => key string, key_type int8 (0 = group)
 *     response => throttle_time_ms int32, error_code int16, error_message ?string, node_id int32,
 *       host string, port int32
 */
export const findCoordinator: Api<FindCoordinatorRequest, FindCoordinatorResponse> = {
  name: "FindCoordinator",
  key: 10,
  version: 1,
  encode(writer, { group }) {
    writer.string(group).int8(0);
  },
  decode(reader) {
    reader.throttleTime();
    return {
      errorCode: reader.int16(),
      errorMessage: reader.nullableString(),
      id: reader.int32(),
      host: reader.string(),
      port: reader.int32(),
    };
  },
};
