import { Buffer } from "node:buffer";
import { type Assigner, AssignerProtocol, type Cluster } from "kafkajs";

/** What members of a group offer each other: one that offers something else is not let in. */
const NAME = "gpdb-kafka";

export interface Subscriber {
  id: string;
  topics: readonly string[];
}

/**
 * The assigner of our groups. kafkajs' own gives the partitions of the leader's topics to all
 * members, subscribed or not, and those of other topics to none: they would not be read. It is also
 * the way to kafkajs' cluster, which `onCluster` gets.
 */
export function assigner(onCluster: (cluster: Cluster) => void) {
  return ({ cluster }: { cluster: Cluster }): Assigner => {
    onCluster(cluster);
    return {
      name: NAME,
      version: 0,
      protocol: ({ topics }) => ({
        name: NAME,
        metadata: AssignerProtocol.MemberMetadata.encode({
          version: 0,
          topics,
          userData: Buffer.alloc(0),
        }),
      }),
      async assign({ members }) {
        const subscribers = members.map(({ memberId, memberMetadata }) => ({
          id: memberId,
          topics: AssignerProtocol.MemberMetadata.decode(memberMetadata)!.topics,
        }));
        const partitions = new Map<string, number[]>();
        for (const topic of new Set(subscribers.flatMap(({ topics }) => topics))) {
          partitions.set(topic, await partitionsOf(cluster, topic));
        }
        return [...share(subscribers, partitions)].map(([memberId, assignment]) => ({
          memberId,
          memberAssignment: AssignerProtocol.MemberAssignment.encode({
            version: 0,
            assignment,
            userData: Buffer.alloc(0),
          }),
        }));
      },
    };
  };
}

/** Shares partitions so that each goes to the subscriber of its topic that has the fewest yet. */
export function share(
  subscribers: readonly Subscriber[],
  partitions: ReadonlyMap<string, readonly number[]>,
): Map<string, Record<string, number[]>> {
  const sorted = subscribers.toSorted((a, b) => a.id < b.id ? -1 : 1);
  const shares = new Map<string, Record<string, number[]>>(sorted.map(({ id }) => [id, {}]));
  const counts = new Map(sorted.map(({ id }) => [id, 0]));
  for (const topic of [...partitions.keys()].toSorted()) {
    const takers = sorted.filter(({ topics }) => topics.includes(topic));
    for (const partition of partitions.get(topic)!) {
      const { id } = takers.reduce((a, b) => counts.get(b.id)! < counts.get(a.id)! ? b : a);
      counts.set(id, counts.get(id)! + 1);
      (shares.get(id)![topic] ??= []).push(partition);
    }
  }
  return shares;
}

/** A topic's partitions; none if it was deleted. A topic that may not be seen is an error. */
async function partitionsOf(cluster: Cluster, topic: string): Promise<number[]> {
  try {
    await cluster.addMultipleTargetTopics([topic]);
  } catch (error) {
    if ((error as { type?: string }).type === "UNKNOWN_TOPIC_OR_PARTITION") return [];
    throw error;
  }
  return cluster.findTopicPartitionMetadata(topic).map(({ partitionId }) => partitionId)
    .sort((a, b) => a - b);
}
