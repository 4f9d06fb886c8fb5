import type { Cluster } from "../kafka/cluster.ts";
import { commitOffsets } from "../kafka/offsets.ts";
import type { ConsumeOptions } from "./options.ts";
import type { Span } from "./span.ts";

/** How often a run without an end commits, milliseconds. */
const EVERY = 5000;

/** Commits what the output took: at a run's end, and in between where it has none. */
export class Commits {
  readonly #cluster: Cluster;
  readonly #options: ConsumeOptions;
  readonly #spans: readonly Span[];
  #since = performance.now();

  constructor(cluster: Cluster, options: ConsumeOptions, spans: readonly Span[]) {
    this.#cluster = cluster;
    this.#options = options;
    this.#spans = spans;
  }

  /** Commits where it is time to. A run with an end is all or nothing: it waits for the end. */
  async inPassing(): Promise<void> {
    if (this.#options.until === "end" || performance.now() - this.#since < EVERY) return;
    this.#since = performance.now();
    await this.last();
  }

  /** Commits. Offsets that did not move too: one that is not renewed expires in the end. */
  async last(): Promise<void> {
    if (!this.#options.commit) return;
    await commitOffsets(
      this.#cluster,
      this.#options.group,
      this.#spans.map(({ topic, partition, written }) => ({ topic, partition, offset: written })),
    );
  }
}
