import { join } from "node:path";
import { Failure } from "../../../lib/failure.ts";
import { writeLoggingFiles } from "./logging.ts";
import { KafkaNode, nodeFolder, PortTaken } from "./node.ts";
import type { BrokerOptions, KafkaVersion } from "./options.ts";
import { freePorts } from "./ports.ts";
import { type Ports, propertiesText, serverProperties } from "./properties.ts";
import { runTool } from "./run.ts";
import { QUICK_START, type Toolbox } from "./toolbox.ts";

export interface Cluster {
  nodes: KafkaNode[];
  listeners: Record<string, string>;
}

export interface ClusterSettings extends BrokerOptions {
  toolbox: Toolbox;
  folder: string;
  version: KafkaVersion;
  preferredPorts?: number[];
}

/** Between our look for a free port and the broker's use of it, another program may take it. */
const attempts = 3;

/** Sets up and starts a cluster's nodes; returns when each of them knows all of them. */
export async function launchCluster(settings: ClusterSettings): Promise<Cluster> {
  for (let attempt = 1;; attempt++) {
    const ports = choosePorts(settings);
    const nodes = await setUp(settings, ports);
    const all = (ids: number[]) => ids.length === nodes.length;
    const started = await Promise.allSettled(nodes.map((node) => node.launch(all)));
    const failures = started.filter((one) => one.status === "rejected").map((one) => one.reason);
    if (failures.length === 0) return { nodes, listeners: bootstraps(ports) };
    await Promise.all(nodes.map((node) => node.kill()));
    if (attempt === attempts || !failures.some((failure) => failure instanceof PortTaken)) {
      throw failures[0];
    }
    for (const node of nodes) {
      await Deno.remove(nodeFolder(settings.folder, node.id), { recursive: true });
    }
  }
}

function choosePorts(settings: ClusterSettings): Ports[] {
  const nodes = settings.nodes ?? 1;
  const names = ["PLAINTEXT", "CONTROLLER", ...Object.keys(settings.listeners ?? {})];
  const preferred = settings.preferredPorts ?? [];
  const free = freePorts(nodes * names.length, preferred);
  return Array.from({ length: nodes }, (_, node) => {
    // Name after name over the nodes: the preferred ports go to the PLAINTEXT listeners.
    return Object.fromEntries(names.map((name, index) => [name, free[index * nodes + node]]));
  });
}

function bootstraps(ports: Ports[]): Record<string, string> {
  const names = Object.keys(ports[0]).filter((name) => name !== "CONTROLLER");
  return Object.fromEntries(
    names.map((name) => [name, ports.map((node) => `127.0.0.1:${node[name]}`).join(",")]),
  );
}

async function setUp(settings: ClusterSettings, ports: Ports[]): Promise<KafkaNode[]> {
  const { folder, toolbox } = settings;
  await writeLoggingFiles(folder);
  const clusterId = newClusterId();
  return await Promise.all(ports.map(async (nodePorts, index) => {
    const id = index + 1;
    const own = nodeFolder(folder, id);
    await Deno.mkdir(own, { recursive: true });
    const file = join(own, "server.properties");
    await Deno.writeTextFile(file, propertiesText(serverProperties(id, ports, own, settings)));
    const format = ["format", "-t", clusterId, "-c", file, ...settings.storageFormatArgs ?? []];
    const formatted = await runTool(toolbox, folder, "kafka.tools.StorageTool", format);
    if (formatted.code !== 0) {
      const why = formatted.stderr.trim().split("\n").find((line) => line !== "") ?? "no reason";
      throw new Failure("broker", `Cannot format the data folder of Kafka's node ${id}: ${why}`);
    }
    const port = nodePorts.PLAINTEXT;
    const { heap = "1g", jvm = [], steady = false } = settings;
    const compiler = steady ? [] : [QUICK_START];
    return new KafkaNode({
      ...{ id, port, folder, clusterId, heap, toolbox },
      jvm: [...compiler, ...jvm],
    });
  }));
}

/** 16 random bytes in URL-safe base 64. Only letters and digits: a tool takes
 * one that begins with `-` for an option, and a container's name takes not every character. */
function newClusterId(): string {
  for (;;) {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    const text = btoa(String.fromCharCode(...bytes));
    if (/^[A-Za-z0-9]+==$/.test(text)) return text.slice(0, 22);
  }
}
