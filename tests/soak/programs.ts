/** Programs under test that run as long as the soak does. */
import { type Program, start } from "../support/cli.ts";

/** What is kept of what a program has said, for messages. */
const KEPT = 20_000;

/** A program that is started again after it was killed on purpose, and must not end otherwise. */
export class LongRun {
  readonly name: string;
  /** Bytes of all messages. */
  logged = 0;
  /** The last of them. */
  said = "";
  child!: Deno.ChildProcess;
  /** The status of one that has ended by itself. */
  #ended: Deno.CommandStatus | null = null;
  #status!: Promise<Deno.CommandStatus>;
  #reading: Promise<unknown> = Promise.resolve();
  readonly #start: () => Deno.ChildProcess;
  readonly #rows: (chunk: Uint8Array) => void;

  constructor(
    name: string,
    program: Program,
    args: readonly string[],
    { env, rows = () => {} }: {
      env: Record<string, string>;
      /** Gets its stdout. */
      rows?: (chunk: Uint8Array) => void;
    },
  ) {
    this.name = name;
    this.#start = () => {
      const child = start(program, args, { env });
      if (program !== "producer") child.stdin.close();
      return child;
    };
    this.#rows = rows;
    this.#launch();
  }

  get pid(): number {
    return this.child.pid;
  }

  /** Throws if it has ended by itself. */
  check(): void {
    if (this.#ended === null) return;
    throw new Error(`the ${this.name} has ended with ${this.#ended.code}:\n${this.said}`);
  }

  /** SIGKILL, and another one starts. */
  async replace(): Promise<void> {
    this.check();
    const ended = Promise.all([this.#status, this.#reading]);
    const old = this.child;
    this.#launch();
    old.kill("SIGKILL");
    await ended;
  }

  /** Waits for its end, after SIGTERM unless it ends by itself. */
  async end(signal: Deno.Signal | null = "SIGTERM"): Promise<Deno.CommandStatus> {
    if (signal && this.#ended === null) this.child.kill(signal);
    const [status] = await Promise.all([this.#status, this.#reading]);
    return status;
  }

  #launch(): void {
    const child = this.child = this.#start();
    this.#status = child.status.then((status) => {
      if (child === this.child) this.#ended = status;
      return status;
    });
    this.#reading = Promise.all([
      (async () => {
        for await (const chunk of child.stdout) this.#rows(chunk);
      })(),
      (async () => {
        for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
          this.logged += text.length;
          this.said = (this.said + text).slice(-KEPT);
        }
      })(),
    ]);
  }
}
