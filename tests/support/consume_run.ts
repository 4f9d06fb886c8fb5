/**
 * Runs the consumer inside the test's process: against scripted brokers, with its rows collected.
 */
import { consume, type Summary } from "../../lib/consume/consume.ts";
import type { ConsumeOptions } from "../../lib/consume/options.ts";
import { Failure } from "../../lib/failure.ts";
import { defaults } from "./consume_options.ts";
import type { ScriptedBroker } from "./scripted_broker/mod.ts";

export interface ConsumeRun {
  rows: string[];
  /** Null if the run failed. */
  summary: Summary | null;
  failure: Failure | null;
  warnings: string[];
  ms: number;
}

export interface RunOptions {
  /** The config's, milliseconds. */
  timeout?: number;
  /** Gets what `-v` prints. */
  debug?: (line: string) => void;
  /** Called before a chunk of rows is taken. */
  beforeRows?: () => Promise<void>;
  /** Called when the output is closed. */
  atEnd?: () => void;
  /** Milliseconds; then the run is a failure of the test. */
  limit?: number;
}

/**
 * Reads topic `t` as group `g`, from the stored offsets on and with commits, unless given
 * otherwise.
 */
export async function consumeRun(
  kafka: ScriptedBroker,
  changes: Partial<ConsumeOptions> = {},
  { timeout = 1000, debug = () => {}, beforeRows = () => Promise.resolve(), atEnd, limit = 15_000 }:
    RunOptions = {},
): Promise<ConsumeRun> {
  const options: ConsumeOptions = {
    ...defaults,
    topics: ["t"],
    group: "g",
    start: { at: "stored" },
    commit: true,
    ...changes,
  };
  const started = performance.now();
  const warnings: string[] = [];
  let text = "";
  const decoder = new TextDecoder();
  const stream = new WritableStream<Uint8Array>({
    async write(chunk) {
      await beforeRows();
      text += decoder.decode(chunk, { stream: true });
    },
    close: atEnd,
  });
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`still reading after ${limit} ms: ${text}`)), limit);
  });
  const reading = consume(options, kafka.config({ timeout, debug }), stream, (line) => {
    warnings.push(line);
  });
  const found = await Promise.race([reading, late]).catch((error) => {
    if (!(error instanceof Failure)) throw error;
    return error;
  }).finally(() => clearTimeout(timer));
  const isFailure = found instanceof Failure;
  return {
    rows: text.split("\n").slice(0, -1),
    summary: isFailure ? null : found,
    failure: isFailure ? found : null,
    warnings,
    ms: performance.now() - started,
  };
}

/** `row 3` to `row 5` for 3 and 6. */
export function rows(from: number, to: number, word = "row"): string[] {
  return Array.from({ length: Math.max(0, to - from) }, (_, i) => `${word} ${from + i}`);
}

/** Offsets of a group, by `topic/partition`. */
export function stored(kafka: ScriptedBroker, group = "g"): Record<string, number> {
  return Object.fromEntries([...kafka.group(group)].map(([name, { offset }]) => [name, offset]));
}
