/**
 * A real Debezium for tests: its engine with the connector for PostgreSQL, which Maven fetches (43 MB,
 * once) and Java 17 runs. It writes the changes of a database to topics `PREFIX.SCHEMA.TABLE`, which
 * must exist.
 */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Failure } from "../../lib/failure.ts";
import { cachedFolder, classpathOf, pomOf, runMaven } from "./broker/jars.ts";
import { within } from "./broker/process.ts";

const version = "3.6.1.Final";
const endMs = 20_000;
const program = fileURLToPath(new URL("DebeziumToKafka.java", import.meta.url));

/** The class path of Debezium's jars. Throws Failure (broker) if Maven cannot fetch them. */
export async function debeziumJars(): Promise<string> {
  const cache = await cachedFolder(`debezium-${version}-avro`, async (fresh, cache) => {
    console.error(`Fetching Debezium ${version} with Maven into ${cache}`);
    const names = ["debezium-api", "debezium-embedded", "debezium-connector-postgres"];
    const artifacts = [
      ...names.map((name) => `io.debezium:${name}:${version}`),
      "io.apicurio:apicurio-registry-utils-converter:2.6.13.Final",
      "org.slf4j:slf4j-simple:1.7.36",
    ];
    const pom = join(fresh, "pom.xml");
    await Deno.writeTextFile(pom, pomOf(artifacts));
    const goal = ["-f", pom, "dependency:copy-dependencies", "-DoutputDirectory=jars"];
    await runMaven(goal, `Debezium ${version}`, "install Maven and Java 17");
  });
  return await classpathOf(join(cache, "jars"));
}

export interface DebeziumOptions {
  /** What `debeziumJars` returned. */
  jars: string;
  /** Of a superuser, in a server with wal_level=logical. */
  dsn: string;
  /** Of the brokers that it writes to. */
  bootstrap: string;
  /** Its topics' names begin with it. Lower-case letters, digits and underscores. */
  prefix: string;
  /** The tables that it reads: `public.orders,public.marks`. */
  tables: string;
  /** Those of the converters, and more of the connector. */
  properties: Record<string, string>;
}

/** Connect's properties of the converters of keys and values: JSON, with or without its schema. */
export function jsonConverters(schemas: boolean): Record<string, string> {
  const json = "org.apache.kafka.connect.json.JsonConverter";
  const both = ["key.converter", "value.converter"];
  return Object.fromEntries(both.flatMap((name) => [
    [name, json],
    [`${name}.schemas.enable`, `${schemas}`],
  ]));
}

/** Those of values that are Avro in the frame of Confluent's registry; `url` is Apicurio's API of it. */
export function avroValues(url: string): Record<string, string> {
  const own = {
    "url": new URL("/apis/registry/v2", url).href,
    "auto-register": "true",
    "headers.enabled": "false",
    "as-confluent": "true",
    "use-id": "contentId",
  };
  return {
    "value.converter": "io.apicurio.registry.utils.converter.AvroConverter",
    ...Object.fromEntries(
      Object.entries(own).map(([name, value]) => [
        `value.converter.apicurio.registry.${name}`,
        value,
      ]),
    ),
  };
}

/** A running Debezium. Disposing it ends its process. */
export interface Debezium extends AsyncDisposable {
  /** What it has written so far: topic, tab, and Debezium's text of the value. */
  readonly records: readonly string[];
  /**
   * Waits until the brokers have a record of that topic whose text matches. Throws Failure (broker)
   * after `ms`, or if Debezium ended.
   */
  written(topic: string, value: RegExp, ms?: number): Promise<void>;
}

export async function startDebezium(options: DebeziumOptions): Promise<Debezium> {
  const folder = await Deno.makeTempDir({ prefix: "gpdb-kafka-debezium-" });
  const url = new URL(options.dsn);
  const settings: Record<string, string> = {
    "name": options.prefix,
    "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
    "bootstrap.servers": options.bootstrap,
    "offset.storage": "org.apache.kafka.connect.storage.FileOffsetBackingStore",
    "offset.storage.file.filename": join(folder, "offsets"),
    "offset.flush.interval.ms": "0",
    "topic.prefix": options.prefix,
    "database.hostname": url.hostname,
    "database.port": url.port,
    "database.user": decodeURIComponent(url.username),
    "database.password": decodeURIComponent(url.password),
    "database.dbname": url.pathname.slice(1),
    "plugin.name": "pgoutput",
    "slot.name": options.prefix,
    "publication.name": options.prefix,
    "publication.autocreate.mode": "filtered",
    "table.include.list": options.tables,
    "poll.interval.ms": "50",
    ...options.properties,
  };
  const file = join(folder, "debezium.properties");
  const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`);
  await Deno.writeTextFile(file, lines.join(""), { mode: 0o600 });
  const jvm = ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx256m"];
  const process = new Deno.Command("java", {
    args: [
      ...jvm,
      "-Dorg.slf4j.simpleLogger.defaultLogLevel=error",
      `-Dorg.slf4j.simpleLogger.logFile=${join(folder, "log")}`,
      ...["-cp", options.jars, program, file],
    ],
    stdin: "piped", // its end is Debezium's: also when this process is killed
    stdout: "piped",
    stderr: "inherit",
  }).spawn();

  const records: string[] = [];
  let ended = false;
  let wake = () => {};
  const reading = (async () => {
    let rest = "";
    for await (const text of process.stdout.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      rest = lines.pop()!;
      records.push(...lines);
      wake();
    }
    ended = true;
    wake();
  })();
  return {
    records,
    async written(topic, value, ms = 60_000) {
      const isIt = (line: string) => {
        const [name, ...rest] = line.split("\t");
        return name === topic && value.test(rest.join("\t"));
      };
      const found = (async () => {
        for (;;) {
          if (records.some(isIt)) return;
          if (ended) {
            const log = await Deno.readTextFile(join(folder, "log")).catch(() => "no log");
            throw new Failure("broker", `Debezium ended:\n${log.slice(0, 2_000)}`);
          }
          await new Promise<void>((resolve) => wake = resolve);
        }
      })();
      await within(found, ms, `see ${value} in topic ${topic}: Debezium did not write it`);
    },
    async [Symbol.asyncDispose]() {
      await process.stdin.close().catch(() => {});
      try {
        await within(process.status, endMs, "end Debezium");
      } catch {
        process.kill("SIGKILL");
        await process.status;
      }
      await reading;
      await Deno.remove(folder, { recursive: true });
    },
  };
}
