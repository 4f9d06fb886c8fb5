import { Failure } from "../../../lib/failure.ts";
import { classDataArchive } from "./archive.ts";
import { classpathOf, jarFolder } from "./jars.ts";
import { loggingFlags } from "./logging.ts";
import { environment, type KafkaVersion, type RunOptions } from "./options.ts";
import { tryRun } from "./process.ts";

export interface JavaCommand extends RunOptions {
  className: string;
  args: string[];
  /** The folder whose files the class reads and writes. */
  folder: string;
  /** A node logs all it does to standard output; a tool logs warnings to standard error. */
  log: "node" | "tool";
  /** Name of the container, with Docker, so that it can be ended by that name. */
  container?: string;
}

/** A way to run classes of Kafka's jars. */
export interface Toolbox {
  readonly way: "Java" | "Docker";
  readonly classpath: string;
  commandLine(command: JavaCommand): string[];
}

/** The JVM compiles what it runs once, quickly, and never again. */
export const QUICK_START = "-XX:TieredStopAtLevel=1";

const oldestJava = 17;
const askMs = 2_000;
const pullMs = 10 * 60_000;

/** Looks for Docker's engine, then for Java and Maven; a Failure says what to install. */
export async function findToolbox(version: KafkaVersion): Promise<Toolbox> {
  const wanted = Deno.env.get(environment.way);
  if (wanted !== "java" && await dockerAnswers()) return await dockerToolbox(version);
  const java = wanted === "docker" ? undefined : await javaVersion();
  if (java !== undefined && java.major >= oldestJava) return await javaToolbox(version, java.text);
  const found = java ? `Java ${java.major} is too old` : "there is neither Docker nor Java";
  throw new Failure(
    "broker",
    `Cannot start a Kafka broker: ${found}; start Docker, or install Java ${oldestJava} and ` +
      `Maven, or set ${environment.brokers} to a broker that runs`,
  );
}

async function javaToolbox(version: KafkaVersion, javaText: string): Promise<Toolbox> {
  const folder = await jarFolder(version);
  const classpath = await classpathOf(folder);
  const archive = await classDataArchive(folder, classpath, javaText);
  // Share what can be shared, in silence: a JVM prints its warnings among a tool's output.
  const shared = archive ? [`-XX:SharedArchiveFile=${archive}`] : [];
  return {
    way: "Java",
    classpath,
    commandLine: (command) => ["java", ...shared, ...javaArgs(command, classpath)],
  };
}

/**
 * The official image, with its java and jars but without its start script: so a node is set up
 * and run in the very same way with Docker and without. It shares the host's network (Docker
 * Desktop has a setting for that), and the folder under the same path.
 */
async function dockerToolbox(version: KafkaVersion): Promise<Toolbox> {
  const image = `apache/kafka:${version}`;
  const there = await tryRun(["docker", "image", "inspect", image], askMs * 5);
  if (there?.code !== 0) {
    console.error(`Pulling ${image}`);
    const pulled = await tryRun(["docker", "pull", "-q", image], pullMs);
    if (pulled?.code !== 0) {
      const why = pulled?.stderr.trim().split("\n").at(-1) ?? "it ran for over 10 minutes";
      throw new Failure("broker", `Cannot pull the image ${image}: ${why}`);
    }
  }
  const classpath = "/opt/kafka/libs/*";
  return {
    way: "Docker",
    classpath,
    commandLine: (command) => [
      ...["docker", "run", "--rm", "--interactive", "--network", "host"],
      ...(command.container ? ["--name", command.container] : []),
      ...["--user", `${Deno.uid()}:${Deno.gid()}`],
      ...["--volume", `${command.folder}:${command.folder}`, "--workdir", command.folder],
      ...["--entrypoint", "java", image],
      ...javaArgs(command, classpath),
    ],
  };
}

function javaArgs(command: JavaCommand, classpath: string): string[] {
  return [
    "-XX:+UseSerialGC",
    "-Xlog:disable",
    "-Xlog:all=warning:stderr",
    "-Djava.awt.headless=true",
    ...loggingFlags(command.folder, command.log),
    ...(command.jvm ?? []),
    "-cp",
    command.classpath ? `${classpath}:${command.classpath}` : classpath,
    command.className,
    ...command.args,
  ];
}

async function dockerAnswers(): Promise<boolean> {
  const info = await tryRun(["docker", "info", "--format", "{{.ServerVersion}}"], askMs);
  return info?.code === 0 && info.stdout.trim() !== "";
}

async function javaVersion(): Promise<{ major: number; text: string } | undefined> {
  const asked = await tryRun(["java", "-version"], askMs * 5);
  // `openjdk version "17.0.15"`; before 9 it was "1.8.0_…".
  const found = asked?.stderr.match(/version "(\d+)(?:\.(\d+))?/);
  if (!asked || !found) return undefined;
  const major = Number(found[1]) === 1 ? Number(found[2]) : Number(found[1]);
  return { major, text: asked.stderr };
}
