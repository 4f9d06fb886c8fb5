/** What a cluster of scripted brokers knows, and how a sane one answers from it. */
import { Buffer } from "node:buffer";
import type { ApiName } from "./apis.ts";
import type { Message } from "./codec.ts";
import { endOfEpoch, fetched, listed, PartitionLog, problem } from "./log.ts";

const UNKNOWN_TOPIC_OR_PARTITION = 3;
const NOT_COORDINATOR = 16;
const SASL_AUTHENTICATION_FAILED = 58;

export interface Topic {
  id: string;
  partitions: PartitionLog[];
}

export interface StoredOffset {
  offset: number;
  leaderEpoch: number;
  metadata: string | null;
}

export interface Asked {
  /** The broker that was asked. */
  broker: number;
  request: Message;
  version: number;
  /** Instead of the work: every error code of the answer is this one. */
  code: number | null;
}

export class Model {
  clusterId: string | null = "scripted-cluster";
  controller = 1;
  readonly brokers = new Map<number, { host: string; port: number }>();
  /** The racks of those that are in one (KIP-392). */
  readonly racks = new Map<number, string>();
  readonly topics = new Map<string, Topic>();
  /** By group, then by `topic/partition`. */
  readonly groups = new Map<string, Map<string, StoredOffset>>();
  /** Which broker keeps a group's offsets. */
  coordinator = (_group: string): number => 1;
  nextProducerId = 1000;
  sasl: { username: string; password: string } | null = null;
  /** Every broker's own configs. */
  readonly configs = new Map<string, string>();

  /** Adds a topic, led by the brokers in turn; one of the name before is replaced, with a new id. */
  create(name: string, partitions = 1): Topic {
    const id = Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString("base64url");
    const ids = [...this.brokers.keys()];
    const logs = Array.from(
      { length: partitions },
      (_, p) => new PartitionLog(ids[p % ids.length]),
    );
    const topic = { id, partitions: logs };
    this.topics.set(name, topic);
    return topic;
  }

  log(topic: string, partition = 0): PartitionLog {
    const log = this.topics.get(topic)?.partitions[partition];
    if (!log) throw new Error(`topic "${topic}" has no partition ${partition}`);
    return log;
  }

  group(name: string): Map<string, StoredOffset> {
    const known = this.groups.get(name);
    if (known) return known;
    const group = new Map<string, StoredOffset>();
    this.groups.set(name, group);
    return group;
  }

