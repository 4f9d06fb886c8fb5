import type { KnownDatabase, KnownSource } from "./database.ts";
import type { Outcome } from "./findings.ts";
import type { DoctorOptions, Examination } from "./options.ts";
import { checkPrograms, checkRights, type ProgramQuestion } from "./programs.ts";

/** What the database runs, where it runs it; `partitions` of the topic, where that is known. */
export async function examinePrograms(
  { rounds, options, source }: Examination,
  database: Outcome<KnownDatabase>,
  partitions: number | null,
): Promise<void> {
  const rights = await rounds.check(
    "rights",
    [database],
    (say) => checkRights(say, database.value!, partitions),
  );
  await rounds.check("program", [rights], async (say) => {
    const question = questionOf(options, source?.value ?? null);
    await checkPrograms(say, database.value!, question, options.version);
    return true;
  });
}

function questionOf(
  { program, programArgs, topic }: DoctorOptions,
  source: KnownSource | null,
): ProgramQuestion {
  const [word] = /^(?:"[^"]*"|'[^']*'|[^\s'"])+/.exec(source?.command ?? "") ?? [];
  const asked = program === null && word !== undefined
    ? { word }
    : { path: program ?? "$HOME/kafka_consumer" };
  const connection = source
    ? [
      ...(source.configFile === null ? [] : ["--config", source.configFile]),
      ...(source.brokers === null ? [] : ["--brokers", source.brokers]),
    ]
    : programArgs;
  const name = source?.topic ?? topic;
  const plan = connection === null || name === null ? null : [...connection, "--topic", name];
  return { program: asked, plan };
}
