import type { Finding } from "./findings.ts";
import { Rounds } from "./findings.ts";
import { checkDatabase, findSource } from "./database.ts";
import { examineKafka } from "./examine_kafka.ts";
import { examinePrograms } from "./examine_programs.ts";
import { examineTopic } from "./examine_topic.ts";
import { checkMachine } from "./machine.ts";
import type { DoctorOptions, Examination } from "./options.ts";

/**
 * Looks at everything that a load goes through, from the brokers to the table, and tells what it
 * finds, a line a finding. Changes nothing anywhere. Returns the rounds, which have counted.
 */
export async function doctor(
  options: DoctorOptions,
  tell: (finding: Finding) => void,
): Promise<Rounds> {
  const { dsn, source: name, config: { timeout } } = options;
  const rounds = new Rounds(timeout, tell);
  await rounds.check("output", [], checkMachine);
  const database = dsn === null
    ? null
    : await rounds.check("database", [], (say) => checkDatabase(say, dsn, timeout));
  try {
    const source = name === null || database === null
      ? null
      : await rounds.check("source", [database], (say) => findSource(say, database.value!, name));
    const examination: Examination = { rounds, options, database, source };
    const kafka = await examineKafka(examination);
    let partitions: number | null;
    try {
      partitions = await examineTopic(examination, kafka);
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
