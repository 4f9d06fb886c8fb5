import { Failure } from "../failure.ts";
import type { Cluster } from "../kafka/cluster.ts";
import { BrokerError } from "../kafka/errors.ts";
import { noLeader, type TopicPartition } from "../kafka/partitions.ts";
import { retry } from "../kafka/retry.ts";
import { initProducerId } from "../protocol/messages/init_producer_id.ts";
import type { ProducerIdentity } from "./batch.ts";

/** The producer without idempotence. */
export const ANYBODY: ProducerIdentity = { id: -1, epoch: -1 };

const CLUSTER_AUTHORIZATION_FAILED = 31;

/** Asks the leader of a partition that is written to (any broker can answer) for a producer id. */
export async function newProducer(
  cluster: Cluster,
  { topic, partition }: TopicPartition,
): Promise<ProducerIdentity> {
  const failed = "cannot get a producer id";
  let tries = 0;
  return await retry(cluster.config, async () => {
    // A broker that could not be reached may not lead any more.
    if (tries++ > 0) await cluster.refresh([topic]);
    const leader = cluster.leader(topic, partition);
    if (leader === -1) throw noLeader(`${failed} for topic "${topic}"`);
    const connection = await cluster.broker(leader);
    if (!connection.accepts(initProducerId)) {
      const why = `${connection.name} does not accept InitProducerId ${initProducerId.version}`;
      throw new Failure("broker", `${failed}: ${why} — use --no-idempotence`);
    }
    const answer = await connection.call(initProducerId, null);
    if (answer.errorCode !== 0) {
      const hint = answer.errorCode === CLUSTER_AUTHORIZATION_FAILED
        ? "the user needs the right IdempotentWrite, or use --no-idempotence"
        : null;
      throw new BrokerError(failed, answer.errorCode, hint);
    }
    return { id: answer.producerId, epoch: answer.producerEpoch };
  });
}
