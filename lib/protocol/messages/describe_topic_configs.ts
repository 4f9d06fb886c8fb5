import type { Api } from "./api.ts";

/** A config of a topic. */
export interface TopicConfig {
  name: string;
  /** Null if it is a secret, or not set. */
  value: string | null;
  /** Set for this topic, not taken from the brokers. */
  own: boolean;
}

const TOPIC = 2;

/** The source of what was set for the topic itself. */
const TOPIC_CONFIG = 1;

/** DescribeConfigs as in describe_configs.ts, all configs of one topic. */
export const describeTopicConfigs: Api<
  { topic: string },
  { errorCode: number; errorMessage: string | null; configs: TopicConfig[] }
> = {
  name: "DescribeConfigs",
  key: 32,
  version: 1,
  encode(writer, { topic }) {
    writer.int32(1).int8(TOPIC).string(topic).int32(-1).boolean(false);
  },
  decode(reader) {
    reader.throttleTime();
    let [errorCode, errorMessage]: [number, string | null] = [0, null];
    const configs: TopicConfig[] = [];
    reader.array((r) => {
      errorCode = r.int16();
      errorMessage = r.nullableString();
      r.int8();
      r.string();
      r.array((config) => {
        const [name, value] = [config.string(), config.nullableString()];
        config.boolean();
        const own = config.int8() === TOPIC_CONFIG;
        configs.push({ name, value: config.boolean() ? null : value, own });
        config.array((synonym) => {
          synonym.string();
          synonym.nullableString();
          synonym.int8();
        });
      });
    });
    configs.sort((a, b) => a.name < b.name ? -1 : 1);
    return { errorCode, errorMessage, configs };
  },
};
