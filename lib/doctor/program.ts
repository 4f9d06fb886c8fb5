import { quoteLiteral, quoteProgram, quoteWord } from "../greenplum/quote.ts";
import { topicWords } from "../greenplum/source.ts";
import type { Database } from "../load/database.ts";
import type { KnownDatabase } from "./database.ts";
import { type Say, some } from "./findings.ts";
import type { DoctorOptions } from "./options.ts";
import type { KnownSource } from "./source.ts";

/** What is asked of the program on each host. */
export interface ProgramQuestion {
  /** A path as --program takes it, or a word of a shell command as it stands in one. */
  program: { path: string } | { word: string };
  /** Its arguments to reach the brokers and plan the topic; null if only its version is asked. */
  plan: readonly string[] | null;
}

/** One host's answer. */
interface Answer {
  segment: string;
  host: string;
  version: string;
  plan: string;
}

/** The longest that a segment's plan may take, seconds. */
const PLAN_TIMEOUT = 3;

/** What is asked of the program: of the source's own, if there is a source. */
export function questionOf(
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
  const words = source ? topicWords(source) : topic === null ? null : ["--topic", topic];
  const plan = connection === null || words === null ? null : [...connection, ...words];
  return { program: asked, plan };
}

/** Runs the program where the database would: on every segment, or on PostgreSQL's host. */
export async function checkProgram(
  say: Say,
  { sql, dialect }: KnownDatabase,
  question: ProgramQuestion,
  expected: string,
): Promise<void> {
  const command = questionCommand(question);
  const answers = await answersOf(sql, dialect, command);
  judgeAnswers(say, answers, question.plan !== null, dialect === "greenplum", expected);
}

/**
 * A shell command that prints `segment|host|version|plan`, whatever the program does. No
 * backslashes: they would have to survive SQL, CSV and the shell.
 */
export function questionCommand({ program, plan }: ProgramQuestion): string {
  const word = "path" in program ? quoteProgram(program.path) : program.word;
  // The first line of stdout, or if there is none, the last one of stderr.
  const ask = `ask() { "$@" 2>/dev/null </dev/null | head -n 1 | grep . || ` +
    `"$@" 2>&1 </dev/null | tail -n 1; }`;
  const said = (args: readonly string[]) =>
    `$(ask ${word} ${args.map(quoteWord).join(" ")} | tr -d '|"')`;
  const planned = plan === null ? "" : said(["plan", ...plan, "--timeout", `${PLAN_TIMEOUT}s`]);
  return `${ask}; echo "\${GP_SEGMENT_ID:-0}|$(uname -n)|${said(["--version"])}|${planned}"`;
}

async function answersOf(
  sql: Database,
  dialect: KnownDatabase["dialect"],
  command: string,
): Promise<Answer[]> {
  const table = `gpdb_kafka_doctor_${crypto.randomUUID().slice(0, 8)}`;
  const columns = "(segment text, host text, version text, plan text)";
  const statements = dialect === "greenplum"
    ? [
      `CREATE EXTERNAL WEB TABLE ${table} ${columns} EXECUTE ${quoteLiteral(command)} ON ALL ` +
      "FORMAT 'CSV' (DELIMITER '|' NULL '') ENCODING 'UTF8'",
    ]
    : [
      `CREATE TEMPORARY TABLE ${table} ${columns}`,
      `COPY ${table} FROM PROGRAM ${quoteLiteral(command)} ` +
      "(FORMAT csv, DELIMITER '|', NULL '', ENCODING 'UTF8')",
    ];
  // Whatever comes of it, nothing of it stays.
  await sql.unsafe("BEGIN");
  try {
    for (const statement of statements) await sql.unsafe(statement);
    const rows = await sql.unsafe(`SELECT segment, host, version, plan FROM ${table} ORDER BY 1`);
    return rows.map(({ segment, host, version, plan }) => ({
      segment,
      host,
      version: version ?? "",
      plan: plan ?? "",
    }));
  } finally {
    await sql.unsafe("ROLLBACK");
  }
}

/** Says where the program is missing, of another version, or can't reach the brokers. */
export function judgeAnswers(
  say: Say,
  answers: readonly Answer[],
  planned: boolean,
  isGreenplum: boolean,
  expected: string,
): void {
  const where = ({ segment, host }: Answer) =>
    isGreenplum ? `segment ${segment} on ${host}` : `the server's host ${host}`;
  const versionOf = ({ version }: Answer) => /^kafka_consumer (.+)/.exec(version)?.[1];
  const missing = answers.filter((answer) => versionOf(answer) === undefined);
  const there = answers.filter((answer) => versionOf(answer) !== undefined);
  if (missing.length > 0) {
    say(
      "fail",
      `kafka_consumer does not run for ${some(missing.map(where))}: ` +
        `${missing[0].version || "it prints nothing"}`,
      "copy it there, executable by the database's user, or name its path with --program",
    );
  }
  if (there.length > 0) {
    const versions = [...new Set(there.map((answer) => versionOf(answer)!))];
    const all = `kafka_consumer ${some(versions)} runs for ${some(there.map(where))}`;
    // Builds of one release for two platforms differ in what follows its number.
    const isThis = versions[0].split(" ")[0] === expected.split(" ")[0];
    if (versions.length === 1 && isThis) say("ok", all);
    else say("warn", `${all}; this is ${expected}`, "install the same version everywhere");
  }
  if (!planned || there.length === 0) return;
  const cut = there.filter(({ plan }) => !/^[\w.-]+,\d+,\d+,\d+,/.test(plan));
  if (cut.length === 0) say("ok", `the brokers and the topic can be reached from there, too`);
  else {
    say(
      "fail",
      `the topic cannot be read by ${some(cut.map(where))}: ${cut[0].plan || "it prints nothing"}`,
      "brokers advertise addresses that must be reachable from every one of these hosts",
    );
  }
}
