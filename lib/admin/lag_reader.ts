import type { Cluster } from "../kafka/cluster.ts";
import { groupOffsets } from "../kafka/groups.ts";
import { nothingStored } from "./change.ts";
import type { SourcePlace } from "./database.ts";
import type { LagSample } from "./lag.ts";
import { partitionsOf, readLogs } from "./logs.ts";

/**
 * Where a group stands now, in all partitions of these topics; without any, of those in which it
 * has stored an offset. The group is not joined. Throws Failure.
 */
export async function readLag(
  cluster: Cluster,
  group: string,
  topics: readonly string[],
  place: SourcePlace | null,
): Promise<LagSample> {
  const stored = await groupOffsets(cluster, group);
  const chosen = topics.length > 0 ? topics : [...new Set(stored.map(({ topic }) => topic))];
  if (chosen.length === 0) throw nothingStored(group);
  const items = await partitionsOf(cluster, chosen);
  const logs = await readLogs(cluster, items);
  const offsets = new Map(stored.map((s) => [`${s.topic}/${s.partition}`, s.offset]));
  return {
    time: Date.now(),
    points: items.map((item, i) => ({
      ...item,
      log: logs[i],
      stored: offsets.get(`${item.topic}/${item.partition}`) ?? null,
      database: place?.offsets.get(item.partition) ?? null,
    })),
  };
}
