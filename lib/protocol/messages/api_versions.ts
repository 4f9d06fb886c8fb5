import type { Api } from "./api.ts";

/** The versions of one API that a broker accepts, both ends included. */
export interface VersionRange {
  key: number;
  min: number;
  max: number;
}

export interface ApiVersionsResponse {
  errorCode: number;
  apis: VersionRange[];
}

/**
 * ApiVersions (key 18) version 0, https://kafka.apache.org/protocol#The_Messages_ApiVersions
 *
 *     request  =>
 *     response => error_code int16, api_keys [api_key int16, min_version int16, max_version int16]
 */
export const apiVersions: Api<null, ApiVersionsResponse> = {
  name: "ApiVersions",
  key: 18,
  version: 0,
  encode() {},
  decode(reader) {
    return {
      errorCode: reader.int16(),
      apis: reader.array((r) => ({ key: r.int16(), min: r.int16(), max: r.int16() })),
    };
  },
};
