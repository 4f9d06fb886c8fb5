import type { Cluster } from "../kafka/cluster.ts";
import { retry } from "../kafka/retry.ts";
import { inWords, type Say, some } from "./findings.ts";

/** What is to be known of a group when its offsets are judged. */
export interface GroupFindings {
  /** The topic's retention.ms; null where it is unknown, or records are kept for ever. */
  retention: number | null;
}

/** Whether the group's offsets can be committed, and how long they are kept. */
export async function checkGroup(
  say: Say,
  cluster: Cluster,
  group: string,
  topic: string,
  broker: number,
): Promise<GroupFindings> {
  // The first use of groups in a cluster makes the topic that keeps them, which takes a while.
  await retry(cluster.config, () => cluster.coordinator(group));
  // Loaded only where it is used: it brings kafkajs.
  const { describeGroup } = await import("../kafka/kafkajs/describe.ts");
  const found = await describeGroup(cluster.config, group, topic, broker);
  const { state, members } = found.group;
  if (members.length > 0) {
    const clients = [...new Set(members.map(({ clientId, host }) => `${clientId} on ${host}`))];
    say(
      "warn",
      `group "${group}" has ${members.length} live members (${some(clients, 3)}): ` +
        "kafka_consumer can't commit beside them",
      "use a --group of its own, or --assign group to share the partitions with them",
    );
  } else {
    const minutes = Number(found.brokerConfigs?.get("offsets.retention.minutes") ?? NaN);
    const kept = Number.isNaN(minutes)
      ? "offsets.retention.minutes, 7 days unless it was changed"
      : `${inWords(minutes * 60_000)} (offsets.retention.minutes)`;
    say(
      "ok",
      state === "Dead" ? `group "${group}" does not exist yet` : `group "${group}" has no members`,
      `between loads that is always so: load more often than Kafka forgets its offsets, ${kept}`,
    );
  }
  const configs = found.topicConfigs;
  const retention = Number(configs?.get("retention.ms") ?? NaN);
  const deletes = configs?.get("cleanup.policy")?.includes("delete") ?? false;
  return { retention: deletes && retention > 0 ? retention : null };
}
