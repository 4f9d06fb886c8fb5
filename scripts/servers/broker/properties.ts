import { join } from "node:path";
import type { BrokerOptions } from "./options.ts";

/** Ports of one node by listener name; PLAINTEXT and CONTROLLER are always among them. */
export type Ports = Record<string, number>;

/**
 * server.properties of one node. An odd number of nodes are controllers, so that a cluster of
 * three outlives the crash of any one of them.
 */
export function serverProperties(
  id: number,
  cluster: Ports[],
  folder: string,
  options: BrokerOptions,
): Record<string, string> {
  const nodes = cluster.length;
  const controllers = nodes % 2 === 1 ? nodes : nodes - 1;
  const ports = cluster[id - 1];
  const isController = id <= controllers;
  const protocols = { PLAINTEXT: "PLAINTEXT", ...options.listeners };
  const address = (name: string) => `${name}://127.0.0.1:${ports[name]}`;
  const clientListeners = Object.keys(protocols).map(address).join(",");
  const voters = cluster.slice(0, controllers)
    .map((voter, index) => `${index + 1}@127.0.0.1:${voter.CONTROLLER}`);
  const replicas = String(Math.min(3, nodes));
  return {
    "process.roles": isController ? "broker,controller" : "broker",
    "node.id": String(id),
    "controller.quorum.voters": voters.join(","),
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "PLAINTEXT",
    "listeners": isController ? `${clientListeners},${address("CONTROLLER")}` : clientListeners,
    "advertised.listeners": clientListeners,
    "listener.security.protocol.map": Object.entries({ ...protocols, CONTROLLER: "PLAINTEXT" })
      .map(([name, protocol]) => `${name}:${protocol}`).join(","),
    "log.dirs": join(folder, "data"),

    "auto.create.topics.enable": "false",
    "default.replication.factor": replicas,
    "offsets.topic.replication.factor": replicas,
    "transaction.state.log.replication.factor": replicas,
    "transaction.state.log.min.isr": "1",
    "share.coordinator.state.topic.replication.factor": replicas,
    "share.coordinator.state.topic.min.isr": "1",

    // Quick at what a test waits for: a group's first member, the creation of internal topics, a
    // compaction, and a crashed broker's way back (its registration lives on for a session).
    "group.initial.rebalance.delay.ms": "0",
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.num.partitions": "4",
    "log.cleaner.backoff.ms": "1000",
    "log.cleaner.dedupe.buffer.size": "16777216",
    "broker.heartbeat.interval.ms": "500",
    "broker.session.timeout.ms": "4000",
    ...options.properties,
    ...options.nodeProperties?.(id, ports),
  };
}

/** A Java properties file; a backslash in a value is the one character that needs care here. */
export function propertiesText(properties: Record<string, string>): string {
  return Object.entries(properties)
    .map(([key, value]) => `${key}=${value.replaceAll("\\", "\\\\").replaceAll("\n", "\\n")}\n`)
    .join("");
}
