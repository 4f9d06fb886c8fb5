import { homedir } from "node:os";
import { join } from "node:path";
import { Failure } from "../../../lib/failure.ts";
import type { KafkaVersion } from "./options.ts";
import { tryRun } from "./process.ts";

/** Where Kafka logs to is not among its Maven dependencies since 4.0: the version its release has. */
const logBackend: Record<KafkaVersion, string> = {
  "4.4.0": "org.apache.logging.log4j:log4j-slf4j-impl:2.24.3",
  "4.1.1": "org.apache.logging.log4j:log4j-slf4j-impl:2.24.3",
  "3.9.1": "org.slf4j:slf4j-reload4j:1.7.36",
};

/** A first download of 55 MB may take its time; a proxy that swallows packets must not take ours. */
const downloadMs = 10 * 60_000;

/** Folder with the jars of Kafka's broker and tools, filled by Maven the first time. */
export async function jarFolder(version: KafkaVersion): Promise<string> {
  const cache = await cachedFolder(`kafka-${version}`, async (fresh, cache) => {
    await Deno.writeTextFile(join(fresh, "pom.xml"), pom(version));
    console.error(`Fetching Kafka ${version} with Maven into ${cache}`);
    const goal = "dependency:copy-dependencies";
    const args = ["-f", join(fresh, "pom.xml"), goal, "-DoutputDirectory=jars"];
    const instead = "install Maven, or start Docker, or set KAFKA_BROKERS";
    await runMaven(args, `Kafka ${version}`, instead);
  });
  return join(cache, "jars");
}

/**
 * A folder of the cache that is filled once. Two processes may do that at the same time: each fills
 * a folder of its own, and the first to rename it wins.
 */
export async function cachedFolder(
  name: string,
  fill: (fresh: string, cache: string) => Promise<void>,
): Promise<string> {
  const cache = join(cacheFolder(), name);
  if (await exists(cache)) return cache;
  await Deno.mkdir(cacheFolder(), { recursive: true });
  const fresh = await Deno.makeTempDir({ dir: cacheFolder(), prefix: `${name}.new-` });
  try {
    await fill(fresh, cache);
    await renameUnlessThere(fresh, cache);
  } finally {
    await Deno.remove(fresh, { recursive: true }).catch(() => {});
  }
  return cache;
}

/** All jars in a fixed order, for a class data archive fits one exact class path only. */
export async function classpathOf(folder: string): Promise<string> {
  const jars: string[] = [];
  for await (const entry of Deno.readDir(folder)) {
    if (entry.name.endsWith(".jar")) jars.push(join(folder, entry.name));
  }
  return jars.sort().join(":");
}

/** Runs Maven to fetch something. Throws Failure (broker) with its reason; `instead` is what to do without it. */
export async function runMaven(args: string[], fetched: string, instead: string): Promise<void> {
  const began = Date.now();
  const finished = await tryRun(["mvn", "-q", "-B", ...args], downloadMs);
  const what = `Cannot fetch ${fetched} with Maven`;
  if (!finished) {
    const late = Date.now() - began >= downloadMs;
    const missing = `mvn was not found — ${instead}`;
    throw new Failure("broker", `${what}: ${late ? "it ran for over 10 minutes" : missing}`);
  }
  if (finished.code !== 0) {
    throw new Failure("broker", `${what}: ${firstError(finished.stdout + finished.stderr)}`);
  }
}

/** The first line in which Maven says what is wrong, without colours and its own prefix. */
export function firstError(output: string): string {
  // deno-lint-ignore no-control-regex
  const lines = output.replaceAll(/\x1b\[[0-9;]*m/g, "").split("\n").map((line) => line.trim());
  const found = lines.find((line) => line.startsWith("[ERROR]") && line.length > 10) ??
    lines.find((line) => line !== "") ?? "it printed nothing";
  return found.replace("[ERROR]", "").trim();
}

async function renameUnlessThere(from: string, to: string): Promise<void> {
  try {
    await Deno.rename(from, to);
  } catch (error) {
    if (!await exists(to)) throw error;
  }
}

export async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

function cacheFolder(): string {
  return join(Deno.env.get("XDG_CACHE_HOME") || join(homedir(), ".cache"), "gpdb-kafka");
}

function pom(version: KafkaVersion): string {
  return pomOf([
    `org.apache.kafka:kafka_2.13:${version}`,
    `org.apache.kafka:kafka-tools:${version}`,
    logBackend[version],
  ]);
}

/** A Maven project that depends on these artifacts. */
export function pomOf(artifacts: readonly string[]): string {
  const dependencies = artifacts.map((artifact) => {
    const [group, name, number] = artifact.split(":");
    return `    <dependency><groupId>${group}</groupId><artifactId>${name}</artifactId>` +
      `<version>${number}</version></dependency>`;
  });
  return `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>gpdb-kafka</groupId><artifactId>broker</artifactId><version>1</version>
  <packaging>pom</packaging>
  <dependencies>
${dependencies.join("\n")}
  </dependencies>
</project>
`;
}
