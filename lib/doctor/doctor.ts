import { quoteTable } from "../greenplum/source.ts";
import { Cluster } from "../kafka/cluster.ts";
import type { ClientConfig } from "../kafka/config.ts";
import { someMatchingTopics } from "../kafka/matching_topics.ts";
import { fetch } from "../protocol/messages/fetch.ts";
import { findCoordinator } from "../protocol/messages/find_coordinator.ts";
import { listOffsets } from "../protocol/messages/list_offsets.ts";
import type { TopicPartition } from "../kafka/partitions.ts";
import type { MetadataResponse } from "../protocol/messages/metadata.ts";
import { offsetFetch } from "../protocol/messages/offset_fetch.ts";
import { checkBrokers } from "./brokers.ts";
import { checkCertificates } from "./certificate.ts";
import { checkDatabase, type KnownDatabase } from "./database.ts";
import { checkFields } from "./fields.ts";
import type { Finding } from "./findings.ts";
import { checkFormat } from "./format.ts";
import { checkGroup } from "./group.ts";
import { checkLeaders } from "./leaders.ts";
import { checkListeners } from "./listeners.ts";
import { checkLog } from "./log.ts";
import { checkLogin } from "./login.ts";
import { checkOffsets, readerOf } from "./offsets.ts";
import type { DoctorOptions } from "./options.ts";
import { checkOutput } from "./output.ts";
import { checkPaths } from "./paths.ts";
import { checkPlan } from "./plan.ts";
import { checkProgram, questionOf } from "./program.ts";
import { checkRegistry, needsRegistry } from "./registry.ts";
import { checkClientRights, checkRights } from "./rights.ts";
import { type Outcome, Rounds } from "./rounds.ts";
import { checkRows, type Sample } from "./rows.ts";
import { checkSecurity } from "./security.ts";
import { checkSource, type KnownSource } from "./source.ts";
import { checkTable, type KnownTable } from "./table.ts";
import { checkTopic } from "./topic.ts";
import { checkTypes } from "./types.ts";
import { checkVersions } from "./versions.ts";

/** What all checks of a run share. */
interface Examination {
  rounds: Rounds;
  options: DoctorOptions;
  /** Null if none is asked for. */
  database: Outcome<KnownDatabase> | null;
  source: Outcome<KnownSource> | null;
}

/** What was found out on the way to the cluster. */
interface Kafka {
  config: Outcome<ClientConfig>;
  cluster: Outcome<Cluster>;
  metadata: Outcome<MetadataResponse>;
}

/**
 * Looks at everything that a load goes through, from the brokers to the table, and reports what it
 * finds, a line a finding. Here are all checks, in the order of the report, and what each one needs
 * of those before it. Changes nothing anywhere. Returns the rounds, which have counted.
 */
export async function doctor(
  options: DoctorOptions,
  tell: (finding: Finding) => void,
): Promise<Rounds> {
  const { dsn, source: name, config: { timeout } } = options;
  const rounds = new Rounds(timeout, tell);
  await rounds.check("output", [], checkOutput);
  const database = dsn === null
    ? null
    : await rounds.check("database", [], (say) => checkDatabase(say, dsn, timeout));
  try {
    const source = name === null || database === null
      ? null
      : await rounds.check("source", [database], (say) => checkSource(say, database.value!, name));
    const examination: Examination = { rounds, options, database, source };
    const kafka = await examineKafka(examination);
    let partitions: number | null;
    try {
      partitions = await examineTopics(examination, kafka);
    } finally {
      kafka.cluster.value?.close();
    }
    if (database) await examinePrograms(examination, database, partitions);
  } finally {
    // Whatever is still under way there.
    await database?.value?.sql.end({ timeout: 1 });
  }
  return rounds;
}

/** The way to the cluster. */
async function examineKafka({ rounds, options, source }: Examination): Promise<Kafka> {
  const config = await rounds.check(
    "security",
    source ? [source] : [],
    (say) => checkSecurity(say, options, source?.value ?? null),
  );
  const brokers = await rounds.check(
    "brokers",
    [config],
    (say) => checkBrokers(say, config.value!),
  );
  if (config.value?.tls) {
    await rounds.check("certificate", [], (say) => checkCertificates(say, config.value!));
  }
  await rounds.check("versions", [brokers], (say) => {
    checkVersions(say, brokers.value!, config.value!.sasl !== null);
    return Promise.resolve(true);
  });
  const cluster: Outcome<Cluster> = { what: "login", value: null };
  const metadata = await rounds.check("login", [brokers], async (say) => {
    const reachable = brokers.value!.map(({ address }) => address);
    // What checks do not need of every broker is asked for where the broker has it.
    const apis = [fetch, listOffsets, findCoordinator, offsetFetch];
    cluster.value = new Cluster({ ...config.value!, brokers: reachable }, apis);
    return await checkLogin(say, cluster.value);
  });
  await rounds.check(
    "listeners",
    [metadata],
    (say) => checkListeners(say, config.value!, metadata.value!, brokers.value!),
  );
  return { config, cluster, metadata };
}

/**
 * The topics: their partitions, what is in them, who reads them, and whether they fit the table.
 * Returns how many partitions there are; null if that is not known.
 */
async function examineTopics(
  examination: Examination,
  kafka: Kafka,
): Promise<number | null> {
  const { rounds, options, database, source } = examination;
  const names = await topicNames(examination, kafka);
  if (names === null) return null;
  const known = source?.value ?? null;
  const target = known?.stage ?? known?.target ?? (options.table && quoteTable(options.table));
  // Once for all topics, in the place that they have in the report of one.
  const plan = once(async () =>
    known && await rounds.check(
      "plan",
      [],
      (say) => checkPlan(say, database!.value!, known, options.readerOf),
    )
  );
  const table = once(async () =>
    database && target
      ? await rounds.check(
        "table",
        [database],
        (say) => checkTable(say, database.value!, target, known?.columns ?? null),
      )
      : null
  );
  let partitions: number | null = null;
  for (const name of names) {
    const its = names.length > 1 ? { ...examination, rounds: rounds.ofTopic(name) } : examination;
    const count = await examineTopic(its, kafka, name, plan, table);
    if (count !== null) partitions = (partitions ?? 0) + count;
  }
  return partitions;
}

