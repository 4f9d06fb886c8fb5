import { type LagReport, type LagSample, reportLag } from "../../admin/lag.ts";
import { readLag } from "../../admin/lag_reader.ts";
import { lagJson, lagLines, lagTable, sparkline } from "../../admin/lag_text.ts";
import { Cluster } from "../../kafka/cluster.ts";
import type { Row } from "postgres";
import type { ClientConfig } from "../../kafka/config.ts";
import { type Database, openDatabase } from "../../load/database.ts";
import { findSource, type Source, sourcePlaces } from "../../load/source.ts";
import { findCoordinator } from "../../protocol/messages/find_coordinator.ts";
import { listOffsets } from "../../protocol/messages/list_offsets.ts";
import { offsetFetch } from "../../protocol/messages/offset_fetch.ts";
import { plain } from "../../text.ts";
import { pause } from "../../waiting.ts";
import { clientConfig } from "../flags/connection.ts";
import { Console } from "../console.ts";
import { env } from "../environment.ts";
import { exitCodes } from "../exit_codes.ts";
import type { Given } from "../flags.ts";
import { lagFlags, type LagOptions, lagOptions } from "../flags/lag.ts";
import { print } from "../print.ts";
import type { Command } from "../run.ts";
import { parseDuration } from "../values.ts";

/** Samples that speeds are taken over: 20 s by default, in which a reader commits a few times. */
const SPEED_SAMPLES = 11;

/** Samples that the graph can show: more than a terminal is wide. */
const KEPT = 500;

/** The lag of a group, and when it will have caught up. */
export const lagCommand: Command = {
  name: "gpdb-kafka lag",
  about: "shows the consumer lag of a group or a database, and when it will have caught up",
  examples: [
    "gpdb-kafka lag --group loader",
    "gpdb-kafka lag --group loader --watch",
    "gpdb-kafka lag --source crimes --dsn postgres://gpadmin@coordinator/warehouse --json",
  ],
  flags: lagFlags,
  handlesSignals: true,
  answers: true,
  writes: true, // the database may listen on a Unix socket
  async run(given, console) {
    const options = lagOptions(given, env);
    const stop = stopSignal();
    const working = work(options, given, console, stop.signal);
    working.catch(() => {});
    const signal = await Promise.race([working, stop.received]);
    return signal ? exitCodes[signal].code : undefined;
  },
};

async function work(options: LagOptions, given: Given, console: Console, stopped: AbortSignal) {
  const { source, watch, interval } = options;
  const timeout = parseDuration("--timeout", given.get("timeout") ?? "30s");
  const sql = source ? openDatabase(source.dsn, `gpdb-kafka lag ${source.name}`) : null;
  let cluster: Cluster | null = null;
  const samples: LagSample[] = [];
  try {
    const found = sql && source ? await findSource(sql, source.name, timeout) : null;
    const config = await clientConfig(given, environment(found), console, "gpdb-kafka");
    cluster = new Cluster(config, [
      findCoordinator,
      listOffsets,
      offsetFetch,
    ]);
    const group = found?.group ?? options.group!;
    const topics = found ? (found.topic === null ? [] : [found.topic]) : options.topics;
    const view = new LagView(group, options);
    for (let due = performance.now();;) {
      const places = sql && found
        ? sourcePlaces(found.name, timeout, ask(sql, found, config))
        : null;
      samples.push(await readLag(cluster, group, topics, places));
      samples.splice(0, samples.length - SPEED_SAMPLES);
      if (watch || interval === null || samples.length > 1) {
        view.show(reportLag(samples, source !== null));
      }
      if (!watch && (interval === null || samples.length > 1)) return;
      const now = performance.now();
      due = Math.max(due + interval!, now);
      await pause(due - now, stopped);
      if (stopped.aborted) return;
    }
  } finally {
    cluster?.close();
    sql?.end({ timeout: 0 }).catch(() => {});
  }
}

/**
 * What the database answers of a source; if it does not read the topic itself, with what the cluster
 * says, which is reached as the flags say.
 */
function ask(
  sql: Database,
  { name, byClient }: Source,
  config: ClientConfig,
): (statement: string) => Promise<Row[]> {
  if (!byClient) return async (statement) => await sql.unsafe(statement);
  return async (statement) => {
    const { askPlanned } = await import("../../load/stand.ts");
    const { sourceReader } = await import("../flags/source_reader.ts");
    const quiet = new Console(0);
    return await askPlanned(sql, name, {
      purpose: "lag",
      readerOf: (command) => sourceReader(command, quiet, config),
      warn: quiet.warn,
    }, statement);
  };
}

/** The environment; the brokers of a source are used if nothing else names brokers. */
function environment(source: Source | null): (name: string) => string | undefined {
  return (name) => env(name) ?? (name === "KAFKA_PEERS" ? source?.brokers ?? undefined : undefined);
}

/** Prints reports: as JSON, on a terminal in place, else line by line. */
class LagView {
  readonly #group: string;
  readonly #options: LagOptions;
  readonly #terminal = Deno.stdout.isTerminal();
  readonly #lags: number[] = [];
  #drawn = 0;
  #shown = 0;

  constructor(group: string, options: LagOptions) {
    this.#group = group;
    this.#options = options;
  }

  show(report: LagReport): void {
    const { json, watch, interval, source } = this.#options;
    const layout = { speeds: interval !== null, database: source !== null };
    if (json) print(lagJson(this.#group, source?.name ?? null, report));
    else if (!watch) print(lagTable(report, layout));
    else if (this.#terminal) this.#draw(report, layout);
    else print(lagLines(report, layout, this.#shown === 0));
    this.#shown++;
  }

  /** Draws over what was drawn before; no more lines than the terminal has. */
  #draw(report: LagReport, layout: { speeds: boolean; database: boolean }): void {
    const size = Deno.consoleSize();
    // 0: a terminal that does not report its size.
    const [columns, rows] = [size.columns || 80, size.rows || 24];
    const lag = report.databaseLag ?? report.lag;
    this.#lags.push(lag);
    this.#lags.splice(0, this.#lags.length - KEPT);
    const name = this.#options.source?.name ?? this.#group;
    const title = `${plain(name)}  ${new Date(report.time).toTimeString().slice(0, 8)}  lag ${lag}`;
    const graph = sparkline(this.#lags, columns - 1);
    const body = lagTable(report, layout, rows - 6).split("\n").slice(0, -1);
    const lines = [title, graph, "", ...body].map((line) =>
      [...line].slice(0, columns - 1).join("")
    );
    print(`${this.#drawn > 0 ? `\x1b[${this.#drawn}A\r` : ""}\x1b[J${lines.join("\n")}\n`);
    this.#drawn = lines.length;
  }
}

/** A watch ends by a signal, without a message. */
function stopSignal() {
  const stop = new AbortController();
  const { promise, resolve } = Promise.withResolvers<"SIGINT" | "SIGTERM">();
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(name, () => {
      resolve(name);
      stop.abort();
    });
  }
  return { received: promise, signal: stop.signal };
}
