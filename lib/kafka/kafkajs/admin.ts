import type { Admin as KafkajsAdmin } from "kafkajs";
import type { ClientConfig } from "../config.ts";
import { within } from "../../waiting.ts";
import { kafkajs } from "./client.ts";
import { asFailure } from "./errors.ts";

/** How long the connections have to be closed properly, milliseconds. */
const FAREWELL = 500;

/**
 * Administration through kafkajs. It has no deadline of its own: it tries a silent broker again and
 * again, for minutes. Here each call has the config's timeout. Only what needs a request that we do
 * not speak is done through it: it asks for all topics, and tries on while one of them has a
 * partition without a leader.
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
