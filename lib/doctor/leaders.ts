import type { PartitionMetadata, TopicMetadata } from "../protocol/messages/metadata.ts";
import { partitionsText, type Say, some } from "./findings.ts";

/** Looks at leaders and replicas. Returns the partitions that can be read; null if none can. */
export function checkLeaders(
  say: Say,
  { partitions }: TopicMetadata,
): PartitionMetadata[] | null {
  const sorted = partitions.toSorted((a, b) => a.partition - b.partition);
  const led = sorted.filter(({ leader }) => leader >= 0);
  const lost = sorted.filter(({ leader }) => leader < 0);
  const under = led.filter((p) => p.inSyncReplicas.length < p.replicas.length);
  const numbers = (some: PartitionMetadata[]) => partitionsText(some.map((p) => p.partition));
  if (lost.length > 0) {
    const holders = [...new Set(lost.flatMap(({ replicas }) => replicas))].toSorted();
    say(
      "fail",
      `${numbers(lost)}: no leader, so nothing there can be read or written`,
      `start the brokers that hold them: ${some(holders)}`,
    );
  }
  if (under.length > 0) {
    const missing = under.flatMap((p) => p.replicas.filter((id) => !p.inSyncReplicas.includes(id)));
    say(
      "warn",
      `${numbers(under)}: fewer replicas in sync than there should be`,
      `check brokers ${some([...new Set(missing)].toSorted())}`,
    );
  }
  if (lost.length + under.length === 0) {
    say("ok", `all ${sorted.length} partitions have a leader, and all replicas are in sync`);
  }
  return led.length > 0 ? led : null;
}