function once<T>(work: () => Promise<T>): () => Promise<T> {
  let result: Promise<T> | undefined;
  return () => result ??= work();
}

/** The topic that is asked for, or those of the source; null if there are none. */
async function topicNames(
  { rounds, options, source }: Examination,
  { cluster, metadata }: Kafka,
): Promise<readonly string[] | null> {
  if (options.topic !== null) return [options.topic];
  const known = source?.value ?? null;
  if (known?.topic) return [known.topic];
  if (known?.topics) return known.topics;
  if (known?.topicPattern) {
    const pattern = new RegExp(known.topicPattern, "u");
    const found = await rounds.check("topics", [metadata], async (say) => {
      const topics = await someMatchingTopics(cluster.value!, "its pattern", pattern);
      say("ok", `${topics.length} topics match "${pattern.source}"`);
      return topics.map(({ topic }) => topic);
    });
    return found.value;
  }
  const topic = { what: "--topic", value: null };
  await rounds.check("topic", source ? [source] : [topic], () => Promise.resolve(null));
  return null;
}

/** One of them. Returns how many partitions it has; null if that is not known. */
async function examineTopic(
  { rounds, options, database, source }: Examination,
  { config, cluster, metadata }: Kafka,
  name: string,
  planOnce: () => Promise<Outcome<true> | null>,
  tableOnce: () => Promise<Outcome<KnownTable> | null>,
): Promise<number | null> {
  const topic = await rounds.check(
    "topic",
    [metadata],
    (say) => checkTopic(say, cluster.value!, name),
  );
  const leaders = await rounds.check(
    "leaders",
    [topic],
    (say) => Promise.resolve(checkLeaders(say, topic.value!)),
  );
  const logs = await rounds.check(
    "log",
    [leaders],
    (say) => checkLog(say, cluster.value!, name, leaders.value!),
  );
  await rounds.check("format", [logs], (say) => checkFormat(say, cluster.value!, logs.value!));

  const known = source?.value ?? null;
  const group = known?.group ?? options.group;
  const state = await rounds.check(
    "group",
    [logs],
    (say) => checkGroup(say, cluster.value!, group, logs.value!),
  );
  const plan = await planOnce();
  await rounds.check("offsets", plan ? [logs, plan] : [state], async (say) => {
    const offsets = known?.offsets.get(name) ?? new Map();
    const stored = known ? { stored: offsets, changes: new Map() } : state.value!;
    const retention = state.value?.retention ?? null;
    const reader = readerOf(known, group, name);
    await checkOffsets(say, cluster.value!, logs.value!, stored, reader, retention);
    return true;
  });

  const sample = await examineRows({ rounds, options, database, source }, name, config, logs);
  const table = await tableOnce();
  if (table) {
    const fields = await rounds.check("fields", [sample, table], (say) => {
      const names = table.value!.columns.map(({ name }) => name);
      return Promise.resolve(checkFields(say, sample.value!.rows, names, table.value!.name));
    });
    await rounds.check("types", [fields], async (say) => {
      const { dsn, config: { timeout } } = options;
      await checkTypes(say, dsn!, sample.value!.rows, table.value!, timeout);
      return true;
    });
  }
  return topic.value?.partitions.length ?? null;
}

/** What the last records become: the flags that decide over it, the registry, rows, paths. */
async function examineRows(
  { rounds, options, source }: Examination,
  topic: string,
  config: Outcome<ClientConfig>,
  logs: Outcome<TopicPartition[]>,
): Promise<Outcome<Sample>> {
  const command = source?.value?.command ?? null;
  // It says something only if the flags of a source's command are wrong.
  const reader = await rounds.check(
    "reader",
    [],
    () => Promise.resolve(command === null ? options.rows : options.rowsOfCommand(command)),
  );
  const how = reader.value;
  const isFramed = how !== null && needsRegistry(how);
  const registry = isFramed
    ? await rounds.check("registry", [], async (say) => {
      return await checkRegistry(say, topic, how, await options.registry(how.registries));
    })
    : null;
  const needs = [logs, reader, ...(registry ? [registry] : [])];
  const sample = await rounds.check(
    "rows",
    needs,
    (say) =>
      checkRows(say, config.value!, logs.value!, options.sample, how!, registry?.value ?? null),
  );
  if (how !== null && how.fields.length + how.keyFields.length > 0) {
    await rounds.check(
      "paths",
      [sample],
      (say) => Promise.resolve(checkPaths(say, sample.value!, how)),
    );
  }
  return sample;
}

/** What the database runs, and where; `partitions` of the topic, if that is known. */
async function examinePrograms(
  { rounds, options, source }: Examination,
  database: Outcome<KnownDatabase>,
  partitions: number | null,
): Promise<void> {
  const known = source?.value ?? null;
  if (known?.via === "client") {
    await rounds.check(
      "rights",
      [database],
      (say) => checkClientRights(say, database.value!, known),
    );
    return;
  }
  const rights = await rounds.check(
    "rights",
    [database],
    (say) => checkRights(say, database.value!, partitions),
  );
  await rounds.check("program", [rights], async (say) => {
    const question = questionOf(options, source?.value ?? null);
    await checkProgram(say, database.value!, question, options.version);
    return true;
  });
}
