import { plain } from "../text.ts";
import type { Loaded } from "./database.ts";
import type { LoopEvents } from "./loop.ts";

/** Loads shown on a terminal. */
const SHOWN = 8;

/** A load in words. */
export function inWords(load: Loaded): string {
  const { rows, updated, deleted, filtered, rejected, seconds, lag, lost, loadNo, shares } = load;
  const speed = rows > 0 ? ` (${count(rows / Math.max(seconds, 0.001))} rows/s)` : "";
  const others = [
    [updated, "updated"],
    [deleted, "deleted"],
    [filtered, "filtered"],
    [rejected, "rejected"],
  ] as const;
  const left = others.map(([rows, how]) => rows > 0 ? `, ${count(rows)} ${how}` : "").join("");
  const gone = lost > 0 ? `, ${count(lost)} offsets lost` : "";
  const by = shares === undefined ? "" : ` (${shares} connections)`;
  return `load ${loadNo}${by}: ${count(rows)} rows${left}${gone} in ${
    seconds.toFixed(2)
  } s${speed}, ` +
    `lag ${count(lag)}`;
}

function count(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}

/** A line for each load that did something, and each that failed. */
export class LogReport implements LoopEvents {
  readonly #source: string;
  readonly #write: (line: string) => void;

  constructor(source: string, write: (line: string) => void) {
    this.#source = source;
    this.#write = write;
  }

  loaded(load: Loaded): void {
    if (load.records > 0) this.#write(`${this.#source}: ${inWords(load)}`);
  }

  failed(message: string, wait: number): void {
    this.#write(`${this.#source}: ${message}; trying again in ${wait / 1000} s`);
  }
}

/** The same on a terminal: a few lines that are drawn again and again in their place. */
export class ScreenReport implements LoopEvents {
  readonly #source: string;
  readonly #write: (text: string) => void;
  readonly #columns: () => number;
  readonly #loads: { at: Date; load: Loaded }[] = [];
  #state = "connecting";
  #since = performance.now();
  #rows = 0;
  #seconds = 0;
  #lag = 0;
  #drawn = 0;

  constructor(source: string, write: (text: string) => void, columns: () => number) {
    this.#source = source;
    this.#write = write;
    this.#columns = columns;
  }

  loading(): void {
    this.#turn("loading");
  }

  loaded(load: Loaded): void {
    this.#rows += load.rows;
    if (load.rows > 0) this.#seconds += load.seconds;
    this.#lag = load.lag;
    if (load.records > 0) {
      this.#loads.push({ at: new Date(), load });
      this.#loads.splice(0, this.#loads.length - SHOWN);
    }
    this.#turn("loaded");
  }

  failed(message: string, wait: number): void {
    this.#turn(`failed: ${message}; trying again in ${wait / 1000} s`);
  }

  waiting(): void {
    this.#turn("waiting for new records");
  }

  /** What a person did: an interrupt. */
  say(state: string): void {
    this.#turn(state);
  }

  #turn(state: string): void {
    this.#state = state;
    this.#since = performance.now();
    this.draw();
  }

  /** Draws all of it; call it once a second, too. */
  draw(): void {
    const width = Math.max(20, this.#columns());
    const lines = this.#lines().map((line) => line.length > width ? line.slice(0, width) : line);
    const up = this.#drawn > 0 ? `\x1b[${this.#drawn}A\r` : "";
    this.#write(`${up}\x1b[J${lines.join("\n")}\n`);
    this.#drawn = lines.length;
  }

  #lines(): string[] {
    const seconds = Math.floor((performance.now() - this.#since) / 1000);
    const speed = this.#rows / Math.max(this.#seconds, 0.001);
    return [
      `${plain(this.#source)}: ${plain(this.#state)}${seconds > 0 ? ` (${seconds} s)` : ""}`,
      `  ${count(this.#rows)} rows loaded, ${count(speed)} rows/s, lag ${count(this.#lag)}`,
      ...this.#loads.map(({ at, load }) => `  ${at.toTimeString().slice(0, 8)} ${inWords(load)}`),
    ];
  }
}
