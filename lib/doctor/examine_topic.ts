import { quoteTable } from "../greenplum/source.ts";
import { checkLastBatches } from "./batches.ts";
import { checkPlan, findTable, type KnownTable } from "./database.ts";
import type { KafkaOutcome } from "./examine_kafka.ts";
import type { Outcome } from "./findings.ts";
import { checkGroup } from "./group.ts";
import { checkOffsets } from "./offsets.ts";
import type { Examination } from "./options.ts";
import { compareColumns, sampleRows } from "./rows.ts";
import { checkLeaders, findTopic, type PartitionLog, readLogs } from "./topic.ts";
import { tryRows } from "./try_rows.ts";

/**
 * The topic: its partitions, what is in them, who reads them, and whether it fits the table.
 * Returns how many partitions it has; null if that is not known.
 */
export async function examineTopic(
  examination: Examination,
  kafka: KafkaOutcome,
): Promise<number | null> {
  const { rounds, options, source } = examination;
  const { cluster, metadata } = kafka;
  const name = options.topic ?? source?.value?.topic ?? null;
  if (name === null) {
    const topic = { what: "--topic", value: null };
    await rounds.check("topic", source ? [source] : [topic], () => Promise.resolve(null));
    return null;
  }
  const topic = await rounds.check(
    "topic",
    [metadata],
    (say) => findTopic(say, cluster.value!, name),
  );
  const leaders = await rounds.check(
    "leaders",
    [topic],
    (say) => Promise.resolve(checkLeaders(say, topic.value!)),
  );
  const logs = await rounds.check(
    "log",
    [leaders],
    (say) => readLogs(say, cluster.value!, name, leaders.value!),
  );
  await rounds.check(
    "format",
    [logs],
    (say) => checkLastBatches(say, cluster.value!, name, logs.value!),
  );
  await examineOffsets(examination, kafka, name, logs);
  await examineRows(examination, kafka, name, logs);
  return topic.value?.partitions.length ?? null;
}

async function examineOffsets(
  { rounds, options, database, source }: Examination,
  { cluster }: KafkaOutcome,
  topic: string,
  logs: Outcome<PartitionLog[]>,
): Promise<void> {
  const group = source?.value?.group ?? options.group;
  const state = await rounds.check(
    "group",
    [logs],
    (say) => checkGroup(say, cluster.value!, group, topic, logs.value!),
  );
  const known = source?.value;
  const needs = known
    ? [logs, await rounds.check("plan", [], (say) => checkPlan(say, database!.value!, known))]
    : [state];
  await rounds.check("offsets", needs, async (say) => {
    const retention = state.value?.retention ?? null;
    const stored = known ? { stored: known.offsets, changes: new Map() } : state.value!;
    const reader = known
      ? {
        name: `source "${known.name}"`,
        toEarliest: `SELECT kafka.seek('${known.name}', 'earliest') continues with what is left`,
        whenNone: "the fallback of the source decides where the first load starts",
        isPlanned: true,
      }
      : {
        name: `group "${group}"`,
        toEarliest:
          "--on-lost earliest, or gpdb-kafka offsets reset --to earliest, continues with " +
          "what is left",
        whenNone: "the first run starts at --fallback",
        isPlanned: false,
      };
    await checkOffsets(say, cluster.value!, topic, logs.value!, stored, reader, retention);
    return true;
  });
}

async function examineRows(
  { rounds, options, database, source }: Examination,
  { config }: KafkaOutcome,
  topic: string,
  logs: Outcome<PartitionLog[]>,
): Promise<void> {
  const rows = await rounds.check("rows", [logs], (say) => {
    const command = source?.value?.command;
    const how = command === undefined ? options.rows : options.rowsOfCommand(command);
    return sampleRows(say, config.value!, topic, logs.value!, options.sample, how);
  });
  const wanted = source?.value?.target ?? (options.table && quoteTable(options.table));
  if (!database || !wanted) return;
  const columns = source?.value?.columns ?? null;
  const table: Outcome<KnownTable> = await rounds.check(
    "table",
    [database],
    (say) => findTable(say, database.value!, wanted, columns),
  );
  const fields = await rounds.check("fields", [rows, table], (say) => {
    const names = table.value!.columns.map(({ name }) => name);
    return Promise.resolve(compareColumns(say, rows.value!, names, table.value!.name));
  });
  await rounds.check("types", [fields], async (say) => {
    const { dsn, config: { timeout } } = options;
    await tryRows(say, dsn!, rows.value!, table.value!, timeout);
    return true;
  });
}
