import { homedir } from "node:os";
import { join } from "node:path";
import { Failure } from "../../../lib/failure.ts";
import type { KafkaVersion } from "./options.ts";
import { tryRun } from "./process.ts";

/** Where Kafka logs to is not among its Maven dependencies since 4.0: the version its release has. */
const logBackend: Record<KafkaVersion, string> = {
  "4.1.1": "org.apache.logging.log4j:log4j-slf4j-impl:2.24.3",
  "3.9.1": "org.slf4j:slf4j-reload4j:1.7.36",
};

/** A first download of 55 MB may take its time; a proxy that swallows packets must not take ours. */
const downloadMs = 10 * 60_000;

/**
 * Folder with the jars of Kafka's broker and tools, filled by Maven the first time. Two processes
 * may do that at once: each fills a folder of its own, and the first to rename it wins.
 */
export async function jarFolder(version: KafkaVersion): Promise<string> {
  const cache = join(cacheFolder(), `kafka-${version}`);
  if (await exists(cache)) return join(cache, "jars");
  await Deno.mkdir(cacheFolder(), { recursive: true });
  const fresh = await Deno.makeTempDir({ dir: cacheFolder(), prefix: `kafka-${version}.new-` });
  try {
    await Deno.writeTextFile(join(fresh, "pom.xml"), pom(version));
    console.error(`Fetching Kafka ${version} with Maven into ${cache}`);
    await copyDependencies(fresh, version);
    await renameUnlessThere(fresh, cache);
  } finally {
    await Deno.remove(fresh, { recursive: true }).catch(() => {});
  }
  return join(cache, "jars");
}

/** All jars in a fixed order, for a class data archive fits one exact class path only. */
export async function classpathOf(folder: string): Promise<string> {
  const jars: string[] = [];
  for await (const entry of Deno.readDir(folder)) {
    if (entry.name.endsWith(".jar")) jars.push(join(folder, entry.name));
  }
  return jars.sort().join(":");
}

async function copyDependencies(folder: string, version: KafkaVersion): Promise<void> {
  const goal = "dependency:copy-dependencies";
  const began = Date.now();
  const finished = await tryRun(
    ["mvn", "-q", "-B", "-f", join(folder, "pom.xml"), goal, "-DoutputDirectory=jars"],
    downloadMs,
  );
  const what = `Cannot fetch Kafka ${version} with Maven`;
  if (!finished) {
    const missing = "mvn was not found — install Maven, or start Docker, or set KAFKA_BROKERS";
    const late = Date.now() - began >= downloadMs;
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
  const artifacts = [
    `org.apache.kafka:kafka_2.13:${version}`,
    `org.apache.kafka:kafka-tools:${version}`,
    logBackend[version],
  ];
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
