import { Failure } from "../failure.ts";
import { type DescribedGroup, describeGroups } from "../protocol/messages/describe_groups.ts";
import { offsetFetch } from "../protocol/messages/offset_fetch.ts";
import type { Cluster } from "./cluster.ts";
import { check, LeftOutError } from "./errors.ts";
import type { Commit } from "./offsets.ts";
import { partitionName, type TopicPartition } from "./partitions.ts";
import { retry } from "./retry.ts";

/** Where a group stands in one partition: the next offset to read. */
export type StoredOffset = Commit;

/**
 * All offsets that a group has stored, by topic and partition; none if the group does not exist.
 * The cluster must have been opened with findCoordinator and offsetFetch. Throws Failure.
 */
export async function groupOffsets(cluster: Cluster, group: string): Promise<StoredOffset[]> {
  return await retry(cluster.config, async () => {
    const failed = `cannot read the offsets of group "${group}"`;
    const connection = await cluster.coordinator(group);
    const answer = await connection.call(offsetFetch, { group, topics: null });
    check(failed, answer.errorCode);
    const stored: StoredOffset[] = [];
    for (const { topic, partitions } of answer.topics) {
      for (const { partition, offset, leaderEpoch, metadata, errorCode } of partitions) {
        check(`${failed} for ${partitionName({ topic, partition })}`, errorCode);
        if (offset >= 0) {
          stored.push({ topic, partition, offset, leaderEpoch, metadata });
        }
      }
    }
    return stored.sort(byName);
  });
}

/** The order of lists: topics by their names' code units, as every machine sorts them. */
export function byName(a: TopicPartition, b: TopicPartition): number {
  if (a.topic !== b.topic) return a.topic < b.topic ? -1 : 1;
  return a.partition - b.partition;
}

/** A consumer group as its coordinator sees it. */
export type GroupState = Pick<DescribedGroup, "state" | "members">;

/**
 * A group's state and its live members; one that does not exist is Dead. The cluster must have been
 * opened with findCoordinator. Throws Failure.
 */
export async function groupState(cluster: Cluster, group: string): Promise<GroupState> {
  const failed = `cannot read the members of group "${group}"`;
  return await retry(cluster.config, async () => {
    const connection = await cluster.coordinator(group);
    if (!connection.accepts(describeGroups)) {
      throw new Failure("broker", `${failed}: ${connection.name} does not accept DescribeGroups`);
    }
    const { groups } = await connection.call(describeGroups, { groups: [group] });
    const found = groups.find((one) => one.group === group);
    if (!found) throw new LeftOutError(failed, connection.name, "the group");
    check(failed, found.errorCode);
    const { state, members } = found;
    return {
      state,
      members: members.map((member) => ({ ...member, host: member.host.replace(/^\//, "") })),
    };
  });
}

/**
 * Whether a group's members are not known: of a group of Kafka 4's own consumer protocol (KIP-848,
 * `group.protocol=consumer`) DescribeGroups says that it is dead, though it keeps offsets. Its
 * coordinator refuses what comes from outside while it has live members, all the same.
 */
export function isHidden({ state }: GroupState, hasOffsets: boolean): boolean {
  return state === "Dead" && hasOffsets;
}

/** `client "c" at 10.0.0.1 (id m-1), client …`: members as messages name them. */
export function memberNames(members: GroupState["members"]): string {
  return members.map(({ id, client, host }) => `client "${client}" at ${host} (id ${id})`)
    .join(", ");
}
