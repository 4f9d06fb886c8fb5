import { Failure } from "../../failure.ts";
import { Connection } from "../../load/connection.ts";
import { HttpServer } from "../../load/http.ts";
import { Loads } from "../../load/loads.ts";
import type { LoopEvents } from "../../load/loop.ts";
import { LogReport, ScreenReport } from "../../load/report.ts";
import { SourcesScreen } from "../../load/screen.ts";
import { findSources, withSuggestion } from "../../load/find_sources.ts";
import { LoadSession, sessionName } from "../../load/session.ts";
import { SourceStatus } from "../../load/status.ts";
import { Streams } from "../../load/streams.ts";
import { Turns } from "../../load/turns.ts";
import { withoutSecrets } from "../../secret.ts";
import { atMost } from "../../waiting.ts";
import type { Console } from "../console.ts";
import { env } from "../environment.ts";
import { exitCodes } from "../exit_codes.ts";
import type { Given } from "../flags.ts";
import { type Listen, loadFlags, type LoadOptions, loadOptions } from "../flags/load.ts";
import { type LoadSignals, onLoadSignals } from "../load_signals.ts";
import { tryWrite } from "../print.ts";
import type { Command } from "../run.ts";

const NAME = "gpdb-kafka load";

/** Topics into their tables, again and again. */
export const loadCommand: Command = {
  name: NAME,
  about: "loads one or more sources, once or repeatedly",
  examples: [
    "gpdb-kafka load crimes --dsn postgres://gpadmin@coordinator/warehouse --once",
    "gpdb-kafka load crimes --every 5s --listen 127.0.0.1:9187",
    "gpdb-kafka load --all --jobs 8 --every 5s --listen 127.0.0.1:9187",
    "gpdb-kafka load crimes --jobs 4 --every 5s",
  ],
  flags: loadFlags,
  handlesSignals: true,
  writes: true, // the database may listen on a Unix socket
  async run(given, console) {
    const options = loadOptions(given, env);
    const signals = onLoadSignals();
    try {
      const sources = options.sources ??
        await findSources(options, signals.stopping, (text) => console.warn(text));
      // Null if a signal came before the database could be asked.
      if (sources !== null) await loadAll(options, sources, given, console, signals);
      return signals.received === null ? undefined : exitCodes[signals.received].code;
    } finally {
      signals.remove();
    }
  },
};

