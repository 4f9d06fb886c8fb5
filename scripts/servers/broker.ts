/**
 * A real Kafka broker for tests, demos and benchmarks: the one that KAFKA_BROKERS names, or one
 * from the official image when a Docker engine answers, or one from Kafka's own jars with Java and
 * Maven: `await using broker = await startBroker()`.
 */
import { externalBroker } from "./broker/external.ts";
import { ownBroker } from "./broker/own.ts";
import { type Broker, type BrokerOptions, environment } from "./broker/options.ts";

export type * from "./broker/options.ts";

/** Starts a broker, or a cluster of them, that serves clients; a Failure says what is missing. */
export async function startBroker(options: BrokerOptions = {}): Promise<Broker> {
  const named = Deno.env.get(environment.brokers);
  return named && !needsOwn(options) ? await externalBroker(named) : await ownBroker(options);
}

/** What a test asks for here can't be had from a broker that others set up. */
function needsOwn(options: BrokerOptions): boolean {
  const { own, nodes, steady: _, ...others } = options;
  return own === true || nodes !== undefined && nodes > 1 ||
    Object.values(others).some((one) => one !== undefined);
}
