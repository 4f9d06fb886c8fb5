/**
 * kafkajs with our configuration, for group membership and administration: what is not worth a
 * protocol of its own. Import this module lazily: kafkajs costs a start 100 ms and more.
 */
import "../../node_warnings.ts";
import { Kafka, type KafkaConfig, logLevel, type SASLOptions } from "kafkajs";
import { addressName, type ClientConfig, parseAddress, type SaslConfig } from "../config.ts";
import { tlsSockets } from "./socket.ts";
import "./timers.ts";

/** A client that reaches the same cluster by the same means as ours. It logs nothing. */
export function kafkajs(config: ClientConfig): Kafka {
  return new Kafka(kafkajsConfig(config));
}

/** Our configuration in kafkajs' terms, https://kafka.js.org/docs/configuration. */
export function kafkajsConfig(config: ClientConfig): KafkaConfig {
  const { brokers, clientId, timeout, tls, sasl } = config;
  return {
    // kafkajs does not accept an address without a port.
    brokers: brokers.map((broker) => addressName(parseAddress(broker)!)),
    clientId,
    connectionTimeout: timeout,
    authenticationTimeout: timeout,
    requestTimeout: timeout,
    logLevel: logLevel.NOTHING,
    ...(tls ? { ssl: true, socketFactory: tlsSockets(config) } : {}),
    ...(sasl ? { sasl: saslOptions(sasl) } : {}),
  };
}

function saslOptions(sasl: SaslConfig): SASLOptions {
  if (sasl.mechanism === "OAUTHBEARER") {
    return {
      mechanism: "oauthbearer",
      oauthBearerProvider: async () => ({
        value: (await sasl.token()).reveal(),
        extensions: sasl.extensions,
      }),
    };
  }
  const { mechanism, username, password } = sasl;
  const credentials = { username, password: password.reveal() };
  if (mechanism === "PLAIN") return { mechanism: "plain", ...credentials };
  if (mechanism === "SCRAM-SHA-256") return { mechanism: "scram-sha-256", ...credentials };
  return { mechanism: "scram-sha-512", ...credentials };
}
