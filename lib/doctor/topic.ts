import type { Cluster } from "../kafka/cluster.ts";
import { lookUpOffsets } from "../kafka/offsets.ts";
import { errorName, UNKNOWN_TOPIC_OR_PARTITION } from "../protocol/error_codes.ts";
import { EARLIEST, LATEST } from "../protocol/messages/list_offsets.ts";
import type { PartitionMetadata, TopicMetadata } from "../protocol/messages/metadata.ts";
import { partitionsText, type Say, some } from "./findings.ts";

/** Where a partition starts and ends. */
export interface PartitionLog {
  partition: number;
  /** The log's start. */
  earliest: number;
  /** The last stable offset: the end for a reader under read_committed. */
  stable: number;
  /** The high watermark. */
  end: number;
}

/** Finds the topic. Null if there is none to be read. */
export async function findTopic(
  say: Say,
  cluster: Cluster,
  topic: string,
): Promise<TopicMetadata | null> {
  const found = await cluster.topic(topic).catch(async (error) => {
    if (!String(error).includes(errorName(UNKNOWN_TOPIC_OR_PARTITION))) throw error;
    const { topics } = await cluster.refresh(null);
    const names = topics.filter(({ isInternal }) => !isInternal).map(({ topic }) => topic);
    const near = similar(topic, names);
    say(
      "fail",
      `topic "${topic}" does not exist, or this user may not describe it (UNKNOWN_TOPIC_OR_PARTITION); ` +
        `${names.length} other topics are visible` +
        (near.length ? `, such as ${some(near, 3)}` : ""),
      "check its name, create it (gpdb-kafka topics create), or get the right to describe it",
    );
    return null;
  });
  if (found === null) return null;
  const replicas = Math.min(...found.partitions.map((p) => p.replicas.length));
  say("ok", `topic "${topic}" has ${found.partitions.length} partitions, replication ${replicas}`);
  return found;
}

/** The names that look most like one: other case or separators, a part of it, or few other letters. */
export function similar(name: string, names: readonly string[]): string[] {
  const plain = (text: string) => text.toLowerCase().replaceAll(/[-._]/g, "");
  const wanted = plain(name);
  return names.filter((other) => {
    const one = plain(other);
    const [short, long] = one.length < wanted.length ? [one, wanted] : [wanted, one];
    return 2 * short.length >= long.length && long.includes(short) ||
      distance(one, wanted) <= Math.max(1, wanted.length >> 2);
  }).sort((a, b) => distance(plain(a), wanted) - distance(plain(b), wanted));
}

/** Levenshtein's: letters added, left out or changed. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      next[j] = Math.min(change, row[j] + 1, next[j - 1] + 1);
    }
    row = next;
  }
  return row[b.length];
}

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

/** Where the partitions start and end, and whether an open transaction holds readers back. */
export async function readLogs(
  say: Say,
  cluster: Cluster,
  topic: string,
  led: readonly PartitionMetadata[],
): Promise<PartitionLog[]> {
  const items = led.map(({ partition }) => ({ topic, partition }));
  const ask = (timestamp: number, isolation: "read_committed" | "read_uncommitted") =>
    lookUpOffsets(cluster, isolation, items.map((item) => ({ ...item, timestamp })));
  const [earliest, stable, end] = await Promise.all([
    ask(EARLIEST, "read_uncommitted"),
    ask(LATEST, "read_committed"),
    ask(LATEST, "read_uncommitted"),
  ]);
  const logs = items.map(({ partition }, i) => ({
    partition,
    earliest: earliest[i],
    stable: stable[i],
    end: end[i],
  }));
  const held = logs.filter((log) => log.stable < log.end);
  if (held.length > 0) {
    say(
      "warn",
      `${partitionsText(held.map((log) => log.partition))}: an open transaction hides ` +
        `${held.reduce((sum, log) => sum + log.end - log.stable, 0)} offsets from readers`,
      "if it stays open, its producer hangs: see kafka-transactions.sh find-hanging",
    );
  }
  const total = logs.reduce((sum, log) => sum + log.end - log.earliest, 0);
  const deleted = logs.filter((log) => log.earliest > 0).length;
  say(
    "ok",
    `the topic has ${total} offsets` +
      (deleted > 0
        ? `; ${deleted} of ${logs.length} partitions have already deleted their oldest records`
        : ""),
  );
  return logs;
}
