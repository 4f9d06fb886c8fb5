import type { Progress } from "../produce/produce.ts";

/** How often the line is redrawn, milliseconds. */
const INTERVAL = 200;

/** A line on a terminal that shows how far a run is; on anything else nothing is shown. */
export class ProgressLine {
  readonly #write: (text: string) => void;
  readonly #total: number | null;
  readonly #started = performance.now();
  readonly #timer: ReturnType<typeof setInterval>;

  /** `total`: the size of the input in bytes, if it is known. */
  constructor(write: (text: string) => void, progress: () => Progress, total: number | null) {
    this.#write = write;
    this.#total = total;
    this.#timer = setInterval(() => {
      write(`\r${progressText(progress(), performance.now() - this.#started, this.#total)}\x1b[K`);
    }, INTERVAL);
  }

  /** Removes the line, so that another one can be written there. */
  clear(): void {
    this.#write("\r\x1b[K");
  }

  stop(): void {
    clearInterval(this.#timer);
    this.clear();
  }
}

/** `1,200,000 rows  150 MB/s  60%  2 s left`. `elapsed` is in milliseconds. */
export function progressText(
  { read, delivered, bytes }: Progress,
  elapsed: number,
  total: number | null,
): string {
  const rate = bytes / 1000 / Math.max(elapsed, 1);
  const parts = [
    `${delivered.toLocaleString("en-US")} rows delivered of ${read.toLocaleString("en-US")} read`,
    `${rate.toFixed(1)} MB/s`,
  ];
  if (total !== null && total > 0) {
    // Of a row its bytes are known without what ended it: a newline.
    const share = Math.min((bytes + read) / total, 1);
    parts.push(`${Math.floor(share * 100)}%`);
    if (share > 0) parts.push(`${Math.ceil(elapsed * (1 - share) / share / 1000)} s left`);
  }
  return parts.join("  ");
}
