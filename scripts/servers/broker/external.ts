import { Failure } from "../../../lib/failure.ts";
import { writeLoggingFiles } from "./logging.ts";
import { type Broker, environment, type RunOptions } from "./options.ts";
import { defaultVersion } from "./own.ts";
import { askCluster } from "./ready.ts";
import { runTool, toolCommandLine } from "./run.ts";
import { findToolbox, type Toolbox } from "./toolbox.ts";

/** The broker that KAFKA_BROKERS names. It is neither ended nor cleaned up by us. */
export async function externalBroker(bootstrap: string): Promise<Broker> {
  await checkReachable(bootstrap);
  const version = defaultVersion();
  const folder = await Deno.makeTempDir({ prefix: "gpdb-kafka-broker-" });
  // Most tests need no tool of Kafka's jars, so that those are looked for when one does.
  let found: Promise<Toolbox> | undefined;
  const toolbox = () => found ??= writeLoggingFiles(folder).then(() => findToolbox(version));
  return {
    bootstrap,
    listeners: { PLAINTEXT: bootstrap },
    version,
    way: environment.brokers,
    get nodes(): never {
      throw new Failure(
        "broker",
        `Cannot start or kill the nodes of a broker that ${environment.brokers} names; ` +
          "ask for startBroker({ own: true })",
      );
    },
    folder,
    get classpath() {
      return toolbox().then((tools) => tools.classpath);
    },
    async run(className: string, args: string[], options?: RunOptions) {
      return await runTool(await toolbox(), folder, className, args, options);
    },
    async commandLine(className: string, args: string[], options?: RunOptions) {
      return toolCommandLine(await toolbox(), folder, className, args, options);
    },
    async [Symbol.asyncDispose]() {
      await Deno.remove(folder, { recursive: true });
    },
  };
}

async function checkReachable(bootstrap: string): Promise<void> {
  const reasons: string[] = [];
  for (const address of bootstrap.split(",").map((part) => part.trim()).filter(Boolean)) {
    const parts = address.match(/^\[?(.+?)\]?(?::(\d+))?$/);
    try {
      await askCluster(parts?.[1] ?? address, Number(parts?.[2] ?? 9092));
      return;
    } catch (error) {
      reasons.push(`${address}: ${error instanceof Error ? error.message : error}`);
    }
  }
  throw new Failure(
    "broker",
    `Cannot use the broker that ${environment.brokers} names: ${reasons.join("; ")}`,
  );
}
