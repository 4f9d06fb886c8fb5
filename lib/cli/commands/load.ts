import { Failure } from "../../failure.ts";
import { type Database, openDatabase, startLoad } from "../../load/database.ts";
import type { Dsn } from "../../load/dsn.ts";
import { LoadLoop, type LoopEvents } from "../../load/loop.ts";
import { HttpServer } from "../../load/http.ts";
import { LogReport, ScreenReport } from "../../load/report.ts";
import { sourceNames } from "../../load/source.ts";
import { shown, withoutSecrets } from "../../secret.ts";
import { suggestion } from "../../text.ts";
import { atMost } from "../../waiting.ts";
import type { Console } from "../console.ts";
import { neededDsn } from "../flags/dsn.ts";
import { env } from "../environment.ts";
import { exitCodes } from "../exit_codes.ts";
import type { Given } from "../flags.ts";
import { logFlags } from "../flags/log.ts";
import { tryWrite } from "../print.ts";
import type { Command } from "../run.ts";
import { parseAddressFlag, parseCount, parseDuration } from "../values.ts";

/** How long a load may take to end by itself after a SIGTERM, milliseconds. */
const GRACE = 10_000;

interface LoadFlags {
  source: string;
  dsn: Dsn;
  every: number | null;
  patience: number;
  maxRecords: number | null;
  listen: { hostname: string; port: number } | null;
}

/** A topic into its table, again and again. */
export const loadCommand: Command = {
  name: "gpdb-kafka load",
  about: "calls kafka.load for a source, once or repeatedly",
  examples: [
    "gpdb-kafka load crimes --dsn postgres://gpadmin@coordinator/warehouse --once",
    "gpdb-kafka load crimes --every 5s --listen 127.0.0.1:9187",
  ],
  flags: [
    { name: "dsn", value: "URL", help: "the database (else env DATABASE_URL)" },
    { name: "once", help: "load until there is nothing new, then exit (the default)" },
    { name: "every", value: "DUR", help: "keep running, and look for new records this often" },
    {
      name: "max-records",
      short: "c",
      value: "N",
      help: "at most N records of each partition in one transaction (the source's max_records)",
    },
    {
      name: "listen",
      value: "HOST:PORT",
      help: "serve /metrics (Prometheus) and /healthz at this address",
    },
    {
      name: "timeout",
      value: "DUR",
      help: "with --once: how long to retry after a failure that may pass (30s)",
    },
    ...logFlags,
  ],
  handlesSignals: true,
  writes: true, // the database may listen on a Unix socket
  async run(given, console) {
    const flags = loadFlags(given, env);
    let say = (text: string) => console.warn(text);
    // Such as that another session is loading the source, and this one waits for it.
    const sql = openDatabase(flags.dsn, `gpdb-kafka load ${flags.source}`, (text) => say(text));
    const screen = Deno.stdout.isTerminal() && !given.has("quiet") && !given.has("verbose")
      ? new ScreenReport(flags.source, (text) => void write(text), columns)
      : null;
    if (screen) say = (text) => screen.say(text);
    try {
      return await loop(flags, given, console, sql, screen, say);
    } catch (error) {
      throw await withSuggestion(error, sql, flags.source);
    } finally {
      await sql.end({ timeout: 1 });
    }
  },
};

/** SQLSTATE of a source that does not exist. */
const UNDEFINED_OBJECT = "42704";

/** How long the names of the sources are waited for when the one given is not among them. */
const NAMES_TIMEOUT = 2000;

/** The failure of a load, with the source that was meant if the one given does not exist. */
async function withSuggestion(error: unknown, sql: Database, source: string): Promise<unknown> {
  const { code } = (error instanceof Failure ? error.cause ?? {} : {}) as { code?: unknown };
  if (!(error instanceof Failure) || code !== UNDEFINED_OBJECT) return error;
  let names: string[] = [];
  await atMost(NAMES_TIMEOUT, sourceNames(sql).then((found) => names = found));
  const [failed, todo = ""] = error.message.split(/(?= — )/);
  const message = failed + suggestion(source, names, todo);
  return new Failure(error.kind, message, { cause: error.cause });
}

