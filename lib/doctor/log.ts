import type { Cluster } from "../kafka/cluster.ts";
import { type LogOfPartition, readLogs } from "../kafka/logs.ts";
import type { PartitionMetadata } from "../protocol/messages/metadata.ts";
import { partitionsText, type Say } from "./findings.ts";

/** Where the partitions start and end, and whether an open transaction holds readers back. */
export async function checkLog(
  say: Say,
  cluster: Cluster,
  topic: string,
  led: readonly PartitionMetadata[],
): Promise<LogOfPartition[]> {
  const items = led.map(({ partition }) => ({ topic, partition }));
  const found = await readLogs(cluster, items);
  const logs = items.map((item, i) => ({ ...item, ...found[i] }));
  const held = logs.filter((log) => log.stable < log.high);
  if (held.length > 0) {
    say(
      "warn",
      `${partitionsText(held.map((log) => log.partition))}: an open transaction hides ` +
        `${held.reduce((sum, log) => sum + log.high - log.stable, 0)} offsets from readers`,
      "if it stays open, its producer hangs: see kafka-transactions.sh find-hanging",
    );
  }
  const total = logs.reduce((sum, log) => sum + log.high - log.start, 0);
  const deleted = logs.filter((log) => log.start > 0).length;
  say(
    "ok",
    `the topic has ${total} offsets` +
      (deleted > 0
        ? `; ${deleted} of ${logs.length} partitions have already deleted their oldest records`
        : ""),
  );
  return logs;
}
