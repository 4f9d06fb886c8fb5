/**
 * A real schema registry with Confluent's API for tests: the one that GPDB_KAFKA_TEST_REGISTRY names,
 * or Apicurio's, which Maven fetches (142 MB, once) and Java 17 runs, in memory, on 127.0.0.1.
 */
import { join } from "node:path";
import { Failure } from "../../lib/failure.ts";
import { cachedFolder, pomOf, runMaven } from "./broker/jars.ts";
import { freePorts } from "./broker/ports.ts";
import { spawnLogged, within } from "./broker/process.ts";

/** A schema registry for tests. Disposing it ends its process. */
export interface RegistryServer extends AsyncDisposable {
  /** Of Confluent's API, without a slash at its end. */
  readonly url: string;
  /** SIGKILL; of a registry that an environment variable names: a Failure. */
  kill(): Promise<void>;
}

export const registryVariable = "GPDB_KAFKA_TEST_REGISTRY";

const version = "2.6.13.Final";
const readyMs = 60_000;
const endMs = 20_000;
const attempts = 3;

/** Starts one, or uses the one that the environment names, unless the test must have its `own`. */
export async function startRegistry({ own = false } = {}): Promise<RegistryServer> {
  const named = Deno.env.get(registryVariable);
  if (named && !own) return external(named);
  const jar = await runnerJar();
  // Between our look for a free port and the registry's use of it, another program may take it.
  for (let attempt = 1;; attempt++) {
    try {
      return await launch(jar);
    } catch (error) {
      if (attempt === attempts || !/in use/i.test(String(error))) throw error;
    }
  }
}

function external(url: string): RegistryServer {
  return {
    url,
    kill: () =>
      Promise.reject(
        new Failure("broker", `Cannot kill a registry that ${registryVariable} names`),
      ),
    async [Symbol.asyncDispose]() {},
  };
}

async function runnerJar(): Promise<string> {
  const name = `apicurio-registry-${version}`;
  const cache = await cachedFolder(name, async (fresh, cache) => {
    console.error(`Fetching Apicurio Registry ${version} with Maven into ${cache}`);
    const artifact = `io.apicurio:apicurio-registry-app:${version}:tar.gz:all`;
    // Without a project Maven would leave its notes in the folder where we are.
    await Deno.writeTextFile(join(fresh, "pom.xml"), pomOf([]));
    const goal = ["-f", join(fresh, "pom.xml"), "dependency:unpack", `-Dartifact=${artifact}`];
    const args = [...goal, `-DoutputDirectory=${fresh}`];
    await runMaven(args, `Apicurio Registry ${version}`, "install Maven and Java 17");
  });
  return join(cache, `apicurio-registry-app-${version}-runner.jar`);
}

async function launch(jar: string): Promise<RegistryServer> {
  const folder = await Deno.makeTempDir({ prefix: "gpdb-kafka-registry-" });
  const log = join(folder, "registry.log");
  const [port] = freePorts(1);
  const process = spawnLogged([
    "java",
    ...["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx512m"],
    ...["-Dquarkus.http.host=127.0.0.1", `-Dquarkus.http.port=${port}`, "-jar", jar],
  ], log);
  const url = `http://127.0.0.1:${port}/apis/ccompat/v7`;
  let ended = false;
  const end = process.status.finally(() => ended = true);
  const kill = async () => {
    if (!ended) process.kill("SIGKILL");
    await within(end, endMs, "end the schema registry");
  };
  const deadline = Date.now() + readyMs;
  while (!ended && !await answers(url)) {
    if (Date.now() > deadline) {
      await kill();
      throw new Failure("broker", `Cannot start the schema registry: no answer; see ${log}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  if (ended) {
    const lines = (await Deno.readTextFile(log)).trim().split("\n");
    const why = lines.findLast((line) => /in use|ERROR|Exception|not found/.test(line));
    throw new Failure("broker", `Cannot start the schema registry: ${why}; see ${log}`);
  }
  return {
    url,
    kill,
    async [Symbol.asyncDispose]() {
      await kill();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(`${url}/subjects`, { signal: AbortSignal.timeout(2_000) });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}
