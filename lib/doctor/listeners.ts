import { addressName, type ClientConfig, parseAddress } from "../kafka/config.ts";
import type { MetadataResponse } from "../protocol/messages/metadata.ts";
import { type Say, some, whatWentWrong } from "./findings.ts";
import { greet, type Greeting } from "./greeting.ts";

/**
 * Asks each broker at the address it tells its clients to use: every reader goes there, whatever
 * the bootstrap address was.
 */
export async function checkListeners(
  say: Say,
  config: ClientConfig,
  { brokers }: MetadataResponse,
  greetings: readonly Greeting[],
): Promise<true> {
  const bootstrap = new Set(greetings.map(({ address }) => address));
  const isLocal = (host: string) => /^(localhost|127\.|::1$)/.test(host);
  const fromAfar = ![...bootstrap].some((name) => isLocal(parseAddress(name)!.host));
  const good: string[] = [];
  await Promise.all(brokers.map(async (broker) => {
    const name = addressName(broker);
    const advertises = `broker ${broker.id} advertises ${name}`;
    try {
      if (!bootstrap.has(name)) await greet(broker, config);
      if (fromAfar && isLocal(broker.host)) {
        say(
          "warn",
          `${advertises}, which is another host's own address`,
          `set advertised.listeners of broker ${broker.id} to a name that the segment hosts know`,
        );
      } else good.push(name);
    } catch (error) {
      say(
        "fail",
        `${advertises}, which cannot be reached from here: ${whatWentWrong(error)}`,
        `start the broker, or set its advertised.listeners to what clients can reach`,
      );
    }
  }));
  if (good.length > 0) say("ok", `${good.length} of ${brokers.length} answer: ${some(good)}`);
  return true;
}
