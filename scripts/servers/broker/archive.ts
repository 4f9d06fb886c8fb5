import { join } from "node:path";
import { createHash } from "node:crypto";
import { pause } from "../../../lib/waiting.ts";
import { exists } from "./jars.ts";
import { loggingFlags, writeLoggingFiles } from "./logging.ts";
import { freePorts } from "./ports.ts";
import { spawnLogged, tryRun, within } from "./process.ts";
import { propertiesText, serverProperties } from "./properties.ts";
import { askCluster } from "./ready.ts";

/**
 * Class data of a broker that ran, as the JVM maps it into memory: it takes a broker's start from
 * 4 s to 2 s, and a tool's from 1 s to half. It fits one Java and one class path; it is written
 * once, by a broker that starts, stops, and leaves it behind. Undefined when that did not work:
 * then everything is only slower.
 */
export async function classDataArchive(
  jars: string,
  classpath: string,
  javaText: string,
): Promise<string | undefined> {
  const hash = createHash("sha256").update(`${javaText}\n${classpath}`).digest("hex").slice(0, 12);
  const archive = join(jars, "..", `classes-${hash}.jsa`);
  if (await exists(archive)) return archive;
  const inVain = `${archive}.failed`; // so that not every start tries again
  if (await exists(inVain)) return undefined;
  const folder = await Deno.makeTempDir({ dir: join(jars, ".."), prefix: "classes-" });
  try {
    console.error("Preparing Kafka's classes for quicker starts (once)");
    const written = join(folder, "classes.jsa");
    await runOnce(folder, classpath, written);
    await Deno.rename(written, archive);
    return archive;
  } catch (error) {
    await Deno.writeTextFile(inVain, String(error)).catch(() => {});
    return undefined;
  } finally {
    await Deno.remove(folder, { recursive: true }).catch(() => {});
  }
}

async function runOnce(folder: string, classpath: string, archive: string): Promise<void> {
  const [PLAINTEXT, CONTROLLER] = freePorts(2);
  const properties = serverProperties(1, [{ PLAINTEXT, CONTROLLER }], folder, {});
  const file = join(folder, "server.properties");
  await Deno.writeTextFile(file, propertiesText(properties));
  await writeLoggingFiles(folder);
  const java = ["java", "-XX:+UseSerialGC", ...loggingFlags(folder, "node")];
  const format = ["kafka.tools.StorageTool", "format", "-t", "AAAAAAAAAAAAAAAAAAAAAA", "-c", file];
  await tryRun([...java, "-cp", classpath, ...format], 60_000);
  const dump = `-XX:ArchiveClassesAtExit=${archive}`;
  const node = spawnLogged(
    [...java, dump, "-cp", classpath, "kafka.Kafka", file],
    join(folder, "log"),
  );
  let ended = false;
  const end = node.status.finally(() => ended = true);
  const deadline = Date.now() + 60_000;
  let ready = false;
  while (!ready && !ended && Date.now() < deadline) {
    await pause(100);
    ready = await askCluster("127.0.0.1", PLAINTEXT).then(
      (view) => view.brokerIds.length === 1,
      () => false,
    );
  }
  if (!ended) node.kill("SIGTERM");
  await within(end, 60_000, "write the class data archive").catch(async () => {
    node.kill("SIGKILL");
    await end;
  });
}
