import { launchCluster } from "./cluster.ts";
import {
  type Broker,
  type BrokerOptions,
  environment,
  type KafkaVersion,
  kafkaVersions,
} from "./options.ts";
import { runTool, toolCommandLine } from "./run.ts";
import { findToolbox } from "./toolbox.ts";
import { Failure } from "../../../lib/failure.ts";

/** Starts a cluster in a folder of its own, which goes away with it. */
export async function ownBroker(options: BrokerOptions): Promise<Broker> {
  const version = options.version ?? defaultVersion();
  const toolbox = await findToolbox(version);
  const folder = await Deno.makeTempDir({ prefix: "gpdb-kafka-broker-" });
  const cluster = await launchCluster({ ...options, version, toolbox, folder }).catch(
    async (error) => {
      // The folder stays when the message names a log in it.
      if (!String(error).includes(folder)) await Deno.remove(folder, { recursive: true });
      throw error;
    },
  );
  return {
    bootstrap: cluster.listeners.PLAINTEXT,
    listeners: cluster.listeners,
    version,
    way: toolbox.way,
    nodes: cluster.nodes,
    folder,
    classpath: Promise.resolve(toolbox.classpath),
    run: (className, args, run) => runTool(toolbox, folder, className, args, run),
    commandLine: (className, args, run) =>
      Promise.resolve(toolCommandLine(toolbox, folder, className, args, run)),
    async [Symbol.asyncDispose]() {
      // Its data go with it, so a controlled shutdown would only take time.
      await Promise.all(cluster.nodes.map((node) => node.kill()));
      if (Deno.env.get(environment.keep)) console.error(`Kept the broker's folder ${folder}`);
      else await Deno.remove(folder, { recursive: true });
    },
  };
}

export function defaultVersion(): KafkaVersion {
  const wanted = Deno.env.get(environment.version) || kafkaVersions[0];
  const known = kafkaVersions.find((version) => version === wanted);
  if (known) return known;
  const all = kafkaVersions.join(" or ");
  throw new Failure("usage", `Cannot use Kafka "${wanted}" (${environment.version}): ${all}`);
}
