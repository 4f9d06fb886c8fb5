import { type Admin as KafkajsAdmin, ConfigResourceTypes } from "kafkajs";
import { Failure } from "../../failure.ts";
import type { ClientConfig } from "../config.ts";
import { within } from "../../waiting.ts";
import { kafkajs } from "./client.ts";
import { asFailure } from "./errors.ts";

/** How long the connections have to be closed properly, milliseconds. */
const FAREWELL = 500;

/** DescribeConfigs' source of what was set for the topic itself. */
const TOPIC_CONFIG = 1;

export interface TopicConfig {
  name: string;
  /** Null if it is a secret, or not set. */
  value: string | null;
  /** Set for this topic, not taken from the brokers. */
  own: boolean;
}

/** A consumer group as its coordinator sees it. */
export interface GroupState {
  /** Kafka's word: Empty, Stable, PreparingRebalance, CompletingRebalance, Dead. */
  state: string;
  members: { id: string; client: string; host: string }[];
}

/**
 * Administration through kafkajs. It has no deadline of its own: it tries a silent broker again and
 * again, for minutes. Here each call has the config's timeout. Only what needs a request that we do
 * not speak is done through it: metadata and offsets are our own, and quicker.
 */
export class Admin {
  readonly #config: ClientConfig;
  readonly #admin: KafkajsAdmin;
  #connected: Promise<void> | null = null;

  constructor(config: ClientConfig) {
    this.#config = config;
    this.#admin = kafkajs(config).admin({ retry: { initialRetryTime: 50, maxRetryTime: 1000 } });
  }

  /** Deletes a topic that exists. Throws Failure. */
  deleteTopic(topic: string): Promise<void> {
    const { timeout } = this.#config;
    return this.#call(
      `cannot delete topic "${topic}"`,
      () => this.#admin.deleteTopics({ topics: [topic], timeout }),
    );
  }

  /** A topic's configs, by name. Throws Failure. */
  async topicConfigs(topic: string): Promise<TopicConfig[]> {
    const resources = [{ type: ConfigResourceTypes.TOPIC, name: topic }];
    const found = await this.#call(
      `cannot read the configs of topic "${topic}"`,
      () => this.#admin.describeConfigs({ resources, includeSynonyms: false }),
    );
    return found.resources.flatMap(({ configEntries }) => configEntries)
      .map(({ configName, configValue, isSensitive, configSource }) => ({
        name: configName,
        value: isSensitive ? null : configValue,
        own: Number(configSource) === TOPIC_CONFIG,
      }))
      .sort((a, b) => a.name < b.name ? -1 : 1);
  }

  /** One config of a broker; null if it does not have it. Throws Failure. */
  async brokerConfig(broker: number, name: string): Promise<string | null> {
    const resources = [
      { type: ConfigResourceTypes.BROKER, name: String(broker), configNames: [name] },
    ];
    const found = await this.#call(
      `cannot read the configs of broker ${broker}`,
      () => this.#admin.describeConfigs({ resources, includeSynonyms: false }),
    );
    return found.resources[0]?.configEntries[0]?.configValue ?? null;
  }

  /** A group's members. A group that does not exist is Dead. Throws Failure. */
  async group(group: string): Promise<GroupState> {
    const failed = `cannot read the members of group "${group}"`;
    const { groups } = await this.#call(failed, () => this.#admin.describeGroups([group]));
    const found = groups.find(({ groupId }) => groupId === group);
    if (!found) throw new Failure("broker", `${failed}: its coordinator left it out of its answer`);
    const { state, members } = found;
    return {
      state,
      members: members.map(({ memberId, clientId, clientHost }) => ({
        id: memberId,
        client: clientId,
        host: clientHost.replace(/^\//, ""),
      })),
    };
  }

  /** Closes the connections. */
  async close(): Promise<void> {
    if (!this.#connected) return;
    await within(FAREWELL, "", this.#admin.disconnect()).catch(() => {});
  }

  async #call<T>(failed: string, call: () => Promise<T>): Promise<T> {
    const work = async () => {
      await (this.#connected ??= this.#admin.connect());
      return await call();
    };
    try {
      return await within(this.#config.timeout, failed, work());
    } catch (error) {
      throw asFailure(failed, error);
    }
  }
}
