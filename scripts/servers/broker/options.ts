/**
 * The Kafka versions the tests are run against: the one they are run against by default comes
 * first, then the newest one, and the last one with ZooKeeper code.
 */
export const kafkaVersions = ["4.1.1", "4.4.0", "3.9.1"] as const;

export type KafkaVersion = typeof kafkaVersions[number];

export interface BrokerOptions {
  /** Number of brokers in the cluster; 1 unless given. */
  nodes?: number;
  /** Kafka's version; GPDB_KAFKA_TEST_VERSION, else the first of them, unless given. */
  version?: KafkaVersion;
  /**
   * Added to every node's server.properties, and overriding anything written there. The
   * PLAINTEXT listener has to stay: readiness is asked there.
   */
  properties?: Record<string, string>;
  /**
   * The same for one node, which may differ from the others: its rack, or the addresses that it
   * advertises. `ports` are its own, by the listeners' names.
   */
  nodeProperties?: (id: number, ports: Readonly<Record<string, number>>) => Record<string, string>;
  /**
   * More listeners beside PLAINTEXT: name to security protocol, `{ TLS: "SSL" }`. Ports are free
   * ones.
   */
  listeners?: Record<string, string>;
  /** More arguments of `StorageTool format`, such as `--add-scram …`. */
  storageFormatArgs?: string[];
  /** The JVM's largest heap, as -Xmx reads it; 1g unless given. */
  heap?: string;
  /** More arguments of the JVM itself. */
  jvm?: string[];
  /**
   * For benchmarks: the JVM compiles its code as for a long run. Else it takes half of the CPU time
   * to come up, and stays slower.
   */
  steady?: boolean;
  /**
   * Never use the broker that KAFKA_BROKERS names: for tests that kill a node. Any other option
   * here that a foreign broker can't honour means the same.
   */
  own?: boolean;
}

export interface RunOptions {
  stdin?: Uint8Array | string;
  /** Standard output goes to this file, and `stdout` of the result stays empty. */
  stdoutFile?: string;
  /** Folders or jars after the broker's own on the class path, for clients that a test compiled. */
  classpath?: string;
  /** More arguments of the JVM itself. */
  jvm?: string[];
  /** Deadline; the process is killed and the call fails after it. 60 s unless given. */
  timeoutMs?: number;
}

export interface RunResult {
  code: number;
  stdout: Uint8Array<ArrayBuffer>;
  stderr: string;
}

export interface BrokerNode {
  readonly id: number;
  /** Port of the PLAINTEXT listener on 127.0.0.1. */
  readonly port: number;
  /** Process id of the JVM (of its Docker client, with Docker) while it runs. */
  readonly pid: number | undefined;
  /** What the JVM printed, over all of its starts. */
  readonly log: string;
  /** SIGKILL, as a crash does it; returns when the process is gone. */
  kill(): Promise<void>;
  /** SIGTERM, so a controlled shutdown; returns when the process is gone. */
  stop(): Promise<void>;
  /** SIGSTOP: it hangs, with its port open and its connections alive. */
  pause(): Promise<void>;
  /** SIGCONT, after {@link pause}. */
  resume(): Promise<void>;
  /** Starts the node again on the same port and data; returns when it serves clients. */
  start(): Promise<void>;
}

/** A Kafka cluster for tests. Disposing it ends its processes and removes its folder. */
export interface Broker extends AsyncDisposable {
  /** `127.0.0.1:PORT`, with a comma between several. */
  readonly bootstrap: string;
  /** The same for every listener by its name, PLAINTEXT among them. */
  readonly listeners: Readonly<Record<string, string>>;
  readonly version: KafkaVersion;
  /** How it runs, for messages: "Java", "Docker", "KAFKA_BROKERS". */
  readonly way: string;
  /** Empty for a broker named by KAFKA_BROKERS. */
  readonly nodes: readonly BrokerNode[];
  /** Holds `node-N/` with each node's properties, data and log; removed at the end. */
  readonly folder: string;
  /** Class path of Kafka's jars, for javac and java. Inside the image, with Docker. */
  readonly classpath: Promise<string>;
  /**
   * Runs a class of Kafka's jars, such as org.apache.kafka.tools.TopicCommand, or a Java source
   * file given by its path, and waits for its end. With Docker, files named in the arguments must
   * lie in `folder`.
   */
  run(className: string, args: string[], options?: RunOptions): Promise<RunResult>;
  /** The command line `run` would use, for programs that a test starts and ends itself. */
  commandLine(className: string, args: string[], options?: RunOptions): Promise<string[]>;
}

/** Environment variables that the broker and its tests look at, in one place. */
export const environment = {
  brokers: "KAFKA_BROKERS",
  version: "GPDB_KAFKA_TEST_VERSION",
  /** "java" or "docker": don't look for the other. */
  way: "GPDB_KAFKA_TEST_WAY",
  /** Not empty: keep the folder of a broker that was disposed. */
  keep: "GPDB_KAFKA_TEST_KEEP",
};
