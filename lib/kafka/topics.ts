import { Failure } from "../failure.ts";
import { createTopics, type CreateTopicsRequest } from "../protocol/messages/create_topics.ts";
import {
  describeTopicConfigs,
  type TopicConfig,
} from "../protocol/messages/describe_topic_configs.ts";
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

/**
 * A topic's configs, by name. The cluster must have been opened with describeTopicConfigs. Throws
 * Failure.
 */
export async function topicConfigs(cluster: Cluster, topic: string): Promise<TopicConfig[]> {
  return await retry(cluster.config, async () => {
    const { brokers } = await cluster.refresh([]);
    const broker = await cluster.broker(brokers[0].id);
    const failed = `cannot read the configs of topic "${topic}"`;
    if (!broker.accepts(describeTopicConfigs)) {
      throw new Failure("broker", `${failed}: ${broker.name} does not accept DescribeConfigs`);
    }
    const answer = await broker.call(describeTopicConfigs, { topic });
    check(failed, answer.errorCode, answer.errorMessage);
    return answer.configs;
  });
}
