/** Things that are used by one at a time, such as connections. Users get them in the order they ask. */
export class Turns<T> {
  readonly #free: T[];
  readonly #waiting = new Set<(item: T | null) => void>();

  constructor(items: readonly T[]) {
    this.#free = [...items];
  }

  /** Waits for one that is free; give it back. Null if the signal is aborted before. */
  async take(signal: AbortSignal): Promise<T | null> {
    if (signal.aborted) return null;
    const item = this.#free.pop();
    if (item !== undefined) return item;
    const { promise, resolve } = Promise.withResolvers<T | null>();
    const aborted = () => {
      if (this.#waiting.delete(resolve)) resolve(null);
    };
    this.#waiting.add(resolve);
    signal.addEventListener("abort", aborted, { once: true });
    const taken = await promise;
    signal.removeEventListener("abort", aborted);
    return taken;
  }

  give(item: T): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#free.push(item);
      return;
    }
    this.#waiting.delete(next);
    next(item);
  }
}
