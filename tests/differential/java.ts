/** Programs in Java beside Kafka's own jars, which are asked and answer by their standard streams. */
import { defaultVersion } from "../../scripts/servers/broker/own.ts";
import { writeLoggingFiles } from "../../scripts/servers/broker/logging.ts";
import { toolCommandLine } from "../../scripts/servers/broker/run.ts";
import { findToolbox } from "../../scripts/servers/broker/toolbox.ts";
import { isSince } from "../support/kafka.ts";

export class Java implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>;
  readonly #folder: string;
  readonly #stderr: Promise<string>;
  #held: Uint8Array<ArrayBuffer>[] = [];
  #size = 0;

  private constructor(child: Deno.ChildProcess, folder: string) {
    this.#child = child;
    this.#folder = folder;
    this.#writer = child.stdin.getWriter();
    this.#reader = child.stdout.getReader();
    this.#stderr = new Response(child.stderr).text();
  }

  /** Starts a source file of this folder. */
  static async start(source: string, args: readonly string[] = []): Promise<Java> {
    const version = defaultVersion();
    const toolbox = await findToolbox(version);
    const folder = await Deno.makeTempDir({ prefix: "gpdb-kafka-java-" });
    await writeLoggingFiles(folder);
    const file = `${folder}/${source}`;
    const text = await Deno.readTextFile(new URL(source, import.meta.url));
    // Kafka 4.4 has the classes of records in another package.
    const [from, to] = ["kafka.common.record.", "kafka.common.record.internal."];
    await Deno.writeTextFile(file, isSince({ version }, 4, 4) ? text.replaceAll(from, to) : text);
    const [program, ...rest] = toolCommandLine(toolbox, folder, file, [...args], {
      jvm: ["-Xmx1g"],
    });
    const streams = { stdin: "piped", stdout: "piped", stderr: "piped" } as const;
    return new Java(new Deno.Command(program, { args: rest, ...streams }).spawn(), folder);
  }

  async send(bytes: Uint8Array): Promise<void> {
    await this.#writer.write(bytes as Uint8Array<ArrayBuffer>);
  }

  /** The next bytes of its output. Throws what it said if it ends before. */
  async take(size: number): Promise<Uint8Array<ArrayBuffer>> {
    while (this.#size < size) await this.#more();
    const out = new Uint8Array(size);
    for (let at = 0; at < size;) {
      const [first] = this.#held;
      const part = first.subarray(0, size - at);
      out.set(part, at);
      at += part.length;
      if (part.length === first.length) this.#held.shift();
      else this.#held[0] = first.subarray(part.length);
    }
    this.#size -= size;
    return out;
  }

  /** The next line of its output. */
  async line(): Promise<string> {
    const parts: Uint8Array[] = [];
    while (true) {
      while (this.#held.length === 0) await this.#more();
      const end = this.#held[0].indexOf(10);
      parts.push(await this.take(end === -1 ? this.#held[0].length : end + 1));
      if (end === -1) continue;
      return (await new Blob(parts as BlobPart[]).text()).slice(0, -1);
    }
  }

  async #more(): Promise<void> {
    const { value, done } = await this.#reader.read();
    if (done) throw new Error(`Java ended: ${await this.#stderr}`);
    this.#held.push(value);
    this.#size += value.length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writer.close().catch(() => {});
    await this.#reader.cancel();
    await Promise.all([this.#child.status, this.#stderr]);
    await Deno.remove(this.#folder, { recursive: true });
  }
}
