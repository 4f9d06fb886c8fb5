import type { Cluster } from "../kafka/cluster.ts";
import { type GroupState, isHidden, memberNames, type StoredOffset } from "../kafka/groups.ts";
import { logChanges } from "../kafka/log_changes.ts";
import { readLogsIfAny } from "../kafka/logs.ts";
import { allPartitions } from "../kafka/partitions.ts";
import { plain } from "../text.ts";
import { behind } from "./behind.ts";
import { endColumns } from "./end_columns.ts";
import { table } from "./table.ts";

/** Who is in a group, and where it stands in each partition beside the log. Throws Failure. */
export async function offsetsText(
  cluster: Cluster,
  stored: readonly StoredOffset[],
  group: string,
  state: GroupState,
): Promise<string> {
  await allPartitions(cluster, [...new Set(stored.map(({ topic }) => topic))]);
  const [logs, changes] = await Promise.all([
    readLogsIfAny(cluster, stored),
    logChanges(cluster, stored),
  ]);
  const ends = endColumns(logs);
  const rows = stored.map(({ topic, partition, offset }, i) => {
    const { lag, note } = behind(offset, logs[i], changes[i]);
    return [topic, partition, offset, logs[i].start, ...ends.cells(logs[i]), lag, note];
  });
  return `group "${group}": ${who(state)}\n\n` +
    table(["TOPIC", "PARTITION", "STORED", "START", ...ends.header, "LAG", ""], rows);
}

/** Of a group that has stored offsets. */
function who(group: GroupState): string {
  if (isHidden(group, true)) {
    return "of the protocol group.protocol=consumer, which hides its members";
  }
  const { state, members } = group;
  return `${state}, ${members.length > 0 ? plain(memberNames(members)) : "no members"}`;
}
