import { Failure } from "../failure.ts";
import type { Cluster } from "../kafka/cluster.ts";
import { type Address, addressName, type ClientConfig, parseAddress } from "../kafka/config.ts";
import { Connection } from "../kafka/connection.ts";
import type { Api } from "../protocol/messages/api.ts";
import type { VersionRange } from "../protocol/messages/api_versions.ts";
import { fetch } from "../protocol/messages/fetch.ts";
import { findCoordinator } from "../protocol/messages/find_coordinator.ts";
import { initProducerId } from "../protocol/messages/init_producer_id.ts";
import { listOffsets } from "../protocol/messages/list_offsets.ts";
import { metadata, type MetadataResponse } from "../protocol/messages/metadata.ts";
import { offsetCommit } from "../protocol/messages/offset_commit.ts";
import { offsetFetch } from "../protocol/messages/offset_fetch.ts";
import { offsetForLeaderEpoch } from "../protocol/messages/offset_for_leader_epoch.ts";
import { produce } from "../protocol/messages/produce.ts";
import { saslAuthenticate, saslHandshake } from "../protocol/messages/sasl.ts";
import { inWords, type Say, some, whatWentWrong } from "./findings.ts";

/** A broker that answered, and which versions of which requests it takes. */
export interface Greeting {
  address: string;
  ranges: readonly VersionRange[];
}

/** All requests that consumer and producer send. */
const used: readonly Api<never, unknown>[] = [
  ...[metadata, fetch, listOffsets, findCoordinator, offsetFetch, offsetCommit],
  ...[offsetForLeaderEpoch, produce, initProducerId],
];

/** Asks each bootstrap address. Returns those that answered; null if none did. */
export async function greetBootstrap(
  say: Say,
  config: ClientConfig,
): Promise<Greeting[] | null> {
  const names = [...new Set(config.brokers)];
  const greetings = await Promise.all(names.map(async (name) => {
    const address = parseAddress(name)!;
    const started = performance.now();
    try {
      const greeting = await greet(address, config);
      const how = config.tls ? "answers over TLS" : "answers";
      return { greeting, text: `${name} ${how} in ${inWords(performance.now() - started)}` };
    } catch (error) {
      return { error, text: whatWentWrong(error) };
    }
  }));
  for (const { error, text } of greetings) {
    if (error === undefined) say("ok", text);
    else say("fail", text, remedy(text));
  }
  const answered = greetings.flatMap(({ greeting }) => greeting ? [greeting] : []);
  return answered.length > 0 ? answered : null;
}

/** Connects without logging in, which every listener allows so far. */
async function greet(address: Address, config: ClientConfig): Promise<Greeting> {
  const connection = await Connection.open(address, { ...config, sasl: null }, []);
  // Not asked again: a listener that wants a login takes this question once.
  const { accepted } = connection;
  connection.close();
  return { address: addressName(address), ranges: accepted };
}

/** What to do about an address that can't be used; nothing if the error says so itself. */
function remedy(text: string): string | undefined {
  if (/refused/i.test(text)) {
    return "nothing listens there: start the broker, or correct --brokers";
  }
  if (/did not answer|no connection within/.test(text)) {
    return "check for a firewall, a broker that hangs, or a port that is not a broker's";
  }
  if (/failed to lookup|Name or service|not known|nodename/.test(text)) {
    return "correct the name, or let this host resolve it (DNS, /etc/hosts)";
  }
  return undefined;
}

/** Compares what the brokers take with what is sent. */
export function compareVersions(say: Say, greetings: readonly Greeting[], withSasl: boolean): void {
  const needed = withSasl ? [...used, saslHandshake, saslAuthenticate] : used;
  let fits = true;
  for (const { address, ranges } of greetings) {
    const lacks = needed.flatMap(({ name, key, version }) => {
      const range = ranges.find((one) => one.key === key);
      if (range && range.min <= version && version <= range.max) return [];
      const has = range ? `${range.min} to ${range.max}` : "none";
      return [`${name} ${version} (it accepts ${has})`];
    });
    if (lacks.length === 0) continue;
    fits = false;
    say("fail", `${address} does not accept ${some(lacks)}`, "Kafka 2.1 or later is required");
  }
  if (!fits) return;
  const shown = [fetch, produce].map(({ name, key, version }) => {
    const range = greetings[0].ranges.find((one) => one.key === key);
    return `${name} ${version} of ${range?.min} to ${range?.max}`;
  });
  say(
    "ok",
    `all ${needed.length} requests that this program uses are accepted (${shown.join(", ")})`,
  );
}

/** Logs in where that is configured, and asks for the cluster: a listener that wants a login says so. */
export async function logIn(
  say: Say,
  cluster: Cluster,
): Promise<MetadataResponse | null> {
  const { sasl } = cluster.config;
  try {
    const answer = await cluster.refresh([]);
    const who = sasl === null
      ? "no login is configured, and none is required"
      : sasl.mechanism === "OAUTHBEARER"
      ? "the token is accepted (OAUTHBEARER)"
      : `user "${sasl.username}" is logged in with ${sasl.mechanism}`;
    say("ok", who);
    return answer;
  } catch (error) {
    const denied = error instanceof Failure && error.kind === "denied" && sasl !== null;
    const todo = denied
      ? "check sasl.username, sasl.password and sasl.mechanism; the login was not retried"
      : undefined;
    say("fail", whatWentWrong(error), todo);
    return null;
  }
}

/**
 * Asks each broker at the address it tells its clients to use: every reader goes there, whatever
 * the bootstrap address was.
 */
export async function greetAdvertised(
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
