import { Failure, systemReason } from "../failure.ts";

/** Bytes handed to the stream at a time: larger ones are slower into a pipe, smaller ones too. */
const CHUNK = 1024 * 1024;

/** Where rows go. Several readers share it: each write is accepted whole before the next. */
export class Output {
  /** Bytes accepted so far. */
  bytes = 0;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  #turn: Promise<void> = Promise.resolve();
  /** What went wrong first. Deno 2.4 reports it only here. */
  readonly #reason: Promise<unknown>;

  constructor(stream: WritableStream<Uint8Array>) {
    this.#writer = stream.getWriter();
    this.#reason = this.#writer.closed.then(() => undefined, (error) => error);
  }

  /**
   * Writes from `start` to `end`; when it returns the bytes were accepted and may change. Throws
   * Failure (output) if the stream's reader is gone.
   */
  async write(bytes: Uint8Array, start: number, end: number): Promise<void> {
    const before = this.#turn;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#turn = promise;
    await before;
    try {
      for (let at = start; at < end; at += CHUNK) {
        const chunk = bytes.subarray(at, Math.min(at + CHUNK, end));
        await this.#writer.write(chunk);
        // Deno 2.4 reports a failed write as a success: only the stream knows of it.
        if (this.#writer.desiredSize === null) throw await this.#reason;
        this.bytes += chunk.length;
      }
    } catch (error) {
      throw await this.#failure(error);
    } finally {
      resolve();
    }
  }

  /** Closes the stream after all that was written. */
  async close(): Promise<void> {
    await this.#turn;
    try {
      await this.#writer.close();
    } catch (error) {
      throw await this.#failure(error);
    }
  }

  async #failure(error: unknown): Promise<Failure> {
    const reason = this.#writer.desiredSize === null ? await this.#reason : undefined;
    return outputFailure(reason ?? error);
  }
}

/** A failed write to stdout, in words. */
export function outputFailure(error: unknown): Failure {
  const why = error instanceof Deno.errors.BrokenPipe
    ? "stdout was closed by its reader"
    : `cannot write to stdout: ${systemReason(error)}`;
  return new Failure("output", why, { cause: error });
}
