import { Failure } from "../../../lib/failure.ts";
import { pause } from "../../../lib/waiting.ts";
import { launchCluster } from "./cluster.ts";
import { defaultVersion } from "./own.ts";
import { commandLineOf, tryRun } from "./process.ts";
import { askCluster } from "./ready.ts";
import {
  backgroundFolder,
  type BackgroundState,
  liveNodes,
  readState,
  writeState,
} from "./state.ts";
import { findToolbox } from "./toolbox.ts";

const usage = `Usage: scripts/broker.ts COMMAND

  start    start a Kafka broker in the background, on port 9092 if that is free
  status   say whether it runs (exit status 0) or not (1)
  stop     end it and remove its data
`;

const usualPort = 9092;
const stopMs = 30_000;

/** Runs one command and returns its exit status. */
export async function runCommand(args: string[]): Promise<number> {
  const commands: Record<string, () => Promise<number>> = { start, stop, status };
  const command = args.length === 1 ? commands[args[0]] : undefined;
  if (!command) {
    const help = args.length === 1 && ["-h", "--help"].includes(args[0]);
    (help ? console.log : console.error)(usage.trimEnd());
    return help ? 0 : 64;
  }
  try {
    return await command();
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    console.error(error.message);
    return error.kind === "usage" ? 64 : 69;
  }
}

async function start(): Promise<number> {
  const version = defaultVersion();
  const running = await takeFolder();
  if (running) {
    console.log(`Already running: ${describe(running)}`);
    printExport(running);
    return 0;
  }
  const began = Date.now();
  try {
    const toolbox = await findToolbox(version);
    const { nodes, listeners } = await launchCluster({
      toolbox,
      version,
      folder: backgroundFolder,
      preferredPorts: [usualPort],
      steady: true,
    });
    const state: BackgroundState = {
      bootstrap: listeners.PLAINTEXT,
      version,
      way: toolbox.way,
      nodes: nodes.map(({ id, pid, container, log }) => ({ id, pid: pid!, container, log })),
    };
    await writeState(state);
    await Deno.remove(starterFile);
    await Promise.all(nodes.map((node) => node.release()));
    console.log(`Started in ${((Date.now() - began) / 1000).toFixed(1)} s: ${describe(state)}`);
    printExport(state);
    return 0;
  } catch (error) {
    // A log that the message points at stays; the next start takes its folder over.
    const keep = String(error).includes(backgroundFolder);
    await Deno.remove(keep ? starterFile : backgroundFolder, { recursive: true });
    throw error;
  }
}

/** Makes the folder, which only one of two starts can do; or returns the broker that runs in it. */
async function takeFolder(): Promise<BackgroundState | undefined> {
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      await Deno.mkdir(backgroundFolder, { mode: 0o700 });
      await Deno.writeTextFile(starterFile, String(Deno.pid));
      return undefined;
    } catch (error) {
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    }
    const state = await readState();
    if (state && (await liveNodes(state)).length > 0) return state;
    if (await starterLives()) {
      throw new Failure("broker", "Cannot start the broker: another start is under way");
    }
    await Deno.remove(backgroundFolder, { recursive: true });
  }
  throw new Failure("broker", "Cannot start the broker: another start came first");
}

const starterFile = `${backgroundFolder}/starter`;

async function starterLives(): Promise<boolean> {
  const pid = Number(await Deno.readTextFile(starterFile).catch(() => "0"));
  return pid > 0 && (await commandLineOf(pid)).includes("broker");
}

async function stop(): Promise<number> {
  const state = await readState();
  if (!state) {
    console.log("No broker is running");
    return 0;
  }
  const nodes = await liveNodes(state);
  for (const node of nodes) await signal(node, "SIGTERM");
  const deadline = Date.now() + stopMs;
  while (Date.now() < deadline && (await liveNodes(state)).length > 0) {
    await pause(100);
  }
  const stubborn = await liveNodes(state);
  for (const node of stubborn) await signal(node, "SIGKILL");
  await Deno.remove(backgroundFolder, { recursive: true });
  const how = stubborn.length > 0 ? " (killed: it did not end in 30 s)" : "";
  console.log(nodes.length > 0 ? `Stopped: ${describe(state)}${how}` : "It had ended before");
  return 0;
}

async function signal(node: BackgroundState["nodes"][number], name: "SIGTERM" | "SIGKILL") {
  if (node.container) await tryRun(["docker", "kill", "--signal", name, node.container], stopMs);
  else Deno.kill(node.pid, name);
}

async function status(): Promise<number> {
  const state = await readState();
  if (!state || (await liveNodes(state)).length === 0) {
    console.log("No broker is running");
    return 1;
  }
  const [hostname, port] = state.bootstrap.split(":");
  try {
    await askCluster(hostname, Number(port));
  } catch (error) {
    const why = error instanceof Error ? error.message : error;
    console.log(`Running but not answering (${why}): ${describe(state)}`);
    return 1;
  }
  console.log(`Running: ${describe(state)}`);
  printExport(state);
  return 0;
}

function describe(state: BackgroundState): string {
  const [node] = state.nodes;
  return `Kafka ${state.version} (${state.way}) on ${state.bootstrap}, process ${node.pid}, ` +
    `log ${node.log}`;
}

function printExport(state: BackgroundState): void {
  console.log(`export KAFKA_BROKERS=${state.bootstrap}`);
}
