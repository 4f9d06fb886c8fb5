import { Failure } from "../failure.ts";
import { errorName, UNKNOWN_TOPIC_OR_PARTITION } from "../protocol/error_codes.ts";
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
import { Connection, ConnectionError } from "./connection.ts";
import { check } from "./errors.ts";
import { retry } from "./retry.ts";

/** How long a topic that no broker knows may still turn up: one just created, milliseconds. */
const UNKNOWN_TOPIC_PATIENCE = 1000;

/** The brokers of a cluster: who leads what, and a connection to each one in use. */
export class Cluster {
  readonly config: ClientConfig;
  readonly #apis: readonly Api<never, unknown>[];
  readonly #connections = new Map<string, Promise<Connection>>();
  readonly #brokers = new Map<number, Address>();
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
   * The partitions of a topic. Throws Failure where no broker knows it, or none can be reached
   * within the timeout.
   */
  async topic(topic: string): Promise<TopicMetadata> {
    const failed = `cannot read topic "${topic}"`;
    let unknownSince: number | undefined;
    return await retry(this.config, async () => {
      const [found] = (await this.refresh([topic])).topics;
      const code = found?.errorCode ?? UNKNOWN_TOPIC_OR_PARTITION;
      if (code === UNKNOWN_TOPIC_OR_PARTITION) {
        unknownSince ??= performance.now();
        if (performance.now() - unknownSince >= UNKNOWN_TOPIC_PATIENCE) {
          throw new Failure(
            "broker",
            `${failed}: ${
              errorName(code)
            }: check its name, create it, or get the right to describe it`,
          );
        }
      }
      check(failed, code);
      return found;
    });
  }

  /** Asks any broker for the brokers and the leaders of these topics, null: of all. One try. */
  async refresh(topics: string[] | null): Promise<MetadataResponse> {
    const connection = await this.#anyBroker();
    const api = connection.accepts(metadataWithIds) ? metadataWithIds : metadata;
    const answer = await connection.call(api, { topics });
    this.#clusterId = answer.clusterId;
    for (const { id, host, port } of answer.brokers) this.#brokers.set(id, { host, port });
    for (const { topic, partitions } of answer.topics) {
      this.#leaders.set(topic, new Map(partitions.map((p) => [p.partition, p])));
    }
    return answer;
  }

  /** The broker id of a partition's leader as last reported, -1 if there was none. */
  leader(topic: string, partition: number): number {
    return this.#leaders.get(topic)?.get(partition)?.leader ?? -1;
  }

  /** The epoch of a partition's leader as last reported, -1 if it is not known. */
  leaderEpoch(topic: string, partition: number): number {
    return this.#leaders.get(topic)?.get(partition)?.leaderEpoch ?? -1;
  }

  /** What tells this cluster from another one, as last reported; null if no broker said it. */
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
    check(`cannot find the coordinator of group "${group}"`, found.errorCode, found.errorMessage);
    return await this.#connect(found);
  }

  /** Closes every connection for good; requests under way fail, new ones are refused. */
  close(): void {
    this.#closed = true;
    for (const opening of this.#connections.values()) {
      opening.then((connection) => connection.close(), () => {});
    }
    this.#connections.clear();
  }

  async #anyBroker(): Promise<Connection> {
    const known = [...this.#brokers.values()].map(addressName);
    const names = [...new Set([...this.#connections.keys(), ...known, ...this.config.brokers])];
    let first: unknown;
    for (const name of names) {
      const address = parseAddress(name);
      if (!address) throw new Failure("usage", `cannot use broker address "${name}"`);
      try {
        return await this.#connect(address, this.config.timeout / names.length);
      } catch (error) {
        // Wrong credentials are wrong everywhere, and each try may count towards a lock-out.
        if (error instanceof Failure && error.kind === "denied") throw error;
        this.config.debug(error instanceof Error ? error.message : String(error));
        first ??= error;
      }
    }
    throw first;
  }

  async #connect(address: Address, timeout = this.config.timeout): Promise<Connection> {
    if (this.#closed) throw new Failure("broker", "the client was closed");
    const name = addressName(address);
    const known = this.#connections.get(name);
    if (known) {
      const connection = await known.catch(() => null);
      if (connection && !connection.closed) return connection;
      if (this.#connections.get(name) === known) this.#connections.delete(name);
      else return await this.#connect(address, timeout);
    }
    const opening = Connection.open(address, { ...this.config, timeout }, this.#apis);
    this.#connections.set(name, opening);
    return await opening;
  }
}
