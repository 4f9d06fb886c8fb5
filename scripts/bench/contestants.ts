/** The programs that are measured: ours, the peers that are installed here, and the floors. */
import { fileURLToPath } from "node:url";
import type { Broker } from "../servers/broker.ts";

/** What is run: names that start with "floor" do nothing with the bytes. */
export interface Contestant {
  name: string;
  version: string;
  /** The command that writes all rows of a topic to stdout; null if it does not read. */
  consume: ((topic: string, rows: number) => readonly string[]) | null;
  /** The codecs that it reads, if not all. */
  reads?: readonly string[];
  /** The command that writes stdin's rows to a topic; null if it does not write, or not with this codec. */
  produce: ((topic: string, codec: string) => readonly string[] | null) | null;
}

const project = fileURLToPath(new URL("../../", import.meta.url));

async function output(command: string, args: string[], cwd?: string): Promise<string | null> {
  try {
    const { success, stdout, stderr } = await new Deno.Command(command, { args, cwd }).output();
    const text = new TextDecoder();
    return success ? text.decode(stdout) + text.decode(stderr) : null;
  } catch {
    return null;
  }
}

/** Ours, from the sources, or compiled if a folder of binaries is named. */
export async function ours(bootstrap: string, binaries: string | undefined): Promise<Contestant> {
  const program = (name: string, entry: string) =>
    binaries === undefined
      ? [Deno.execPath(), "run", "-A", "--quiet", `${project}${entry}`]
      : [`${binaries}/${name}`];
  const [first, ...rest] = program("kafka_consumer", "consumer.ts");
  const runtime = /Deno [\d.]+/.exec(await output(first, [...rest, "--version"]) ?? "")?.[0];
  return {
    name: "gpdb-kafka",
    version: `${binaries === undefined ? "" : "compiled, "}${runtime ?? "unknown"}`,
    // deno-fmt-ignore
    consume: (topic) => [...program("kafka_consumer", "consumer.ts"),
      "-b", bootstrap, "-t", topic, "--commit", "no"],
    produce: (topic, codec) => [
      ...[...program("kafka_producer", "producer.ts"), "-b", bootstrap, "-t", topic],
      ...["-z", codec, "-q"],
    ],
  };
}

/** What the checks of checksums and of rows take is the difference to ours. */
function withoutChecks({ consume }: Contestant): Contestant {
  const flags = ["-X", "check.crcs=false", "--bad-record", "pass"];
  return {
    name: "gpdb-kafka without checks",
    version: flags.join(" "),
    reads: ["none"],
    consume: (topic, rows) => [...consume!(topic, rows), ...flags],
    produce: null,
  };
}

async function kcat(bootstrap: string): Promise<Contestant | null> {
  const version = /version ([\d.]+).*?librdkafka ([\d.]+)/is.exec(
    await output("kcat", ["-V"]) ?? "",
  );
  if (version === null) return null;
  return {
    name: "kcat",
    version: `${version[1]}, librdkafka ${version[2]}`,
    consume: (topic) => ["kcat", "-C", "-b", bootstrap, "-t", topic, "-o", "beginning", "-e", "-q"],
    produce: (
      topic,
      codec,
    ) => ["kcat", "-P", "-b", bootstrap, "-t", topic, "-z", codec, "-X", "acks=all"],
  };
}

/** The console tools of Kafka's own jars. */
async function console(broker: Broker): Promise<Contestant> {
  const consumer = await broker.commandLine("org.apache.kafka.tools.consumer.ConsoleConsumer", []);
  const producer = await broker.commandLine("org.apache.kafka.tools.ConsoleProducer", []);
  return {
    name: "Kafka's console tools",
    version: `Kafka ${broker.version}`,
    consume: (topic, rows) => [
      ...[...consumer, "--bootstrap-server", broker.bootstrap, "--topic", topic],
      ...["--from-beginning", "--max-messages", `${rows}`],
    ],
    produce: (topic, codec) => [
      ...[...producer, "--bootstrap-server", broker.bootstrap, "--topic", topic],
      ...["--compression-codec", codec],
    ],
  };
}

/** The peers that are npm packages, run by this Deno. */
function packages(bootstrap: string): Contestant[] {
  const script = (name: string) => [
    ...[Deno.execPath(), "run", "-A", "--quiet"],
    `${project}scripts/bench/peers/${name}.ts`,
  ];
  return [
    {
      name: "kafkajs",
      version: "2.2.4",
      reads: ["none", "gzip"],
      consume: (topic) => [...script("kafkajs"), "consume", bootstrap, topic],
      produce: (topic, codec) =>
        codec === "none" || codec === "gzip"
          ? [...script("kafkajs"), "produce", bootstrap, topic, codec]
          : null,
    },
    {
      name: "@platformatic/kafka",
      version: "2.12.1",
      consume: (topic, rows) => [...script("platformatic"), "consume", bootstrap, topic, `${rows}`],
      produce: (topic, codec) => [...script("platformatic"), "produce", bootstrap, topic, codec],
    },
  ];
}

/** The peers that are Go libraries, and the floors: one program of ours, built here. */
async function go(bootstrap: string, folder: string): Promise<Contestant[]> {
  const program = `${folder}/peers`;
  const source = `${project}scripts/bench/peers`;
  if (await output("go", ["build", "-o", program, "."], source) === null) return [];
  const modules = await Deno.readTextFile(`${source}/go.mod`);
  const version = (module: string) =>
    new RegExp(`${module} v(\\S+)`).exec(modules)?.[1] ?? "unknown";
  const library = (name: string, command: string, version: string): Contestant => ({
    name,
    version,
    consume: (topic) => [program, `consume-${command}`, bootstrap, topic],
    produce: command === "original"
      ? null
      : (topic, codec) => [program, `produce-${command}`, bootstrap, topic, codec],
  });
  const sarama = version("github.com/IBM/sarama");
  return [
    library("franz-go", "franz", version("github.com/twmb/franz-go")),
    library("Sarama", "sarama", sarama),
    library("the Go program of 2016", "original", `its loop, on Sarama ${sarama}`),
    {
      name: "floor: fetch",
      version: "batches read, nothing done with them",
      consume: (topic) => [program, "floor-fetch", bootstrap, topic],
      produce: null,
    },
    {
      name: "floor: send",
      version: "batches made beforehand",
      consume: null,
      produce: (topic, codec) => [program, "floor-produce", bootstrap, topic, `bench-${codec}`],
    },
  ];
}

/** All there are here. What is missing is reported by its name. */
export async function contestants(
  broker: Broker,
  folder: string,
  binaries: string | undefined,
  report: (missing: string) => void,
): Promise<Contestant[]> {
  const { bootstrap } = broker;
  const found = [await ours(bootstrap, binaries)];
  const cat = await kcat(bootstrap);
  if (cat) found.push(cat);
  else report("kcat");
  const libraries = await go(bootstrap, folder);
  if (libraries.length === 0) report("franz-go, Sarama and the floors: they need Go");
  const floors = libraries.findIndex(({ name }) => name.startsWith("floor"));
  libraries.splice(floors < 0 ? libraries.length : floors, 0, withoutChecks(found[0]));
  found.push(...libraries, ...packages(bootstrap), await console(broker));
  return found;
}
