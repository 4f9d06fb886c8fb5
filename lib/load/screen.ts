import { plain } from "../text.ts";
import type { SourceStatus } from "./status.ts";

/** Several sources on a terminal: a line for each, drawn again and again in their place. */
export class SourcesScreen {
  readonly #sources: readonly SourceStatus[];
  readonly #write: (text: string) => void;
  readonly #size: () => { columns: number; rows: number };
  #said = "";
  #drawn = 0;

  constructor(
    sources: readonly SourceStatus[],
    write: (text: string) => void,
    size: () => { columns: number; rows: number },
  ) {
    this.#sources = sources;
    this.#write = write;
    this.#size = size;
  }

  /** What a person did, or the database says. */
  say(text: string): void {
    this.#said = text;
    this.draw();
  }

  /** Draws all of it; call it once a second. */
  draw(): void {
    const { columns, rows } = this.#size();
    const width = Math.max(20, columns);
    const lines = this.#lines(Math.max(4, rows - 1)).map((line) => line.slice(0, width));
    const up = this.#drawn > 0 ? `\x1b[${this.#drawn}A\r` : "";
    this.#write(`${up}\x1b[J${lines.join("\n")}\n`);
    this.#drawn = lines.length;
  }

  /** At most this many; sources that fail come first, then those with the largest lag. */
  #lines(most: number): string[] {
    const order = [...this.#sources].sort((a, b) =>
      Number(b.failing) - Number(a.failing) || (b.lag ?? 0) - (a.lag ?? 0)
    );
    const room = most - 1 - (this.#said === "" ? 0 : 1);
    const shown = order.length > room ? order.slice(0, room - 1) : order;
    const left = order.length - shown.length;
    const width = Math.min(32, Math.max(...shown.map(({ source }) => source.length)));
    const sum = (of: (source: SourceStatus) => number) =>
      count(this.#sources.reduce((sum, source) => sum + of(source), 0));
    return [
      `${this.#sources.length} sources: ${sum(({ rows }) => rows)} rows loaded, ` +
      `${sum(({ speed }) => speed)} rows/s, lag ${sum(({ lag }) => lag ?? 0)}`,
      ...shown.map((source) => this.#line(source, width)),
      ...(left > 0 ? [`  and ${left} more`] : []),
      ...(this.#said === "" ? [] : [plain(this.#said)]),
    ];
  }

  #line(source: SourceStatus, width: number): string {
    const { state, rows, lag, error, failing } = source;
    const name = plain(source.source).slice(0, width).padEnd(width);
    const does = failing ? `failed: ${plain(error?.what ?? "")}` : state;
    return `  ${name}  ${count(rows)} rows, lag ${lag === null ? "-" : count(lag)}, ${does}`;
  }
}

function count(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}
