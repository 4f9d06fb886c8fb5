import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { Loaded } from "./database.ts";
import type { LoopEvents } from "./loop.ts";

/**
 * The metrics of sources, for Prometheus: each has the label `source`, some also `topic`. Labels have
 * the names as they are, so that topics `a.b` and `a_b` stay apart.
 */
export class LoadMetrics {
  readonly #registry = new Registry();
  readonly #counters: Record<CounterName, Counter>;
  readonly #seconds: Histogram;
  readonly #lag: Gauge;
  readonly #last: Gauge;
  readonly #up: Gauge;
  readonly #topicLag: Gauge;
  readonly #topicRecords: Counter;
  readonly #health: SourceHealth[] = [];
  readonly #deadline: number;

  /** `every` is the time between loads, milliseconds. */
  constructor(every: number) {
    const common = { labelNames: ["source"], registers: [this.#registry] };
    const counter = (name: string, help: string) => new Counter({ name, help, ...common });
    const gauge = (name: string, help: string) => new Gauge({ name, help, ...common });
    this.#counters = {
      rows: counter("gpdb_kafka_rows_total", "Rows inserted"),
      updated: counter(
        "gpdb_kafka_updated_rows_total",
        "Rows inserted in place of a row with their key",
      ),
      deleted: counter("gpdb_kafka_deleted_rows_total", "Rows deleted by their key"),
      filtered: counter("gpdb_kafka_filtered_rows_total", "Rows that the filter left out"),
      rejected: counter("gpdb_kafka_rejected_rows_total", "Rows left out by the reject limit"),
      records: counter("gpdb_kafka_records_total", "Offsets passed"),
      withoutRow: counter(
        "gpdb_kafka_offsets_without_row_total",
        "Offsets passed without a row: tombstones, transactions, compaction, skipped records",
      ),
      lost: counter(
        "gpdb_kafka_lost_offsets_total",
        "Offsets that were deleted or skipped before they were read (on_lost)",
      ),
      loads: counter("gpdb_kafka_loads_total", "Loads that succeeded, empty ones too"),
      errors: counter("gpdb_kafka_load_errors_total", "Loads that failed"),
    };
    this.#lag = gauge("gpdb_kafka_lag_records", "Offsets left to load after the last load");
    this.#last = gauge(
      "gpdb_kafka_last_load_timestamp_seconds",
      "When the last load succeeded, Unix time",
    );
    this.#up = gauge("gpdb_kafka_up", "1 after a load that succeeded, 0 after one that failed");
    const ofTopic = { labelNames: ["source", "topic"], registers: [this.#registry] };
    this.#topicLag = new Gauge({
      name: "gpdb_kafka_topic_lag_records",
      help: "Offsets of a topic left to load after the last load",
      ...ofTopic,
    });
    this.#topicRecords = new Counter({
      name: "gpdb_kafka_topic_records_total",
      help: "Offsets of a topic passed",
      ...ofTopic,
    });
    this.#seconds = new Histogram({
      name: "gpdb_kafka_load_seconds",
      help: "Duration of a load",
      buckets: [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800],
      ...common,
    });
    // Three loads that did not come, or a long one; less than a minute is not worth an alert.
    this.#deadline = Math.max(3 * every, 60_000);
  }

  /** Counts what a source's loop does. Its metrics exist from now on, with the value 0. */
  of(source: string): LoopEvents {
    const health: SourceHealth = { healthy: true, lastSuccess: Date.now(), failedSince: 0 };
    this.#health.push(health);
    const labels = { source };
    for (const metric of [...Object.values(this.#counters)]) metric.inc(labels, 0);
    for (const metric of [this.#lag, this.#last, this.#up]) metric.set(labels, 0);
    this.#seconds.zero(labels);
    let topics: readonly string[] = [];
    return {
      loaded: (load) => {
        for (const [name, value] of Object.entries(counted(load))) {
          this.#counters[name as CounterName].inc(labels, atLeastZero(value));
        }
        this.#seconds.observe(labels, atLeastZero(load.seconds));
        this.#lag.set(labels, atLeastZero(load.lag));
        topics = this.#countTopics(source, load, topics);
        if (load.partly) return;
        this.#last.set(labels, Date.now() / 1000);
        this.#up.set(labels, 1);
        health.healthy = true;
        health.lastSuccess = Date.now();
      },
      failed: () => {
        this.#counters.errors.inc(labels);
        this.#up.set(labels, 0);
        if (health.healthy) health.failedSince = Date.now();
        health.healthy = false;
      },
    };
  }

  /** Counts what a load did of each topic; of one that is not loaded any more there is no lag. */
  #countTopics(source: string, { topics = [] }: Loaded, before: readonly string[]): string[] {
    for (const { topic, records, lag } of topics) {
      this.#topicRecords.inc({ source, topic }, atLeastZero(records));
      this.#topicLag.set({ source, topic }, atLeastZero(lag));
    }
    const names = topics.map(({ topic }) => topic);
    for (const topic of before) {
      if (!names.includes(topic)) this.#topicLag.remove({ source, topic });
    }
    return names;
  }

  /** The answer to Prometheus. */
  async metrics(): Promise<Response> {
    return new Response(await this.#registry.metrics(), {
      headers: { "content-type": this.#registry.contentType },
    });
  }

  /** Whether all sources are loaded; the answer to probes. */
  health(): Response {
    const now = Date.now();
    const sick = this.#health.map((one) => ({ ...one, silent: now - one.lastSuccess }))
      .filter(({ healthy, silent }) => !healthy || silent > this.#deadline);
    if (sick.length === 0) return new Response("ok\n");
    // No more than that: what the database said is for the log, not for clients of this port.
    const whys = sick.map(({ healthy, silent, failedSince }) =>
      healthy
        ? `no load has ended for ${Math.round(silent / 1000)} s`
        : `the last load failed; loads have failed since ${new Date(failedSince).toISOString()}`
    );
    const many = this.#health.length > 1
      ? `${sick.length} of ${this.#health.length} sources; of the first: `
      : "";
    return new Response(`${many}${whys[0]}; see the log\n`, { status: 503 });
  }
}

interface SourceHealth {
  healthy: boolean;
  lastSuccess: number;
  /** If it is not healthy. */
  failedSince: number;
}

type CounterName = "errors" | keyof ReturnType<typeof counted>;

function counted(load: Loaded) {
  const { rows, updated, deleted, filtered, rejected, records, rowsRead, lost } = load;
  const withoutRow = records - rowsRead;
  const loads = load.partly ? 0 : 1;
  return { rows, updated, deleted, filtered, rejected, records, withoutRow, lost, loads };
}

/**
 * What a counter accepts; a number that is not a count is a mistake elsewhere, and ends no load.
 */
function atLeastZero(value: number): number {
  return value > 0 && value < Infinity ? value : 0;
}
