import type { Cluster } from "../kafka/cluster.ts";
import { UnknownTopic } from "../kafka/errors.ts";
import type { TopicMetadata } from "../protocol/messages/metadata.ts";
import { similar } from "../text.ts";
import { type Say, some } from "./findings.ts";

/** Finds the topic. Null if there is none to be read. */
export async function checkTopic(
  say: Say,
  cluster: Cluster,
  topic: string,
): Promise<TopicMetadata | null> {
  const found = await cluster.topic(topic).catch((error) => {
    if (!(error instanceof UnknownTopic)) throw error;
    const { visible } = error;
    const near = similar(topic, visible);
    say(
      "fail",
      `topic "${topic}" does not exist, or this user may not describe it (UNKNOWN_TOPIC_OR_PARTITION); ` +
        `${visible.length} other topics are visible` +
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
