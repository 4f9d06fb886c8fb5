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
  /** For how long this login is good, milliseconds; 0: without a limit. */
  sessionLifetime: number;
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
      sessionLifetime: 0,
    };
  },
};

/**
 * Version 1 of the same, KIP-368 (Kafka 2.2): its response ends with session_lifetime_ms int64.
 */
export const saslSession: Api<Uint8Array, SaslAuthenticateResponse> = {
  ...saslAuthenticate,
  version: 1,
  decode(reader) {
    return { ...saslAuthenticate.decode(reader), sessionLifetime: reader.int64() };
  },
};
