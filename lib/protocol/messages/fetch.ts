import type { Reader } from "../reader.ts";
import type { Writer } from "../writer.ts";
import type { Api } from "./api.ts";
import { type Isolation, isolationByte } from "./list_offsets.ts";
import { writeTopics } from "./topics.ts";

export interface FetchRequest {
  isolation: Isolation;
  /** How long the broker may wait for a first byte, milliseconds. */
  maxWait: number;
  /** Bytes of records in the whole response, and of one partition; one batch always comes whole. */
  maxBytes: number;
  partitionMaxBytes: number;
  topics: { topic: string; partitions: FetchFrom[] }[];
}

/** Where to read in a partition. */
export interface FetchFrom {
  partition: number;
  offset: number;
  /** The leader epoch that the broker must not be past (KIP-320); any if it is not given. */
  leaderEpoch?: number;
}

/** A request of a client that says where it runs (KIP-392). */
export interface RackFetchRequest extends FetchRequest {
  /** Empty: the client does not say. */
  rack: string;
}

/** The records of a producer from firstOffset on, up to its abort marker, are void. */
export interface AbortedTransaction {
  producerId: number;
  firstOffset: number;
}

export interface FetchedPartition {
  topic: string;
  partition: number;
  errorCode: number;
  highWatermark: number;
  lastStableOffset: number;
  /** The log's first offset. */
  logStart: number;
  /** The id of the broker that the leader would have it read from; -1: none but itself. */
  preferredReplica: number;
  aborted: AbortedTransaction[];
  /** Where the record batches are in the response's bytes; the last one may be cut. */
  start: number;
  end: number;
}

export interface FetchResponse {
  errorCode: number;
  partitions: FetchedPartition[];
}

/**
 * Fetch (key 1) version 6: as version 10, without sessions and leader epochs.
 *
 *     request  => replica_id int32, max_wait_ms int32, min_bytes int32, max_bytes int32,
 *       isolation_level int8, topics [topic string, partitions [partition int32,
 *         fetch_offset int64, log_start_offset int64, partition_max_bytes int32]]
 *     response => throttle_time_ms int32, responses [as version 10]
 */
const fetchWithoutEpochs: Api<FetchRequest, FetchResponse> = {
  name: "Fetch",
  key: 1,
  version: 6,
  encode(writer, request) {
    writer.int32(-1).int32(request.maxWait).int32(1).int32(request.maxBytes)
      .int8(isolationByte(request.isolation));
    writeTopics(writer, request.topics, ({ partition, offset }, w) => {
      w.int32(partition).int64(offset).int64(-1).int32(request.partitionMaxBytes);
    });
  },
  decode(reader) {
    reader.throttleTime();
    return { errorCode: 0, partitions: decodePartitions(reader, false) };
  },
};

/**
 * Fetch (key 1) version 10, https://kafka.apache.org/protocol#The_Messages_Fetch
 * No fetch session (KIP-227): each request names all partitions. Version 10 is the first one that
 * zstd batches may be sent to (KIP-110).
 *
 *     request  => replica_id int32, max_wait_ms int32, min_bytes int32, max_bytes int32,
 *       isolation_level int8, session_id int32, session_epoch int32, topics [topic string,
 *         partitions [partition int32, current_leader_epoch int32, fetch_offset int64,
 *           log_start_offset int64, partition_max_bytes int32]],
 *       forgotten_topics_data [topic string, partitions [int32]]
 *     response => throttle_time_ms int32, error_code int16, session_id int32, responses
 *       [topic string, partitions [partition_index int32, error_code int16, high_watermark int64,
 *         last_stable_offset int64, log_start_offset int64,
 *         aborted_transactions ?[producer_id int64, first_offset int64], records ?bytes]]
 */
export const fetch: Api<FetchRequest, FetchResponse> = {
  name: "Fetch",
  key: 1,
  version: 10,
  older: fetchWithoutEpochs,
  encode,
  decode: (reader) => decode(reader, false),
};

/**
 * Fetch (key 1) version 11, the first one with racks (KIP-392): Kafka 2.3 and later. A leader that
 * has a replica in the client's rack sends no records, but that replica's broker id.
 *
 *     request  => as version 10, rack_id string
 *     response => as version 10, except partitions [partition_index int32, error_code int16,
 *       high_watermark int64, last_stable_offset int64, log_start_offset int64,
 *       aborted_transactions ?[producer_id int64, first_offset int64],
 *       preferred_read_replica int32, records ?bytes]
 */
export const fetchWithRack: Api<RackFetchRequest, FetchResponse> = {
  name: "Fetch",
  key: 1,
  version: 11,
  encode(writer, request) {
    encode(writer, request);
    writer.string(request.rack);
  },
  decode: (reader) => decode(reader, true),
};

function encode(writer: Writer, request: FetchRequest): void {
  writer.int32(-1).int32(request.maxWait).int32(1).int32(request.maxBytes)
    .int8(isolationByte(request.isolation)).int32(0).int32(-1);
  writeTopics(writer, request.topics, ({ partition, offset, leaderEpoch = -1 }, w) => {
    w.int32(partition).int32(leaderEpoch).int64(offset).int64(-1).int32(request.partitionMaxBytes);
  });
  writer.int32(0);
}

function decode(reader: Reader, hasReplicas: boolean): FetchResponse {
  reader.throttleTime();
  const errorCode = reader.int16();
  reader.int32();
  return { errorCode, partitions: decodePartitions(reader, hasReplicas) };
}

function decodePartitions(reader: Reader, hasReplicas: boolean): FetchedPartition[] {
  const partitions: FetchedPartition[] = [];
  reader.array((r) => {
    const topic = r.string();
    r.array((p) => {
      const partition = {
        topic,
        partition: p.int32(),
        errorCode: p.int16(),
        highWatermark: p.int64(),
        lastStableOffset: p.int64(),
        logStart: p.int64(),
        aborted: p.array((a) => ({ producerId: a.int64(), firstOffset: a.int64() })),
        preferredReplica: hasReplicas ? p.int32() : -1,
        start: 0,
        end: 0,
      };
      const size = Math.max(p.int32(), 0);
      partition.start = p.skip(size);
      partition.end = partition.start + size;
      partitions.push(partition);
    });
  });
  return partitions;
}
