import { Failure } from "../failure.ts";
import type { Cluster } from "../kafka/cluster.ts";
import { groupState, isHidden, memberNames } from "../kafka/groups.ts";
import { type LogChange, logChanges } from "../kafka/log_changes.ts";
import { storedPositions } from "../kafka/offsets.ts";
import type { TopicPartition } from "../kafka/partitions.ts";
import { topicConfigs } from "../kafka/topics.ts";
import { describeConfigs } from "../protocol/messages/describe_configs.ts";
import { inWords } from "../text.ts";
import type { Say } from "./findings.ts";

/** Members named in a line. */
const MOST_MEMBERS = 3;

/** What is to be known of a group when its offsets are judged. */
export interface GroupFindings {
  /** The next offsets to read, by partition; -1 if none is stored. */
  stored: Map<number, number>;
  /** What became of the logs since. */
  changes: Map<number, LogChange>;
  /** The topic's retention.ms; null if it is not known, or records are kept for ever. */
  retention: number | null;
}

/** Whether the group's offsets can be committed, and how long they are kept. */
export async function checkGroup(
  say: Say,
  cluster: Cluster,
  group: string,
  partitions: readonly TopicPartition[],
): Promise<GroupFindings> {
  const items = partitions.map(({ topic, partition }) => ({ topic, partition }));
  const [{ topic, partition }] = items;
  const positions = (await storedPositions(cluster, group, items))
    .map((position, i) => ({ ...items[i], ...position }));
  const stored = positions.filter(({ offset }) => offset !== -1);
  const changes = await logChanges(cluster, stored);
  const broker = cluster.leader(topic, partition);
  const hasOffsets = stored.length > 0;
  return {
    stored: new Map(positions.map(({ partition, offset }) => [partition, offset])),
    changes: new Map(stored.map(({ partition }, i) => [partition, changes[i]])),
    retention: await askAdmin(say, cluster, group, topic, broker, hasOffsets),
  };
}

/** Looks at the group's members. Returns the topic's retention: without it the log alone judges. */
async function askAdmin(
  say: Say,
  cluster: Cluster,
  group: string,
  topic: string,
  broker: number,
  hasOffsets: boolean,
): Promise<number | null> {
  try {
    const state = await groupState(cluster, group);
    // Not everybody may see the configs of brokers and topics.
    const minutes = await retentionMinutes(cluster, broker).catch(() => null);
    const kept = Number(minutes) > 0 ? 60_000 * Number(minutes) : null;
    sayMembers(say, group, state, hasOffsets, kept);
    const configs = await topicConfigs(cluster, topic).catch(() => []);
    const value = (name: string) => configs.find((config) => config.name === name)?.value ?? "";
    const retention = Number(value("retention.ms"));
    return value("cleanup.policy").includes("delete") && retention > 0 ? retention : null;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    const denied = error.kind === "denied";
    say(
      "warn",
      error.message,
      denied ? "grant this user the right to describe the group" : undefined,
    );
    return null;
  }
}

/** How long a group's offsets are kept; null if the broker does not say. */
async function retentionMinutes(cluster: Cluster, broker: number): Promise<string | null> {
  const name = "offsets.retention.minutes";
  const connection = await cluster.broker(broker);
  if (!connection.accepts(describeConfigs)) return null;
  const { values } = await connection.call(describeConfigs, { broker, names: [name] });
  return values.get(name) ?? null;
}

function sayMembers(
  say: Say,
  group: string,
  state: Parameters<typeof isHidden>[0],
  hasOffsets: boolean,
  kept: number | null,
): void {
  const { members } = state;
  if (members.length > 0) {
    const more = members.length > MOST_MEMBERS ? `, and ${members.length - MOST_MEMBERS} more` : "";
    say(
      "warn",
      `group "${group}" has ${members.length} live members: ` +
        `${memberNames(members.slice(0, MOST_MEMBERS))}${more}; kafka_consumer cannot commit ` +
        "beside them",
      "use another --group, or --assign group to share the partitions with them",
    );
    return;
  }
  const time = kept === null ? "7 days, unless changed" : inWords(kept);
  const hint = `Kafka forgets the offsets of such a group after ${time} ` +
    "(offsets.retention.minutes): load more often than that";
  if (isHidden(state, hasOffsets)) {
    say("ok", `group "${group}" has offsets; its members, if any, cannot be listed`, hint);
  } else if (hasOffsets) say("ok", `group "${group}" has no live members`, hint);
  else say("ok", `group "${group}" has no live members, and no stored offsets`);
}
