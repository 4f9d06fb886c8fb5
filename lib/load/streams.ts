import type { Connection } from "./connection.ts";

/**
 * The connections for shares of loads. Each source has one in any case: what is shared out here are
 * those that are left over, so that no source waits for another one's shares.
 */
export class Streams {
  #left: number;
  readonly #open: () => Connection;
  readonly #idle: Connection[] = [];
  readonly #all = new Set<Connection>();

  /** `left`: how many there are beyond one for each source. */
  constructor(left: number, open: () => Connection) {
    this.#left = left;
    this.#open = open;
  }

  /** Connections for at most `most` shares of a source: two or more, or none. Give them back. */
  take(most: number): Connection[] {
    const more = Math.min(most - 1, this.#left);
    if (more < 1) return [];
    this.#left -= more;
    return Array.from({ length: more + 1 }, () => {
      const connection = this.#idle.pop() ?? this.#open();
      this.#all.add(connection);
      return connection;
    });
  }

  give(connections: readonly Connection[]): void {
    if (connections.length === 0) return;
    this.#left += connections.length - 1;
    this.#idle.push(...connections);
  }

  /** Closes all, and with them what still runs there. */
  async close(): Promise<void> {
    await Promise.all([...this.#all].map((connection) => connection.close()));
  }
}
