import type { Api } from "./api.ts";

export interface DescribeConfigsRequest {
  /** The id of the broker that is asked. */
  broker: number;
  /** The configs wanted. */
  names: string[];
}

export interface DescribeConfigsResponse {
  errorCode: number;
  /** The broker's configs by name; one that it does not have is not among them. */
  values: Map<string, string | null>;
}

const BROKER = 4;

/**
 * DescribeConfigs (key 32) version 1, https://kafka.apache.org/protocol#The_Messages_DescribeConfigs
 * Of one broker only.
 *
 *     request  => resources [resource_type int8, resource_name string,
 *       configuration_keys ?[string]], include_synonyms boolean
 *     response => throttle_time_ms int32, results [error_code int16, error_message ?string,
 *       resource_type int8, resource_name string, configs [name string, value ?string,
 *         read_only boolean, config_source int8, is_sensitive boolean,
 *         synonyms [name string, value ?string, source int8]]]
 */
export const describeConfigs: Api<DescribeConfigsRequest, DescribeConfigsResponse> = {
  name: "DescribeConfigs",
  key: 32,
  version: 1,
  encode(writer, { broker, names }) {
    writer.int32(1).int8(BROKER).string(String(broker));
    writer.array(names, (name, w) => w.string(name));
    writer.boolean(false);
  },
  decode(reader) {
    reader.throttleTime();
    let errorCode = 0;
    const values = new Map<string, string | null>();
    reader.array((r) => {
      errorCode = r.int16();
      r.nullableString();
      r.int8();
      r.string();
      r.array((config) => {
        values.set(config.string(), config.nullableString());
        config.boolean();
        config.int8();
        config.boolean();
        config.array((synonym) => {
          synonym.string();
          synonym.nullableString();
          synonym.int8();
        });
      });
    });
    return { errorCode, values };
  },
};
