/** Asks a broker over a plain socket and keeps the bytes of its answers, for capture.ts. */
import type { Api } from "../../lib/protocol/messages/api.ts";
import { Writer } from "../../lib/protocol/writer.ts";

/** Where each frame's bytes are kept, by the name of its case. */
export type Frames = Map<string, Uint8Array>;

export class Recorder implements Disposable {
  readonly #frames: Frames;
  readonly #conn: Deno.TcpConn;

  private constructor(frames: Frames, conn: Deno.TcpConn) {
    this.#frames = frames;
    this.#conn = conn;
  }

  static async open(frames: Frames, address: string): Promise<Recorder> {
    const [hostname, port] = address.split(":");
    return new Recorder(frames, await Deno.connect({ hostname, port: Number(port) }));
  }

  /** Asks, and keeps what comes after the correlation id under `name`. */
  async record<Request>(
    name: string,
    api: Api<Request, unknown>,
    request: Request,
    tail = new Uint8Array(),
  ): Promise<Uint8Array> {
    const frame = await this.ask(api, request, tail);
    this.#frames.set(name, frame);
    return frame;
  }

  /** Asks. Returns what comes after the correlation id, and after the header's tagged fields. */
  async ask<Request>(
    api: Api<Request, unknown>,
    request: Request,
    tail = new Uint8Array(),
  ): Promise<Uint8Array> {
    const writer = new Writer(65536);
    writer.int32(0).int16(api.key).int16(api.version).int32(7).string("golden");
    if (api.flexible) writer.noTaggedFields();
    api.encode(writer, request);
    const head = writer.finish();
    const message = new Uint8Array([...head, ...tail]);
    new DataView(message.buffer).setInt32(0, message.length - 4);
    for (let at = 0; at < message.length;) at += await this.#conn.write(message.subarray(at));
    const size = new DataView((await this.#read(4)).buffer).getInt32(0);
    // A flexible answer's header has tagged fields, which a broker leaves empty: one byte.
    return (await this.#read(size)).slice(api.flexible ? 5 : 4);
  }

  async #read(size: number): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = new Uint8Array(size);
    for (let at = 0; at < size;) {
      const count = await this.#conn.read(bytes.subarray(at));
      if (count === null) throw new Error("Cannot record: the broker closed the connection");
      at += count;
    }
    return bytes;
  }

  [Symbol.dispose](): void {
    this.#conn.close();
  }
}

/** What tests have to know of the broker, as a foreign client reports it. */
export interface Captured {
  kafkaVersion: string;
  port: number;
  clusterId: string;
  /** Of golden-plain. */
  topicId: string;
}

/** The text of golden.ts. */
export function goldenModule(captured: Captured, frames: Frames): string {
  const { kafkaVersion, port, clusterId, topicId } = captured;
  return "// Made by tests/golden/capture.ts from a real broker's answers; README.md says how.\n" +
    `export const captured = {\n  kafkaVersion: "${kafkaVersion}",\n  port: ${port},\n` +
    `  clusterId: "${clusterId}",\n  topicId: "${topicId}",\n} as const;\n\n` +
    `/** Base64 of each answer, from after its correlation id. */\n` +
    `export const golden = ${framesText(frames)}`;
}

/** The text of another module of frames, which `script` in tests/golden writes. */
export function framesModule(script: string, name: string, frames: Frames): string {
  return `// Made by tests/golden/${script} from real brokers' answers; README.md says how.\n` +
    `\n/** Base64 of each answer, from after its correlation id. */\n` +
    `export const ${name} = ${framesText(frames)}`;
}

function framesText(frames: Frames): string {
  const lines = [...frames].map(([name, bytes]) => {
    const text = `"${toBase64(bytes)}",\n`;
    return `  ${name}:${name.length + text.length > 97 ? "\n   " : ""} ${text}`;
  });
  return `{\n${lines.join("")}} as const;\n`;
}

function toBase64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}
