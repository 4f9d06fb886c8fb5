/** Three brokers in three racks, and what a client reads from each of them. */
import { type Broker, type BrokerOptions, startBroker } from "../../scripts/servers/broker.ts";
import { kafkajs } from "./kafka.ts";

/** Without it brokers name no replica to read from. */
export const RACK_SELECTOR = {
  "replica.selector.class": "org.apache.kafka.common.replica.RackAwareReplicaSelector",
};

/** A relay before one broker: it counts the bytes that the broker sends to clients. */
class Relay implements AsyncDisposable {
  sent = 0;
  /** The broker's own port; connections are closed before it is known. */
  target: number | null = null;
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #conns = new Set<Deno.Conn>();
  readonly #accepting = this.#accept();

  get port(): number {
    return this.#listener.addr.port;
  }

  async #accept(): Promise<void> {
    for await (const conn of this.#listener) this.#relay(conn);
  }

  async #relay(client: Deno.Conn): Promise<void> {
    this.#conns.add(client);
    try {
      const broker = await Deno.connect({ hostname: "127.0.0.1", port: this.target! });
      this.#conns.add(broker);
      await Promise.race([copy(client, broker), copy(broker, client, (size) => this.sent += size)]);
      close(broker);
    } catch {
      // The broker is away: its clients see that.
    } finally {
      close(client);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const conn of this.#conns) close(conn);
    await this.#accepting;
  }
}

async function copy(
  from: Deno.Conn,
  to: Deno.Conn,
  note: (size: number) => void = () => {},
): Promise<void> {
  const buffer = new Uint8Array(256 * 1024);
  try {
    for (let size; (size = await from.read(buffer)) !== null;) {
      note(size);
      for (let at = 0; at < size;) at += await to.write(buffer.subarray(at, size));
    }
  } catch {
    // Closed by either side.
  }
}

function close(conn: Deno.Conn): void {
  try {
    conn.close();
  } catch {
    // Closed already.
  }
}

/** A cluster of three brokers: broker N is in rack `rack-N`. */
export interface RackCluster extends AsyncDisposable {
  readonly broker: Broker;
  /** For the client under test: through relays, which count. */
  readonly bootstrap: string;
  /** What each broker has sent to that client so far, bytes; in the order of their ids. */
  sent(): number[];
}

/** Starts one; its JVMs are small. The brokers know each other by addresses without relays. */
export async function rackCluster(options: BrokerOptions = {}): Promise<RackCluster> {
  const relays = [new Relay(), new Relay(), new Relay()];
  const stop = () => Promise.all(relays.map((relay) => relay[Symbol.asyncDispose]()));
  try {
    const broker = await startBroker({
      nodes: 3,
      heap: "256m",
      listeners: { COUNTED: "PLAINTEXT" },
      ...options,
      properties: { ...RACK_SELECTOR, ...options.properties },
      nodeProperties: (id, { PLAINTEXT }) => ({
        "broker.rack": `rack-${id}`,
        "advertised.listeners": `PLAINTEXT://127.0.0.1:${PLAINTEXT},` +
          `COUNTED://127.0.0.1:${relays[id - 1].port}`,
      }),
    });
    for (const [i, address] of broker.listeners.COUNTED.split(",").entries()) {
      relays[i].target = Number(address.split(":")[1]);
    }
    return {
      broker,
      bootstrap: relays.map(({ port }) => `127.0.0.1:${port}`).join(","),
      sent: () => relays.map(({ sent }) => sent),
      async [Symbol.asyncDispose]() {
        await broker[Symbol.asyncDispose]();
        await stop();
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Which broker leads each partition of a topic. */
export async function leadersOf(broker: Broker, topic: string): Promise<number[]> {
  const admin = kafkajs(broker).admin();
  await admin.connect();
  try {
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
    return topics[0].partitions.toSorted((a, b) => a.partitionId - b.partitionId)
      .map(({ leader }) => leader);
  } finally {
    await admin.disconnect();
  }
}