  /** A sane broker's answer; the work that the request asks for is done. */
  answer(api: ApiName, asked: Asked): Message {
    return { throttleTimeMs: 0, errorCode: asked.code ?? 0, ...this.#answers[api](asked) };
  }

  readonly #answers: Record<ApiName, (asked: Asked) => Message> = {
    produce: (asked) =>
      this.#perPartition(asked, "name", "index", (log, { records }) => ({
        ...(log?.produce(records) ?? { baseOffset: -1 }),
        logAppendTimeMs: -1,
        logStartOffset: log?.logStart ?? -1,
        recordErrors: [],
        errorMessage: null,
      })),
    fetch: (asked) => ({
      sessionId: 0,
      ...this.#perPartition(
        asked,
        "topic",
        "partition",
        (log, wanted) => {
          const preferred = log ? this.#preferred(asked, log) : -1;
          const { isolationLevel } = asked.request;
          return fetched(log, wanted, isolationLevel, asked.broker, preferred);
        },
      ),
    }),
    listOffsets: (asked) =>
      this.#perPartition(
        asked,
        "name",
        "partition",
        (log, { timestamp }) => listed(log, timestamp, asked.request.isolationLevel),
      ),
    metadata: ({ request, code }) => this.#metadata(request, code),
    offsetCommit: (asked) => {
      const { group, topics } = asked.request;
      const code = this.#coordinates(asked, group);
      return {
        topics: topics.map(({ name, partitions }: Message) => ({
          name,
          partitions: partitions.map(({ partition, offset, leaderEpoch, metadata }: Message) => {
            const stored = { offset, leaderEpoch: leaderEpoch ?? -1, metadata };
            if (code === 0) this.group(group).set(`${name}/${partition}`, stored);
            return { partition, errorCode: code };
          }),
        })),
      };
    },
    offsetFetch: (asked) => {
      const { group, topics } = asked.request;
      const stored = this.group(group);
      const names = topics ?? Object.entries(Object.groupBy(
        [...stored.keys()],
        (key) => key.slice(0, key.lastIndexOf("/")),
      )).map(([name, keys]) => ({
        name,
        partitions: keys!.map((key) => Number(key.slice(name.length + 1))),
      }));
      const errorCode = this.#coordinates(asked, group);
      return {
        errorCode,
        topics: names.map(({ name, partitions }: Message) => ({
          name,
          partitions: partitions.map((partition: number) => ({
            partition,
            errorCode,
            ...(stored.get(`${name}/${partition}`) ??
              { offset: -1, leaderEpoch: -1, metadata: "" }),
          })),
        })),
      };
    },
    findCoordinator: ({ request, code }) => {
      const nodeId = code ? -1 : this.coordinator(request.key);
      const address = this.brokers.get(nodeId) ?? { host: "", port: -1 };
      return { errorMessage: null, nodeId, ...address };
    },
    saslHandshake: ({ request }) => ({
      // Without a login: ILLEGAL_SASL_STATE; with one: UNSUPPORTED_SASL_MECHANISM but for PLAIN.
      errorCode: this.sasl === null ? 34 : request.mechanism === "PLAIN" ? 0 : 33,
      mechanisms: this.sasl === null ? [] : ["PLAIN"],
    }),
    saslAuthenticate: ({ request, code }) => {
      const [, username, password] = new TextDecoder().decode(request.authBytes).split("\0");
      const holds = username === this.sasl?.username && password === this.sasl?.password;
      const errorCode = code ?? (holds ? 0 : SASL_AUTHENTICATION_FAILED);
      return {
        errorCode,
        errorMessage: errorCode === 0 ? null : "Invalid username or password",
        authBytes: new Uint8Array(),
        sessionLifetimeMs: 0,
      };
    },
    apiVersions: () => ({}),
    initProducerId: ({ request, code }) => {
      if (code) return { producerId: -1, producerEpoch: -1 };
      const { producerId = -1, producerEpoch = -1 } = request;
      if (producerId !== -1) return { producerId, producerEpoch: producerEpoch + 1 };
      return { producerId: this.nextProducerId++, producerEpoch: 0 };
    },
    describeConfigs: ({ request, code }) => ({
      results: request.resources.map(({ type, name, keys }: Message) => ({
        ...{ errorCode: code ?? 0, errorMessage: null, type, name },
        configs: (code ? [] : keys ?? [...this.configs.keys()])
          .filter((key: string) => this.configs.has(key))
          .map((key: string) => ({
            ...{ name: key, value: this.configs.get(key), readOnly: true, source: 4 },
            ...{ sensitive: false, synonyms: [] },
          })),
      })),
    }),
    offsetForLeaderEpoch: (asked) => this.#perPartition(asked, "topic", "partition", endOfEpoch),
  };

  /** The answer partition by partition: the log is undefined where the code is not 0. */
  #perPartition(
    { broker, request, code }: Asked,
    topicField: string,
    partitionField: string,
    answer: (log: PartitionLog | undefined, wanted: Message) => Message,
  ): Message {
    return {
      topics: request.topics.map(({ partitions, ...topic }: Message) => ({
        [topicField]: topic[topicField],
        partitions: partitions.map((wanted: Message) => {
          const partition = wanted[partitionField];
          const log = this.topics.get(topic[topicField])?.partitions[partition];
          const mayFollow = request.rackId !== undefined;
          const epoch = wanted.currentLeaderEpoch ?? -1;
          const errorCode = code ?? problem(broker, log, epoch, mayFollow);
          const body = answer(errorCode === 0 ? log : undefined, wanted);
          return { [partitionField]: partition, errorCode, ...body };
        }),
      })),
    };
  }

  /** The replica that a leader would have a client read from: one in its rack; -1: itself. */
  #preferred({ broker, request: { rackId } }: Asked, { leader, followers }: PartitionLog): number {
    if (broker !== leader || !rackId || this.racks.get(leader) === rackId) return -1;
    return followers.find((id) => this.racks.get(id) === rackId) ?? -1;
  }

  #coordinates({ broker, code }: Asked, group: string): number {
    return code ?? (this.coordinator(group) === broker ? 0 : NOT_COORDINATOR);
  }

  #metadata({ topics }: Message, code: number | null): Message {
    const byId = new Map([...this.topics].map(([name, { id }]) => [id, name]));
    const wanted: (string | undefined)[] = topics === null
      ? [...this.topics.keys()]
      : topics.map(({ name, topicId }: Message) => name ?? byId.get(topicId));
    return {
      brokers: [...this.brokers].map(([nodeId, at]) => ({
        ...{ nodeId, ...at, rack: this.racks.get(nodeId) ?? null },
      })),
      clusterId: this.clusterId,
      controllerId: this.controller,
      clusterAuthorizedOperations: -0x80000000,
      topics: wanted.map((name = "") => {
        const topic = this.topics.get(name);
        return {
          errorCode: code ?? (topic ? 0 : UNKNOWN_TOPIC_OR_PARTITION),
          name,
          topicId: topic?.id ?? "AAAAAAAAAAAAAAAAAAAAAA",
          isInternal: false,
          authorizedOperations: -0x80000000,
          partitions: (code ? [] : topic?.partitions ?? []).map((log, partition) => ({
            ...{ errorCode: log.leader === -1 ? 5 : 0, partition },
            ...{ leader: log.leader, leaderEpoch: log.leaderEpoch },
            ...{ replicas: [log.leader, ...log.followers], isr: [log.leader, ...log.followers] },
            offlineReplicas: [],
          })),
        };
      }),
    };
  }
}
