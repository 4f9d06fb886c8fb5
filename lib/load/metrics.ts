import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { Loaded } from "./database.ts";
import type { LoopEvents } from "./loop.ts";

/** The metrics of a load loop, for Prometheus. */
export class LoadMetrics implements LoopEvents {
  readonly #registry = new Registry();
  readonly #rows: Counter;
  readonly #updated: Counter;
  readonly #deleted: Counter;
  readonly #filtered: Counter;
  readonly #rejected: Counter;
  readonly #records: Counter;
  readonly #withoutRow: Counter;
  readonly #lost: Counter;
  readonly #loads: Counter;
  readonly #errors: Counter;
  readonly #seconds: Histogram;
  readonly #lag: Gauge;
  readonly #last: Gauge;
  readonly #up: Gauge;
  #healthy = true;
  #lastSuccess = Date.now();
  #failedSince = 0;
  readonly #deadline: number;

  /** `every` is the time between loads, milliseconds. */
  constructor(source: string, every: number) {
    const registers = [this.#registry];
    this.#registry.setDefaultLabels({ source });
    const counter = (name: string, help: string) => new Counter({ name, help, registers });
    const gauge = (name: string, help: string) => new Gauge({ name, help, registers });
    this.#rows = counter("gpdb_kafka_rows_total", "Rows inserted");
    this.#updated = counter(
      "gpdb_kafka_updated_rows_total",
      "Rows inserted in place of a row with their key",
    );
    this.#deleted = counter("gpdb_kafka_deleted_rows_total", "Rows deleted by their key");
    this.#filtered = counter("gpdb_kafka_filtered_rows_total", "Rows that the filter left out");
    this.#rejected = counter(
      "gpdb_kafka_rejected_rows_total",
      "Rows left out by the reject limit",
    );
    this.#records = counter("gpdb_kafka_records_total", "Offsets passed");
    this.#withoutRow = counter(
      "gpdb_kafka_offsets_without_row_total",
      "Offsets passed without a row: tombstones, transactions, compaction, skipped records",
    );
    this.#lost = counter(
      "gpdb_kafka_lost_offsets_total",
      "Offsets that were deleted or skipped before they were read (on_lost)",
    );
    this.#loads = counter("gpdb_kafka_loads_total", "Loads that succeeded, empty ones too");
    this.#errors = counter("gpdb_kafka_load_errors_total", "Loads that failed");
    this.#lag = gauge("gpdb_kafka_lag_records", "Offsets left to load after the last load");
    this.#last = gauge(
      "gpdb_kafka_last_load_timestamp_seconds",
      "When the last load succeeded, Unix time",
    );
    this.#up = gauge("gpdb_kafka_up", "1 after a load that succeeded, 0 after one that failed");
    this.#seconds = new Histogram({
      name: "gpdb_kafka_load_seconds",
      help: "Duration of a load",
      buckets: [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800],
      registers,
    });
    // Three loads that did not come, or a long one; less than a minute is not worth an alert.
    this.#deadline = Math.max(3 * every, 60_000);
  }

  loaded(load: Loaded): void {
    const { rows, rejected, records, lag, lost, seconds } = load;
    this.#updated.inc(atLeastZero(load.updated));
    this.#deleted.inc(atLeastZero(load.deleted));
    this.#filtered.inc(atLeastZero(load.filtered));
    this.#rows.inc(atLeastZero(rows));
    this.#rejected.inc(atLeastZero(rejected));
    this.#records.inc(atLeastZero(records));
    this.#withoutRow.inc(atLeastZero(records - load.rowsRead));
    this.#lost.inc(atLeastZero(lost));
    this.#loads.inc();
    this.#seconds.observe(atLeastZero(seconds));
    this.#lag.set(atLeastZero(lag));
    this.#last.set(Date.now() / 1000);
    this.#up.set(1);
    this.#healthy = true;
    this.#lastSuccess = Date.now();
  }

  failed(): void {
    this.#errors.inc();
    this.#up.set(0);
    if (this.#healthy) this.#failedSince = Date.now();
    this.#healthy = false;
  }

  /** Answers GET /metrics and GET /healthz. */
  readonly answer = async (request: Request): Promise<Response> => {
    // Whatever a client says is its host, it is not one of this program's errors.
    if (!URL.canParse(request.url)) return new Response("not a URL\n", { status: 400 });
    const { pathname } = new URL(request.url);
    if (request.method !== "GET" && request.method !== "HEAD") {
      return new Response("GET only\n", { status: 405, headers: { allow: "GET, HEAD" } });
    }
    switch (pathname) {
      case "/metrics":
        return new Response(await this.#registry.metrics(), {
          headers: { "content-type": this.#registry.contentType },
        });
      case "/healthz":
        return this.#health();
      default:
        return new Response("/metrics or /healthz\n", { status: 404 });
    }
  };

  #health(): Response {
    const silent = Date.now() - this.#lastSuccess;
    if (this.#healthy && silent <= this.#deadline) return new Response("ok\n");
    // No more than that: what the database said is for the log, not for clients of this port.
    const why = this.#healthy
      ? `no load has ended for ${Math.round(silent / 1000)} s`
      : `the last load failed; loads have failed since ${
        new Date(this.#failedSince).toISOString()
      }`;
    return new Response(`${why}; see the log\n`, { status: 503 });
  }
}

/**
 * What a counter accepts; a number that is not a count is a mistake elsewhere, and ends no load.
 */
function atLeastZero(value: number): number {
  return value > 0 && value < Infinity ? value : 0;
}
