import { Failure } from "../failure.ts";
import { createTopics, type CreateTopicsRequest } from "../protocol/messages/create_topics.ts";
import { errorName, isUnfit, TOPIC_ALREADY_EXISTS } from "../protocol/error_codes.ts";
import type { Cluster } from "./cluster.ts";
import { check, LeftOutError } from "./errors.ts";
import { retry } from "./retry.ts";

/** What a topic is made of. */
export type NewTopic = CreateTopicsRequest["topics"][number];

/**
 * Creates a topic. Returns false if there is one of that name. The cluster must have been opened
 * with createTopics. Throws Failure with the broker's own words; usage if what was asked for is
 * wrong.
 */
export async function createTopic(cluster: Cluster, wanted: NewTopic): Promise<boolean> {
  const { topic } = wanted;
  const failed = `cannot create topic "${topic}"`;
  const { timeout } = cluster.config;
  return await retry(cluster.config, async () => {
    const { controllerId } = await cluster.refresh([]);
    const controller = await cluster.broker(controllerId);
    const answer = await controller.call(createTopics, {
      topics: [wanted],
      // Before our own deadline, so that a controller that waits in vain can say so.
      timeout: Math.ceil(timeout / 2),
    });
    const found = answer.find((one) => one.topic === topic);
    if (!found) throw new LeftOutError(failed, controller.name, "the topic");
    const { errorCode, errorMessage } = found;
    if (errorCode === TOPIC_ALREADY_EXISTS) return false;
    if (isUnfit(errorCode)) {
      const says = errorMessage ? `: ${errorMessage}` : "";
      throw new Failure("usage", `${failed}: ${errorName(errorCode)}${says}`);
    }
    check(failed, errorCode, errorMessage);
    return true;
  });
}
