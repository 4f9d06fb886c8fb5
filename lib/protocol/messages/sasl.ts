import type { Api } from "./api.ts";

export interface SaslHandshakeResponse {
  errorCode: number;
  mechanisms: string[];
}

/**
 * SaslHandshake (key 17) version 1, https://kafka.apache.org/protocol#The_Messages_SaslHandshake
 *
 *     request  => mechanism string
 *     response => error_code int16, mechanisms [string]
 */
export const saslHandshake: Api<string, SaslHandshakeResponse> = {
  name: "SaslHandshake",
  key: 17,
  version: 1,
  encode(writer, mechanism) {
    writer.string(mechanism);
  },
  decode(reader) {
    return { errorCode: reader.int16(), mechanisms: reader.array((r) => r.string()) };
  },
};

export interface SaslAuthenticateResponse {
  errorCode: number;
  errorMessage: string | null;
  authBytes: Uint8Array;
}

/**
 * SaslAuthenticate (key 36) version 0, https://kafka.apache.org/protocol#The_Messages_SaslAuthenticate
 *
 *     request  => auth_bytes bytes
 *     response => error_code int16, error_message ?string, auth_bytes bytes
 */
export const saslAuthenticate: Api<Uint8Array, SaslAuthenticateResponse> = {
  name: "SaslAuthenticate",
  key: 36,
  version: 0,
  encode(writer, authBytes) {
    writer.bytes(authBytes);
  },
  decode(reader) {
    return {
      errorCode: reader.int16(),
      errorMessage: reader.nullableString(),
      authBytes: reader.nullableBytes() ?? new Uint8Array(),
    };
  },
};
