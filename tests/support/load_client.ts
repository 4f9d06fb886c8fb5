/** Sources that gpdb-kafka reads itself (--via client), and their loads. */
import { Console } from "../../lib/cli/console.ts";
import { sourceReader } from "../../lib/cli/flags/source_reader.ts";
import type { Loaded, RunningLoad } from "../../lib/load/database.ts";
import { Dsn } from "../../lib/load/dsn.ts";
import { LoadSession } from "../../lib/load/session.ts";

/** A session of `gpdb-kafka load`, and what it has said. */
export interface ClientSession extends AsyncDisposable {
  start(source: string, maxRecords?: number | null): RunningLoad;
  load(source: string, maxRecords?: number | null): Promise<Loaded>;
  said: string[];
}

export function clientSession(dsn: string): ClientSession {
  const said: string[] = [];
  const options = {
    dsn: Dsn.parse("--dsn", dsn),
    name: "gpdb-kafka load",
    only: null,
    maxRecords: null as number | null,
    notice: (_: string, text: string) => said.push(text),
    report: (_: string, text: string) => said.push(text),
    readerOf: (command: string) => sourceReader(command, new Console(0)),
  };
  const session = new LoadSession(options);
  const start = (source: string, maxRecords: number | null = null) => {
    options.maxRecords = maxRecords;
    return session.start(source);
  };
  return {
    start,
    load: (source, maxRecords) => start(source, maxRecords).done,
    said,
    [Symbol.asyncDispose]: () => session.close(),
  };
}
