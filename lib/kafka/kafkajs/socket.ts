import type { ISocketFactory } from "kafkajs";
import type { ClientConfig } from "../config.ts";
import { openSocket } from "../socket.ts";
import { SocketStream } from "../socket_stream.ts";

/**
 * TLS connections for kafkajs, made as our own are: the same trust, the same words when it fails,
 * and client certificates on Deno 2.4 too, whose node:tls does not show them.
 */
export function tlsSockets(config: ClientConfig): ISocketFactory {
  return ({ host, port, onConnect }) => {
    const socket = new SocketStream(openSocket({ host, port }, config));
    socket.once("connect", onConnect);
    return socket as unknown as ReturnType<ISocketFactory>;
  };
}
