/**
 * kafkajs with our configuration, for group membership and administration: what is not worth a
 * protocol of its own. Import this module lazily: kafkajs costs a start 100 ms and more.
 */
import "../../node_warnings.ts";
import { Buffer } from "node:buffer";
import { Kafka, type KafkaConfig, logLevel, type Mechanism as KafkajsMechanism } from "kafkajs";
import { Failure } from "../../failure.ts";
import { addressName, type ClientConfig, type SaslConfig } from "../config.ts";
import { ConnectionError } from "../connection_error.ts";
import { PREPARATION } from "../sasl/authenticate.ts";
import { rejected, SaslError } from "../sasl/mechanism.ts";
import { newMechanism } from "../sasl/new_mechanism.ts";
import { seedName, sockets } from "./socket.ts";
import "./timers.ts";

/** A client that reaches the same cluster by the same means as ours. It logs nothing. */
export function kafkajs(config: ClientConfig): Kafka {
  return new Kafka(kafkajsConfig(config));
}

/** Our configuration in kafkajs' terms, https://kafka.js.org/docs/configuration. */
export function kafkajsConfig(config: ClientConfig): KafkaConfig {
  const { brokers, clientId, timeout, tls, sasl } = config;
  return {
    brokers: brokers.map(seedName),
    clientId,
    connectionTimeout: timeout,
    authenticationTimeout: timeout,
    requestTimeout: timeout,
    logLevel: logLevel.NOTHING,
    ssl: tls !== null,
    socketFactory: sockets(config),
    ...(sasl ? { sasl: saslOptions(sasl, timeout) } : {}),
  };
}

/**
 * A login by our own mechanisms, so that each is the same everywhere. kafkajs gives and takes the
 * messages with their length before them.
 */
function saslOptions(sasl: SaslConfig, timeout: number): KafkajsMechanism {
  return {
    mechanism: sasl.mechanism,
    authenticationProvider: ({ host, port, saslAuthenticate }) => ({
      authenticate: async () => {
        const mechanism = await newMechanism(sasl, host, PREPARATION * timeout);
        const send = async (message: Uint8Array) => {
          const encoded = Buffer.alloc(4 + message.length);
          encoded.writeInt32BE(message.length);
          encoded.set(message, 4);
          const request = { encode: () => encoded };
          const response = { decode: (raw: Buffer) => raw, parse: (raw: Buffer) => raw };
          return (await saslAuthenticate({ request, response }) as Buffer).subarray(4);
        };
        try {
          let message: Uint8Array | null = await mechanism.start();
          while (message !== null) message = await mechanism.next(await send(message));
        } catch (error) {
          if (error instanceof SaslError || isRejection(error)) {
            throw again(rejected(addressName({ host, port }), mechanism, error.message), false);
          }
          if (error instanceof Failure) throw again(error, false);
          // Where a token or a ticket comes from is down.
          throw error instanceof ConnectionError ? again(error, true) : error;
        } finally {
          mechanism.close?.();
        }
      },
    }),
  };
}

/** Whether kafkajs may try again: some parts of it do unless they are told, others do not. */
function again(error: Error, retriable: boolean): Error {
  return Object.assign(error, { retriable });
}

/** Whether it is a broker's error code, as kafkajs throws it: SASL_AUTHENTICATION_FAILED. */
function isRejection(error: unknown): error is Error {
  return error instanceof Error && (error as { code?: unknown }).code === 58;
}
