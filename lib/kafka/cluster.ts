import { Failure } from "../failure.ts";
import { UNKNOWN_TOPIC_OR_PARTITION } from "../protocol/error_codes.ts";
import type { Api } from "../protocol/messages/api.ts";
import { findCoordinator } from "../protocol/messages/find_coordinator.ts";
import {
  metadata,
  type MetadataResponse,
  metadataWithIds,
  type PartitionMetadata,
  type TopicMetadata,
} from "../protocol/messages/metadata.ts";
import { type Address, addressName, type ClientConfig, parseAddress } from "./config.ts";
import { Connection } from "./connection.ts";
import { ConnectionError } from "./connection_error.ts";
import { atMost } from "../waiting.ts";
import { check, LeftOutError, UnknownTopic } from "./errors.ts";
import { retry } from "./retry.ts";

/** How long a broker may be silent before another one is tried beside it, milliseconds. */
const SILENCE = 1000;

/**
 * How long a topic that no broker knows may still turn up (one just created), and then how long the
 * list of those there are is waited for, milliseconds.
 */
const UNKNOWN_TOPIC_PATIENCE = 1000;

/** The brokers of a cluster: who leads what, and a connection to each one in use. */
export class Cluster {
  readonly config: ClientConfig;
  readonly #apis: readonly Api<never, unknown>[];
  readonly #connections = new Map<string, Promise<Connection>>();
  readonly #brokers = new Map<number, Address>();
  /** By name, of every broker that was named or connected to. */
  readonly #addresses = new Map<string, Address>();
  #closed = false;
  /** By topic and partition, as last reported. */
  readonly #leaders = new Map<string, Map<number, PartitionMetadata>>();
  #clusterId: string | null = null;

  /** `apis` are those that will be called: their versions are checked at every connect. */
  constructor(config: ClientConfig, apis: readonly Api<never, unknown>[]) {
    this.config = config;
    this.#apis = [metadata, ...apis];
  }

  /**
   * The partitions of a topic. Throws Failure if no broker knows it, or none can be reached
   * within the timeout.
   */
  async topic(topic: string): Promise<TopicMetadata> {
    const failed = `cannot read topic "${topic}"`;
    let unknownSince: number | undefined;
    return await retry(this.config, async () => {
      const [found] = (await this.refresh([topic])).topics;
      const code = found.errorCode;
      if (code === UNKNOWN_TOPIC_OR_PARTITION) {
        unknownSince ??= performance.now();
        if (performance.now() - unknownSince >= UNKNOWN_TOPIC_PATIENCE) {
          throw new UnknownTopic(topic, await this.#visibleTopics());
        }
      }
      check(failed, code);
      return found;
    });
  }

  /** The topics that a broker lists, without internal ones; none if that takes long, or fails. */
  async #visibleTopics(): Promise<string[]> {
    let names: string[] = [];
    const asking = this.refresh(null).then(({ topics }) => {
      names = topics.filter(({ isInternal }) => !isInternal).map(({ topic }) => topic);
    });
    await atMost(Math.min(UNKNOWN_TOPIC_PATIENCE, this.config.timeout), asking);
    return names;
  }

  /** Asks any broker for the brokers and the leaders of these topics, null: of all. One try. */
  async refresh(topics: string[] | null): Promise<MetadataResponse> {
    const connection = await this.#anyBroker();
    const api = connection.accepts(metadataWithIds) ? metadataWithIds : metadata;
    const answer = await connection.call(api, { topics });
    checkWhole(answer, topics ?? [], connection.name);
    this.#clusterId = answer.clusterId;
    for (const { id, host, port } of answer.brokers) this.#brokers.set(id, { host, port });
    for (const { topic, partitions } of answer.topics) {
      this.#leaders.set(topic, new Map(partitions.map((p) => [p.partition, p])));
    }
    return answer;
  }

  /** Whether a topic has this partition, as last reported. */
  has(topic: string, partition: number): boolean {
    return this.#leaders.get(topic)?.has(partition) ?? false;
  }

  /** The broker id of a partition's leader as last reported, -1 if there was none. */
  leader(topic: string, partition: number): number {
    return this.#leaders.get(topic)?.get(partition)?.leader ?? -1;
  }

