/** The APIs that the scripted broker speaks: https://kafka.apache.org/protocol#protocol_messages */
import { Decoder, Encoder, grammar, type Message } from "./codec.ts";

const throttle = "throttleTimeMs int32";

/** Key, first and last version, the first flexible one (KIP-482), and the grammar of both ways. */
const definitions = {
  produce: [
    [0, 7, 8, 9],
    "transactionalId ?string, acks int16, timeoutMs int32, " +
    "topics [name string, partitions [index int32, records ?bytes]]",
    "topics [name string, partitions [index int32, errorCode int16, baseOffset int64, " +
    "logAppendTimeMs int64, logStartOffset int64, " +
    `recordErrors [batchIndex int32, message ?string] 8+, errorMessage ?string 8+]], ${throttle}`,
  ],
  fetch: [
    [1, 5, 11, 12],
    "replicaId int32, maxWaitMs int32, minBytes int32, maxBytes int32, isolationLevel int8, " +
    "sessionId int32 7+, sessionEpoch int32 7+, topics [topic string, partitions " +
    "[partition int32, currentLeaderEpoch int32 9+, fetchOffset int64, logStartOffset int64, " +
    "partitionMaxBytes int32]], forgotten [topic string, partitions [int32]] 7+, " +
    "rackId string 11+",
    `${throttle}, errorCode int16 7+, sessionId int32 7+, topics [topic string, partitions ` +
    "[partition int32, errorCode int16, highWatermark int64, lastStableOffset int64, " +
    "logStartOffset int64, aborted ?[producerId int64, firstOffset int64], " +
    "preferredReadReplica int32 11+, records ?bytes]]",
  ],
  listOffsets: [
    [2, 2, 5, 6],
    "replicaId int32, isolationLevel int8, topics [name string, partitions [partition int32, " +
    "currentLeaderEpoch int32 4+, timestamp int64]]",
    `${throttle}, topics [name string, partitions [partition int32, errorCode int16, ` +
    "timestamp int64, offset int64, leaderEpoch int32 4+]]",
  ],
  metadata: [
    [3, 4, 10, 9],
    "topics ?[topicId uuid 10+, name string 0-9, name ?string 10+], " +
    "allowAutoTopicCreation boolean, includeClusterAuthorizedOperations boolean 8-10, " +
    "includeTopicAuthorizedOperations boolean 8+",
    `${throttle}, brokers [nodeId int32, host string, port int32, rack ?string], ` +
    "clusterId ?string, controllerId int32, topics [errorCode int16, name string, " +
    "topicId uuid 10+, isInternal boolean, partitions [errorCode int16, partition int32, " +
    "leader int32, leaderEpoch int32 7+, replicas [int32], isr [int32], " +
    "offlineReplicas [int32] 5+], authorizedOperations int32 8+], " +
    "clusterAuthorizedOperations int32 8-10",
  ],
  offsetCommit: [
    [8, 5, 7, 8],
    "group string, generation int32, member string, groupInstanceId ?string 7+, topics " +
    "[name string, partitions [partition int32, offset int64, leaderEpoch int32 6+, " +
    "metadata ?string]]",
    `${throttle}, topics [name string, partitions [partition int32, errorCode int16]]`,
  ],
  offsetFetch: [
    [9, 3, 5, 6],
    "group string, topics ?[name string, partitions [int32]]",
    `${throttle}, topics [name string, partitions [partition int32, offset int64, ` +
    "leaderEpoch int32 5+, metadata ?string, errorCode int16]], errorCode int16",
  ],
  findCoordinator: [
    [10, 1, 2, 3],
    "key string, keyType int8",
    `${throttle}, errorCode int16, errorMessage ?string, nodeId int32, host string, port int32`,
  ],
  saslHandshake: [
    [17, 1, 1, Infinity],
    "mechanism string",
    "errorCode int16, mechanisms [string]",
  ],
  apiVersions: [
    [18, 0, 2, 3],
    "",
    `errorCode int16, apis [key int16, min int16, max int16], ${throttle} 1+`,
  ],
  initProducerId: [
    [22, 0, 4, 2],
    "transactionalId ?string, transactionTimeoutMs int32, producerId int64 3+, " +
    "producerEpoch int16 3+",
    `${throttle}, errorCode int16, producerId int64, producerEpoch int16`,
  ],
  offsetForLeaderEpoch: [
    [23, 2, 3, 4],
    "replicaId int32 3+, topics [topic string, partitions [partition int32, " +
    "currentLeaderEpoch int32, leaderEpoch int32]]",
    `${throttle}, topics [topic string, partitions [errorCode int16, partition int32, ` +
    "leaderEpoch int32, endOffset int64]]",
  ],
  describeConfigs: [
    [32, 1, 2, 4],
    "resources [type int8, name string, keys ?[string]], includeSynonyms boolean",
    `${throttle}, results [errorCode int16, errorMessage ?string, type int8, name string, ` +
    "configs [name string, value ?string, readOnly boolean, source int8, sensitive boolean, " +
    "synonyms [name string, value ?string, source int8]]]",
  ],
  saslAuthenticate: [
    [36, 0, 1, 2],
    "authBytes bytes",
    "errorCode int16, errorMessage ?string, authBytes bytes, sessionLifetimeMs int64 1+",
  ],
} as const satisfies Record<string, [readonly number[], string, string]>;

export type ApiName = keyof typeof definitions;

/** One API; what is accepted by default is all that is spoken. */
export interface Api {
  name: ApiName;
  key: number;
  min: number;
  max: number;
  flexibleSince: number;
  request: ReturnType<typeof grammar>;
  response: ReturnType<typeof grammar>;
}

export const apis: readonly Api[] = Object.entries(definitions).map(
  ([name, [[key, min, max, flexibleSince], request, response]]) => ({
    name: name as ApiName,
    ...{ key, min, max, flexibleSince },
    request: grammar(request),
    response: grammar(response),
  }),
);

/** A request after its size. */
export interface Received {
  api: Api;
  version: number;
  correlation: number;
  clientId: string | null;
  request: Message;
}

/** Throws where the bytes are no request that this broker speaks. */
export function decodeRequest(frame: Uint8Array): Received {
  const decoder = new Decoder(frame);
  const header = decoder.struct(header1, 0);
  const api = apis.find(({ key }) => key === header.key);
  const { version } = header;
  if (!api || version < api.min || version > api.max) {
    throw new Error(`a request of API ${header.key} version ${version}, which is not spoken here`);
  }
  decoder.flexible = version >= api.flexibleSince;
  if (decoder.flexible) decoder.tags();
  const request = decoder.struct(api.request, version);
  if (decoder.left > 0) throw new Error(`${decoder.left} bytes after a request of ${api.name}`);
  return { api, version, correlation: header.correlation, clientId: header.clientId, request };
}

const header1 = grammar("key int16, version int16, correlation int32, clientId ?string");

/** A response after its correlation id. */
export function encodeResponse(api: Api, version: number, response: Message): Uint8Array {
  const encoder = new Encoder(version >= api.flexibleSince);
  // The header of ApiVersions' response has no tagged fields: who asks may not know them.
  if (encoder.flexible && api.name !== "apiVersions") encoder.tags();
  return encoder.struct(api.response, version, response).bytes;
}