async function loadAll(
  options: LoadOptions,
  sources: readonly string[],
  given: Given,
  console: Console,
  signals: LoadSignals,
): Promise<void> {
  const { every, patience, maxRecords, listen } = options;
  const several = sources.length > 1;
  const statuses = new Map(sources.map((source) => [source, new SourceStatus(source)]));
  const onScreen = Deno.stdout.isTerminal() && !given.has("quiet") && !given.has("verbose");
  const screen = !onScreen
    ? null
    : several
    ? new SourcesScreen([...statuses.values()], (text) => void write(text), size)
    : new ScreenReport(sources[0], (text) => void write(text), () => size().columns);
  const say = (text: string) => screen ? screen.say(text) : console.warn(text);
  const log = reporter(given, console, screen !== null);
  const jobs = options.jobs(sources.length);
  const session = {
    dsn: options.dsn,
    name: NAME,
    only: several ? null : sources[0],
    maxRecords,
    // Such as that another session is loading the source, and this one waits for it.
    notice: (source: string, text: string) => say(several ? `${source}: ${text}` : text),
    // Such as records that are left out: there may be many.
    report: (source: string, text: string) => log(several ? `${source}: ${text}` : text),
    readerOf: async (command: string) =>
      await (await import("../flags/source_reader.ts")).sourceReader(command, console),
  };
  const streams = new Streams(
    jobs.left,
    () => new Connection({ ...session, name: sessionName(session) }),
  );
  const isAlone = new Set<string>();
  const alone = (source: string, why: string) => {
    if (jobs.left === 0 || several || isAlone.has(source)) return;
    isAlone.add(source);
    say(`--jobs: source "${source}" is loaded by one connection, because ${why}`);
  };
  const sessions = Array.from(
    { length: jobs.atOnce },
    () => new LoadSession({ ...session, streams, alone }),
  );
  const turns = new Turns(sessions);
  let server: HttpServer | null = null;
  let redraw: ReturnType<typeof setInterval> | undefined;
  try {
    const served = listen === null ? null : await serve(listen, every, statuses, console);
    server = served?.server ?? null;
    const loads = new Loads({
      ...{ sources, every, patience },
      start: async (source, signal) => {
        const session = await turns.take(signal);
        if (session === null) return null;
        const { done, cancel } = session.start(source);
        return { done: done.finally(() => turns.give(session)), cancel };
      },
      broken: (error) => {
        const why = error instanceof Error ? error.message : String(error);
        console.warn(`cannot report the loads: ${why} — the loads continue without reports`);
      },
      explain: (source, failure) => withSuggestion(failure, options.dsn, source),
      ended: (source, failure) => {
        statuses.get(source)!.ended(failure.message);
        if (several) console.error(`${NAME}: ${failure.message}`);
      },
    }, (source): LoopEvents[] => [
      statuses.get(source)!,
      new LogReport(source, log),
      ...(screen instanceof ScreenReport ? [screen] : []),
      ...(served ? [served.metrics.of(source)] : []),
    ]);
    if (screen) redraw = setInterval(() => screen.draw(), 1000);
    signals.attach(loads, say);
    const running = loads.run();
    running.catch(() => {}); // of no interest once it is abandoned
    await Promise.race([running, signals.abandoned]);
    if (screen instanceof SourcesScreen) screen.draw();
  } finally {
    clearInterval(redraw);
    await Promise.all([
      server?.close(),
      ...[...sessions, streams].map((one) => atMost(1000, one.close())),
    ]);
  }
}

/** Writes lines to the log file, and to stdout if there is no screen. */
function reporter(given: Given, console: Console, hasScreen: boolean): (line: string) => void {
  let warned = false;
  return (line) => {
    console.record(line);
    if (hasScreen || given.has("quiet")) return;
    const why = write(`${new Date().toISOString()} ${line}\n`);
    if (why === null || warned) return;
    warned = true;
    console.warn(`cannot write to stdout: ${why} — the loads continue; lines are missing there`);
  };
}

async function serve(
  { hostname, port, token, isLoopback }: Listen,
  every: number | null,
  statuses: ReadonlyMap<string, SourceStatus>,
  console: Console,
) {
  // Loaded here only: nothing else needs them.
  const { LoadMetrics } = await import("../../load/metrics.ts");
  const { LoadSite } = await import("../../load/site.ts");
  const metrics = new LoadMetrics(every ?? 0);
  const access = { token, localOnly: isLoopback && token === null };
  const site = new LoadSite(metrics, [...statuses.values()], access);
  let listener: Deno.TcpListener;
  try {
    listener = Deno.listen({ hostname, port });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Failure("usage", `--listen: cannot listen on ${hostname}:${port}: ${why}`);
  }
  if (token === null && !isLoopback) {
    console.warn(
      `--listen ${hostname}:${port}: everyone who can connect sees the sources, their lag and ` +
        "errors — use --listen-token-file, or a loopback address such as 127.0.0.1",
    );
  }
  const address = listener.addr as Deno.NetAddr;
  console.debug(`status page on http://${address.hostname}:${address.port}/`);
  return { metrics, server: new HttpServer(listener, site.answer) };
}

/** Writes to stdout; returns why that failed, or null. A database may repeat what it was sent. */
function write(text: string): string | null {
  return tryWrite(Deno.stdout, withoutSecrets(text));
}

/** A terminal that was closed has no size. */
function size(): { columns: number; rows: number } {
  try {
    return Deno.consoleSize();
  } catch {
    return { columns: 80, rows: 24 };
  }
}
