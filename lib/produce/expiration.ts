import type { Connection } from "../kafka/connection.ts";
import { describeConfigs } from "../protocol/messages/describe_configs.ts";

/** Kafka's default, for brokers that do not say, milliseconds. */
const DAY = 24 * 60 * 60 * 1000;
/** The second one decided in brokers older than the first one. */
const CONFIGS = ["producer.id.expiration.ms", "transactional.id.expiration.ms"];

const known = new WeakMap<Connection, Promise<number>>();

/**
 * How long the broker remembers which batches of a producer it has, after the time of the last one;
 * milliseconds. Throws ConnectionError.
 */
export function expiration(connection: Connection, broker: number): Promise<number> {
  const asked = known.get(connection) ?? ask(connection, broker);
  known.set(connection, asked);
  return asked;
}

async function ask(connection: Connection, broker: number): Promise<number> {
  if (!connection.accepts(describeConfigs)) return DAY;
  // A user without the right to know gets none of the values.
  const { values } = await connection.call(describeConfigs, { broker, names: CONFIGS });
  const value = CONFIGS.map((name) => values.get(name)).find((one) => one !== undefined);
  const milliseconds = Number(value ?? NaN);
  return Number.isFinite(milliseconds) ? milliseconds : DAY;
}