async function loop(
  flags: LoadFlags,
  given: Given,
  console: Console,
  sql: Database,
  screen: ScreenReport | null,
  say: (text: string) => void,
): Promise<number | void> {
  const { source, every, patience, maxRecords } = flags;
  let warned = false;
  const log = new LogReport(source, (line) => {
    console.record(line);
    if (screen || given.has("quiet")) return;
    const why = write(`${new Date().toISOString()} ${line}\n`);
    if (why === null || warned) return;
    warned = true;
    console.warn(`cannot write to stdout: ${why} — the loads continue; lines are missing there`);
  });
  const events: LoopEvents[] = [log, ...(screen ? [screen] : [])];
  const server = flags.listen ? await listen(flags, flags.listen, events, console) : null;
  const start = () => startLoad(sql, source, maxRecords);
  const broken = (error: unknown) => {
    const why = error instanceof Error ? error.message : String(error);
    console.warn(`cannot report the loads: ${why} — the loads continue without reports`);
  };
  const loads = new LoadLoop({ source, every, patience, start, broken }, events);
  const redraw = screen ? setInterval(() => screen.draw(), 1000) : undefined;
  const signals = onSignals(loads, say);
  try {
    await loads.run();
    return signals.received === null ? undefined : exitCodes[signals.received].code;
  } finally {
    signals.remove();
    clearInterval(redraw);
    await server?.close();
  }
}

async function listen(
  { source, every }: LoadFlags,
  { hostname, port }: { hostname: string; port: number },
  events: LoopEvents[],
  console: Console,
): Promise<HttpServer> {
  // Loaded here only: nothing else needs it.
  const { LoadMetrics } = await import("../../load/metrics.ts");
  const metrics = new LoadMetrics(source, every ?? 0);
  events.push(metrics);
  try {
    const listener = Deno.listen({ hostname, port });
    const address = listener.addr as Deno.NetAddr;
    console.debug(`metrics on http://${address.hostname}:${address.port}/metrics`);
    return new HttpServer(listener, metrics.answer);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Failure("usage", `--listen: cannot listen on ${hostname}:${port}: ${why}`);
  }
}

/**
 * The first SIGINT lets the running load end, the second cancels it; SIGTERM gives it some time.
 */
function onSignals(loads: LoadLoop, say: (text: string) => void) {
  const state = { received: null as "SIGINT" | "SIGTERM" | null, remove };
  let timer: ReturnType<typeof setTimeout> | undefined;
  const onInt = () => {
    if (state.received !== null) loads.cancel();
    else if (loads.loading) say("stopping after this load; press Ctrl-C again to cancel it");
    state.received ??= "SIGINT";
    loads.stop();
  };
  const onTerm = () => {
    state.received ??= "SIGTERM";
    loads.stop();
    timer ??= setTimeout(() => loads.cancel(), GRACE);
  };
  Deno.addSignalListener("SIGINT", onInt);
  Deno.addSignalListener("SIGTERM", onTerm);
  function remove() {
    clearTimeout(timer);
    Deno.removeSignalListener("SIGINT", onInt);
    Deno.removeSignalListener("SIGTERM", onTerm);
  }
  return state;
}

function loadFlags(given: Given, env: (name: string) => string | undefined): LoadFlags {
  const [source, extra] = given.files;
  if (!source) throw new Failure("usage", "no source: use gpdb-kafka load SOURCE");
  if (extra !== undefined) throw new Failure("usage", `"${shown(extra)}" is one argument too many`);
  given.excludes("every", ["once", "timeout"]);
  return {
    source,
    dsn: neededDsn(given, env),
    every: given.has("every") ? parseDuration("--every", given.get("every")!) : null,
    patience: parseDuration("--timeout", given.get("timeout") ?? "30s"),
    maxRecords: given.has("max-records")
      ? parseCount("--max-records", given.get("max-records")!, 1)
      : null,
    listen: given.has("listen") ? parseAddressFlag("--listen", given.get("listen")!) : null,
  };
}

/** Writes to stdout; returns why that failed, or null. A database may repeat what it was sent. */
function write(text: string): string | null {
  return tryWrite(Deno.stdout, withoutSecrets(text));
}

/** A terminal that was closed has no width. */
function columns(): number {
  try {
    return Deno.consoleSize().columns;
  } catch {
    return 80;
  }
}