  /** The epoch of a partition's leader as last reported, -1 if it is not known. */
  leaderEpoch(topic: string, partition: number): number {
    return this.#leaders.get(topic)?.get(partition)?.leaderEpoch ?? -1;
  }

  /** The cluster's id, as last reported; null if no broker reported one. */
  get clusterId(): string | null {
    return this.#clusterId;
  }

  /** A connection to the broker of this id; one try. Throws ConnectionError. */
  async broker(id: number): Promise<Connection> {
    const address = this.#brokers.get(id);
    if (!address) throw new ConnectionError(`no address is known of broker ${id}`);
    return await this.#connect(address);
  }

  /** A connection to the broker that keeps a group's offsets; one try. */
  async coordinator(group: string): Promise<Connection> {
    const connection = await this.#anyBroker();
    const found = await connection.call(findCoordinator, { group });
    const failed = `cannot find the coordinator of group "${group}"`;
    check(failed, found.errorCode, found.errorMessage);
    if (found.host === "" || found.port <= 0) {
      throw new LeftOutError(failed, connection.name, "its address");
    }
    return await this.#connect(found);
  }

  /** Closes every connection for good; requests under way fail, new ones are rejected. */
  close(): void {
    this.#closed = true;
    for (const opening of this.#connections.values()) {
      opening.then((connection) => connection.close(), () => {});
    }
    this.#connections.clear();
  }

  /**
   * A connection to any broker. They are tried in turn, and if one is silent the next one beside
   * it: none has to share its deadline with the others.
   */
  async #anyBroker(): Promise<Connection> {
    for (const broker of this.#brokers.values()) this.#addresses.set(addressName(broker), broker);
    const known = [...this.#connections.keys(), ...this.#addresses.keys()];
    const names = [...new Set([...known, ...this.config.brokers])];
    const opened = Promise.withResolvers<Connection>();
    let connection: Connection | undefined;
    const errors: unknown[] = [];
    const attempt = async (name: string) => {
      try {
        const address = this.#addresses.get(name) ?? parseAddress(name);
        if (!address) throw new Failure("usage", `cannot use broker address "${name}"`);
        opened.resolve(connection ??= await this.#connect(address));
      } catch (error) {
        this.config.debug(error instanceof Error ? error.message : String(error));
        errors.push(error);
      }
    };
    const attempts: Promise<void>[] = [];
    const pause = Math.min(SILENCE, this.config.timeout / names.length);
    for (const name of names) {
      const trying = attempt(name);
      attempts.push(trying);
      await atMost(pause, Promise.race([trying, opened.promise]));
      if (connection) return connection;
      // Wrong credentials are wrong everywhere, and each try may count towards a lock-out.
      if (errors.some(isDenied)) break;
    }
    if (!errors.some(isDenied)) await Promise.race([Promise.all(attempts), opened.promise]);
    if (connection) return connection;
    throw errors.find(isDenied) ?? errors[0];
  }

  async #connect(address: Address): Promise<Connection> {
    if (this.#closed) throw new Failure("broker", "the client was closed");
    const name = addressName(address);
    const known = this.#connections.get(name);
    this.#addresses.set(name, address);
    if (known) {
      const connection = await known.catch(() => null);
      if (connection && !connection.closed) return connection;
      if (this.#connections.get(name) === known) this.#connections.delete(name);
      else return await this.#connect(address);
    }
    const opening = Connection.open(address, this.config, this.#apis);
    this.#connections.set(name, opening);
    return await opening;
  }
}

function isDenied(error: unknown): boolean {
  return error instanceof Failure && error.kind === "denied";
}

/**
 * Throws LeftOutError unless every topic asked for is in an answer, and each with all partitions.
 */
function checkWhole({ topics }: MetadataResponse, asked: readonly string[], broker: string): void {
  const found = new Map(topics.map((topic) => [topic.topic, topic]));
  const failed = (topic: string) => `cannot read topic "${topic}"`;
  for (const topic of asked) {
    if (!found.has(topic)) throw new LeftOutError(failed(topic), broker, "the topic");
  }
  for (const { topic, partitions } of topics) {
    const numbers = new Set(partitions.map(({ partition }) => partition));
    for (let number = 0; number < partitions.length; number++) {
      if (!numbers.has(number)) {
        throw new LeftOutError(failed(topic), broker, `partition ${number}`);
      }
    }
  }
}
