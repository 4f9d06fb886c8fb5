import type { Loaded, TopicLoad } from "./database.ts";
import type { LoopEvents } from "./loop.ts";

/** What a source does now. */
export type SourceState = "connecting" | "loading" | "waiting" | "failed" | "ended";

/** Loads that are kept for people. */
const KEPT = 12;
/** The lag of an hour, the highest of each 15 s. */
const COURSE_TIME = 3_600_000;
const COURSE_STEP = 15_000;
/** What the speed is an average of, milliseconds. */
const SPEED_TIME = 60_000;

/** The lag after a load; times are epoch milliseconds. */
export interface LagSample {
  at: number;
  lag: number;
}

/** A failure as people see it. */
export interface SourceError {
  at: number;
  /** What failed, and why. */
  what: string;
  /** What to do, if the error says it. */
  remedy: string | null;
}

/** What a source has done since the start, for the page and the terminal. Nothing here is stored. */
export class SourceStatus implements LoopEvents {
  readonly source: string;
  readonly #now: () => number;
  readonly #started: number;
  state: SourceState = "connecting";
  /** Since when, epoch milliseconds. */
  since: number;
  rows = 0;
  rejected = 0;
  lost = 0;
  loads = 0;
  errors = 0;
  /** After the last load; null before it. */
  lag: number | null = null;
  lastLoad: number | null = null;
  error: SourceError | null = null;
  readonly course: LagSample[] = [];
  /** By topic, since the start; of each topic that the last load read. */
  topics: readonly TopicLoad[] = [];
  /** The last loads that read records, the newest first. */
  readonly recent: { at: number; load: Loaded }[] = [];
  /** Rows of the last minute. */
  readonly #speeds: { at: number; rows: number }[] = [];

  constructor(source: string, now: () => number = Date.now) {
    this.source = source;
    this.#now = now;
    this.#started = now();
    this.since = this.#started;
  }

  loading(): void {
    this.#turn("loading");
  }

  loaded(load: Loaded): void {
    const at = this.#now();
    this.rows += load.rows;
    this.rejected += load.rejected;
    this.lost += load.lost;
    if (!load.partly) this.loads++;
    this.lag = load.lag;
    this.lastLoad = at;
    const before = new Map(this.topics.map(({ topic, records }) => [topic, records]));
    this.topics = (load.topics ?? []).map(({ topic, records, lag }) => ({
      topic,
      records: records + (before.get(topic) ?? 0),
      lag,
    }));
    this.#speeds.push({ at, rows: load.rows });
    this.#forget(at);
    const last = this.course.at(-1);
    if (last && Math.floor(last.at / COURSE_STEP) === Math.floor(at / COURSE_STEP)) {
      last.lag = Math.max(last.lag, load.lag);
    } else {
      this.course.push({ at, lag: load.lag });
    }
    if (load.records > 0) {
      this.recent.unshift({ at, load });
      this.recent.splice(KEPT);
    }
  }

  failed(message: string): void {
    this.errors++;
    this.error = { at: this.#now(), ...withRemedy(message) };
    this.#turn("failed");
  }

  waiting(): void {
    this.#turn("waiting");
  }

  /** Its loads have ended for good. */
  ended(message: string): void {
    this.failed(message);
    this.#turn("ended");
  }

  /** Whether it has failed since its last load. */
  get failing(): boolean {
    return this.error !== null && this.error.at >= (this.lastLoad ?? 0);
  }

  /** Rows a second, over the last minute. */
  get speed(): number {
    const now = this.#now();
    this.#forget(now);
    const rows = this.#speeds.reduce((sum, { rows }) => sum + rows, 0);
    return rows * 1000 / Math.min(SPEED_TIME, Math.max(now - this.#started, 1000));
  }

  #forget(now: number): void {
    while (this.#speeds.length > 0 && this.#speeds[0].at < now - SPEED_TIME) this.#speeds.shift();
    while (this.course.length > 0 && this.course[0].at < now - COURSE_TIME) this.course.shift();
  }

  #turn(state: SourceState): void {
    this.state = state;
    this.since = this.#now();
  }
}

/** `cannot X: why — what to do`: messages have the remedy after their last dash. */
function withRemedy(message: string): { what: string; remedy: string | null } {
  const dash = message.lastIndexOf(" — ");
  if (dash === -1) return { what: message, remedy: null };
  return { what: message.slice(0, dash), remedy: message.slice(dash + 3) };
}
