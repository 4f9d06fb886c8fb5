import type { Cluster } from "../kafka/cluster.ts";
import { byName, groupOffsets } from "../kafka/groups.ts";
import { logChanges, UNCHANGED } from "../kafka/log_changes.ts";
import type { SourcePlaces } from "../load/source.ts";
import { nothingStored } from "./change.ts";
import { readLogsIfAny } from "../kafka/logs.ts";
import { allPartitions, partitionName, type TopicPartition } from "../kafka/partitions.ts";
import type { LagSample } from "./lag.ts";

/**
 * Where a group stands now, in all partitions of these topics; without any, of those in which it
 * has stored an offset. The group is not joined. `asked` is where the database stands, with topics
 * of its own. Throws Failure.
 */
export async function readLag(
  cluster: Cluster,
  group: string,
  topics: readonly string[],
  asked: Promise<SourcePlaces> | null,
): Promise<LagSample> {
  asked?.catch(() => {}); // What fails in Kafka is the better reason: the database asks it, too.
  const stored = await groupOffsets(cluster, group);
  const chosen = topics.length > 0
    ? topics
    : asked
    ? (await asked).topics
    : [...new Set(stored.map(({ topic }) => topic))];
  if (chosen.length === 0) throw nothingStored(group);
  const known = stored.filter(({ topic }) => chosen.includes(topic));
  const items = withAll(await allPartitions(cluster, chosen), known);
  const [logs, changes] = await Promise.all([
    readLogsIfAny(cluster, items),
    logChanges(cluster, known),
  ]);
  const database = await asked;
  const inKafka = new Map(
    known.map((item, i) => [partitionName(item), { ...item, change: changes[i] }]),
  );
  return {
    time: Date.now(),
    points: items.map((item, i) => ({
      ...item,
      log: logs[i],
      stored: inKafka.get(partitionName(item))?.offset ?? null,
      change: inKafka.get(partitionName(item))?.change ?? UNCHANGED,
      database: database?.places.get(partitionName(item)) ?? null,
    })),
  };
}

/** The partitions there are, and those that a group has stored an offset of and that are gone. */
function withAll(
  there: readonly TopicPartition[],
  stored: readonly TopicPartition[],
): TopicPartition[] {
  const names = new Set(there.map(partitionName));
  const gone = stored.filter((item) => !names.has(partitionName(item)));
  return [...there, ...gone.map(({ topic, partition }) => ({ topic, partition }))].sort(byName);
}
