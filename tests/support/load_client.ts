/** Sources that gpdb-kafka reads itself (--via client), and their loads. */
import { Console } from "../../lib/cli/console.ts";
import { sourceReader } from "../../lib/cli/flags/source_reader.ts";
import type { Loaded, RunningLoad } from "../../lib/load/database.ts";
import { Dsn } from "../../lib/load/dsn.ts";
import { Connection } from "../../lib/load/connection.ts";
import { LoadSession } from "../../lib/load/session.ts";
import { Streams } from "../../lib/load/streams.ts";

/** A session of `gpdb-kafka load`, and what it has said. */
export interface ClientSession extends AsyncDisposable {
  start(source: string, maxRecords?: number | null): RunningLoad;
  load(source: string, maxRecords?: number | null): Promise<Loaded>;
  said: string[];
}

/** `jobs`: how many connections load. */
export function clientSession(dsn: string, jobs = 1): ClientSession {
  const said: string[] = [];
  const connection = {
    dsn: Dsn.parse("--dsn", dsn),
    name: "gpdb-kafka load",
    notice: (_: string, text: string) => void said.push(text),
  };
  const streams = new Streams(jobs - 1, () => new Connection(connection));
  const options = {
    ...connection,
    only: null,
    maxRecords: null as number | null,
    report: connection.notice,
    readerOf: (command: string) => sourceReader(command, new Console(0)),
    alone: connection.notice,
    streams,
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
    async [Symbol.asyncDispose]() {
      await Promise.all([session.close(), streams.close()]);
    },
  };
}
