import { join } from "node:path";
import { Failure } from "../../../lib/failure.ts";
import type { BrokerNode } from "./options.ts";
import { release, spawnLogged, tryRun, within } from "./process.ts";
import { waitForCluster } from "./ready.ts";
import type { Toolbox } from "./toolbox.ts";

/** Readiness, and a controlled shutdown, must be reached in this time. */
export const deadlineMs = 120_000;

export interface NodeSettings {
  id: number;
  port: number;
  /** The whole cluster's folder; the node's own is `node-ID` in it. */
  folder: string;
  clusterId: string;
  heap: string;
  jvm: readonly string[];
  toolbox: Toolbox;
}

/** The broker did not come up because another program took its port after we looked. */
export class PortTaken extends Failure {}

interface Running {
  process: Deno.ChildProcess;
  ended: Promise<Deno.CommandStatus>;
}

export class KafkaNode implements BrokerNode {
  readonly id: number;
  readonly port: number;
  readonly log: string;
  readonly #settings: NodeSettings;
  readonly #container: string | undefined;
  #running: Running | undefined;

  constructor(settings: NodeSettings) {
    this.id = settings.id;
    this.port = settings.port;
    this.log = join(nodeFolder(settings.folder, settings.id), "kafka.log");
    this.#settings = settings;
    if (settings.toolbox.way === "Docker") {
      this.#container = `gpdb-kafka-${settings.clusterId}-${settings.id}`;
    }
  }

  get pid(): number | undefined {
    return this.#running?.process.pid;
  }

  get container(): string | undefined {
    return this.#container;
  }

  async start(): Promise<void> {
    await this.launch((ids) => ids.includes(this.id));
  }

  /** Starts the process and waits until it lists the brokers that are asked for. */
  async launch(holds: (brokerIds: number[]) => boolean): Promise<void> {
    if (this.#running) throw new Failure("broker", `Cannot start node ${this.id}: it is running`);
    const running = this.#spawn();
    const abort = new AbortController();
    const crashed = running.ended.then(async (status) => {
      const reason = await this.#lastError();
      const message = `Cannot start Kafka's node ${this.id}: it ended with status ` +
        `${status.code}: ${reason}; its log is ${this.log}`;
      throw /Address already in use|Failed to bind/i.test(reason)
        ? new PortTaken("broker", message)
        : new Failure("broker", message);
    });
    crashed.catch(() => {});
    const ready = waitForCluster(
      this.port,
      // The cluster id tells our broker from another program's that got the port first.
      (view) => view.clusterId === this.#settings.clusterId && holds(view.brokerIds),
      Date.now() + deadlineMs,
      abort.signal,
    );
    try {
      await Promise.race([ready, crashed]);
    } catch (error) {
      abort.abort();
      await ready.catch(() => {});
      if (this.#running === running) await this.kill();
      if (error instanceof Failure && !error.message.includes(this.log)) {
        throw new Failure("broker", `${error.message}; its log is ${this.log}`);
      }
      throw error;
    }
  }

  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  async stop(): Promise<void> {
    await this.#end("SIGTERM");
  }

  async pause(): Promise<void> {
    await this.#signal("SIGSTOP");
  }

  async resume(): Promise<void> {
    await this.#signal("SIGCONT");
  }

  async #end(signal: "SIGKILL" | "SIGTERM"): Promise<void> {
    const running = this.#running;
    if (!running) return;
    await this.#signal(signal);
    await within(running.ended, deadlineMs, `stop Kafka's node ${this.id}`);
  }

  async #signal(signal: Deno.Signal): Promise<void> {
    if (this.#container) {
      const docker = ["docker", "kill", "--signal", signal, this.#container];
      await tryRun(docker, deadlineMs);
      return;
    }
    try {
      this.#running?.process.kill(signal);
    } catch (error) {
      // It ended by itself a moment ago.
      if (!(error instanceof Deno.errors.NotFound || error instanceof TypeError)) throw error;
    }
  }

  /** From now on this process neither waits for the node nor ends it. */
  async release(): Promise<void> {
    if (this.#running) await release(this.#running.process, this.log);
  }

  #spawn(): Running {
    const { toolbox, folder, heap, jvm } = this.#settings;
    const commandLine = toolbox.commandLine({
      className: "kafka.Kafka",
      args: [join(nodeFolder(folder, this.id), "server.properties")],
      jvm: ["-Xms256m", `-Xmx${heap}`, ...jvm],
      folder,
      log: "node",
      container: this.#container,
    });
    const process = spawnLogged(commandLine, this.log);
    const running = {
      process,
      ended: process.status.finally(() => {
        if (this.#running === running) this.#running = undefined;
      }),
    };
    this.#running = running;
    return running;
  }

  async #lastError(): Promise<string> {
    const text = await Deno.readTextFile(this.log).catch(() => "");
    const lines = text.trim().split("\n");
    const found = lines.findLast((line) => /\b(ERROR|FATAL)\b|Exception: /.test(line));
    return (found ?? lines.at(-1) ?? "").trim().slice(0, 400);
  }
}

export function nodeFolder(folder: string, id: number): string {
  return join(folder, `node-${id}`);
}
