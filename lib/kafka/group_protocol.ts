import { Failure } from "../failure.ts";
import { GROUP_ID_NOT_FOUND, isRetriable } from "../protocol/error_codes.ts";
import {
  CONSUMER_MEMBER,
  consumerGroupDescribe,
} from "../protocol/messages/consumer_group_describe.ts";
import type { Cluster } from "./cluster.ts";
import { BrokerError } from "./errors.ts";
import { memberNames } from "./groups.ts";
import { retry } from "./retry.ts";

/**
 * Throws Failure if a group has live members of Kafka 4's new protocol (KIP-848): the brokers let
 * members of the classic one in beside them, and share the partitions among both without a word.
 * Brokers before Kafka 4.0 cannot be asked, and have no such groups by default. The cluster must
 * have been opened with findCoordinator.
 */
export async function checkClassic(cluster: Cluster, group: string): Promise<void> {
  const members = await retry(cluster.config, async () => {
    const connection = await cluster.coordinator(group);
    if (!connection.accepts(consumerGroupDescribe)) return [];
    const { groups: [found] } = await connection.call(consumerGroupDescribe, { group });
    const code = found?.errorCode ?? GROUP_ID_NOT_FOUND;
    if (code === 0) return found.members.filter(({ type }) => type === CONSUMER_MEMBER);
    const error = new BrokerError(`cannot describe group "${group}"`, code);
    if (isRetriable(code)) throw error;
    // What it must not be asked for is said by the group itself, when it is joined.
    if (code !== GROUP_ID_NOT_FOUND) cluster.config.debug(error.message);
    return [];
  });
  if (members.length === 0) return;
  throw new Failure(
    "broker",
    `cannot join group "${group}": it uses the new consumer protocol (KIP-848, ` +
      `group.protocol=consumer), which this program does not speak: ${memberNames(members)} — ` +
      "use another group, or group.protocol=classic there",
  );
}
