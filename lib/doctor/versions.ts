import type { Api } from "../protocol/messages/api.ts";
import { fetch } from "../protocol/messages/fetch.ts";
import { findCoordinator } from "../protocol/messages/find_coordinator.ts";
import { initProducerId } from "../protocol/messages/init_producer_id.ts";
import { listOffsets } from "../protocol/messages/list_offsets.ts";
import { metadata } from "../protocol/messages/metadata.ts";
import { offsetCommit } from "../protocol/messages/offset_commit.ts";
import { offsetFetch } from "../protocol/messages/offset_fetch.ts";
import { offsetForLeaderEpoch } from "../protocol/messages/offset_for_leader_epoch.ts";
import { produce } from "../protocol/messages/produce.ts";
import { saslAuthenticate, saslHandshake } from "../protocol/messages/sasl.ts";
import { type Say, some } from "./findings.ts";
import type { Greeting } from "./greeting.ts";

/** All requests that consumer and producer send. */
const used: readonly Api<never, unknown>[] = [
  ...[metadata, fetch, listOffsets, findCoordinator, offsetFetch, offsetCommit],
  ...[offsetForLeaderEpoch, produce, initProducerId],
];

/** What can be done without a request. */
const without = new Map<Api<never, unknown>, string>([
  [offsetForLeaderEpoch, "a log that an unclean leader election has cut is not noticed"],
  [initProducerId, "use kafka_producer --no-idempotence"],
]);

/** Compares what the brokers take with what is sent. */
export function checkVersions(say: Say, greetings: readonly Greeting[], withSasl: boolean): void {
  const needed = withSasl ? [...used, saslHandshake, saslAuthenticate] : used;
  let fits = true;
  let missing = 0;
  for (const { address, ranges } of greetings) {
    const lacks = needed.flatMap((api) => {
      const { name, key, version, older } = api;
      const range = ranges.find((one) => one.key === key);
      const fits = (version: number) => range && range.min <= version && version <= range.max;
      if (fits(version)) return [];
      if (older && fits(older.version)) {
        missing++;
        say(
          "ok",
          `${address} is asked with ${name} ${older.version}, for it accepts no ${version}`,
        );
        return [];
      }
      const has = range ? `${range.min} to ${range.max}` : "none";
      const lack = `${name} ${version} (it accepts ${has})`;
      const todo = without.get(api);
      if (todo === undefined) return [lack];
      missing++;
      say("warn", `${address} does not accept ${lack}`, todo);
      return [];
    });
    if (lacks.length === 0) continue;
    fits = false;
    say("fail", `${address} does not accept ${some(lacks)}`, "Kafka 2.1 or later is required");
  }
  if (!fits || missing > 0) return;
  const shown = [fetch, produce].map(({ name, key, version }) => {
    const range = greetings[0].ranges.find((one) => one.key === key);
    return `${name} ${version} of ${range?.min} to ${range?.max}`;
  });
  say(
    "ok",
    `all ${needed.length} requests that this program uses are accepted (${shown.join(", ")})`,
  );
}
