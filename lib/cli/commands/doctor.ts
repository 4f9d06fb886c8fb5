import { doctor } from "../../doctor/doctor.ts";
import { findingLine } from "../../doctor/findings.ts";
import { withoutSecrets } from "../../secret.ts";
import { doctorFlags, doctorOptions } from "../flags/doctor.ts";
import { env } from "../environment.ts";
import { exitCodes } from "../exit_codes.ts";
import { print } from "../print.ts";
import type { Command } from "../run.ts";

/** Checks everything between a topic and a table, piece by piece. */
export const doctorCommand: Command = {
  name: "gpdb-kafka doctor",
  about:
    "checks brokers, topic, offsets, rows and database: one line for each finding, with the remedy",
  examples: [
    "gpdb-kafka doctor --brokers broker1:9092",
    "gpdb-kafka doctor --brokers broker1:9092 --topic crimes --group loader",
    "gpdb-kafka doctor --dsn postgres://gpadmin@coordinator/warehouse --source crimes",
    "gpdb-kafka doctor --topic crimes --table public.crimes",
  ],
  flags: doctorFlags,
  needsNoArguments: true,
  answers: true,
  // A database may be reached over a Unix socket.
  writes: true,
  async run(given, console) {
    const options = await doctorOptions(given, env, console);
    const { counts } = await doctor(options, (finding) => {
      const line = findingLine(finding);
      console.record(line);
      if (!given.has("quiet") || finding.level === "warn" || finding.level === "fail") {
        print(withoutSecrets(line) + "\n");
      }
    });
    if (!given.has("quiet")) {
      const skipped = counts.skip > 0 ? `, ${counts.skip} skipped` : "";
      print(`\n${counts.ok} ok, ${counts.warn} warnings, ${counts.fail} failed${skipped}\n`);
    }
    return counts.fail > 0 ? exitCodes.found.code : exitCodes.done.code;
  },
};
