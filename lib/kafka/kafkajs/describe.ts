import { kafkajs } from "./client.ts";
import type { ClientConfig } from "../config.ts";

/** A consumer group as its coordinator sees it. */
export interface GroupState {
  /** Kafka's word: Stable, Empty, PreparingRebalance, CompletingRebalance, or Dead: there is none. */
  state: string;
  members: { clientId: string; host: string }[];
}

/** What an administrator can tell of a group, and of the settings that decide over its offsets. */
export interface GroupSurroundings {
  group: GroupState;
  /** Settings by name; null where this user may not read them. */
  topicConfigs: ReadonlyMap<string, string> | null;
  brokerConfigs: ReadonlyMap<string, string> | null;
}

/** Kafka's numbers of what settings belong to; kafkajs' package exports them to Deno as types only. */
const resourceType = { topic: 2, broker: 4 } as const;

/** Describes a group, and reads the settings of a topic and a broker. Throws what kafkajs throws. */
export async function describeGroup(
  config: ClientConfig,
  group: string,
  topic: string,
  broker: number,
): Promise<GroupSurroundings> {
  const admin = kafkajs(config).admin({ retry: { retries: 1 } });
  await admin.connect();
  try {
    const { groups: [found] } = await admin.describeGroups([group]);
    const configs = async (type: number, name: string) => {
      try {
        const { resources: [resource] } = await admin.describeConfigs({
          includeSynonyms: false,
          resources: [{ type, name }],
        });
        return new Map(
          resource.configEntries.map((entry) => [entry.configName, entry.configValue]),
        );
      } catch {
        return null;
      }
    };
    return {
      group: {
        state: found.state,
        members: found.members.map(({ clientId, clientHost }) => ({ clientId, host: clientHost })),
      },
      topicConfigs: await configs(resourceType.topic, topic),
      brokerConfigs: await configs(resourceType.broker, `${broker}`),
    };
  } finally {
    await admin.disconnect();
  }
}
