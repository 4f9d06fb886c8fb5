import type { ISocketFactory } from "kafkajs";
import { type ClientConfig, parseAddress } from "../config.ts";
import { openSocket } from "../socket.ts";
import { SocketStream } from "../socket_stream.ts";

/**
 * Connections for kafkajs, made as our own are: to every address of a host, and to IPv6 addresses
 * of one interface (`fe80::1%eth0`), which node:net does not know; with TLS the same trust, the
 * same words when it fails, and client certificates on Deno 2.4 too, whose node:tls does not show
 * them.
 */
export function sockets(config: ClientConfig): ISocketFactory {
  const seeds = new Map(config.brokers.map((broker) => {
    const { host } = parseAddress(broker)!;
    return [withoutColons(host), host];
  }));
  return ({ host, port, onConnect }) => {
    const address = { host: seeds.get(host) ?? host, port };
    const socket = new SocketStream(openSocket(address, config));
    socket.once("connect", onConnect);
    return socket as unknown as ReturnType<ISocketFactory>;
  };
}

/**
 * A bootstrap address as kafkajs reads it: with a port, and without colons in the host, for it
 * takes what is between the first two as the port. {@link sockets} knows the host.
 */
export function seedName(broker: string): string {
  const { host, port } = parseAddress(broker)!;
  return `${withoutColons(host)}:${port}`;
}

function withoutColons(host: string): string {
  return host.replaceAll(":", "_");
}
