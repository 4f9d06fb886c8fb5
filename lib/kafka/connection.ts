import { Failure } from "../failure.ts";
import { ProtocolError } from "../protocol/errors.ts";
import { Kernel } from "../protocol/kernel/kernel.ts";
import type { Api } from "../protocol/messages/api.ts";
import { apiVersions, type VersionRange } from "../protocol/messages/api_versions.ts";
import { Reader } from "../protocol/reader.ts";
import { Writer } from "../protocol/writer.ts";
import { type Address, addressName, type ClientConfig } from "./config.ts";
import { joined, openSocket, type Socket, writeAll } from "./socket.ts";

/** A broker can't be reached, or the connection to it was lost. Another try may help. */
export class ConnectionError extends Error {
  override readonly name = "ConnectionError";
}

/** The largest response taken, bytes: what says it is larger is no Kafka, or not sane. */
export const MAX_RESPONSE = 256 * 1024 * 1024;

interface Pending {
  api: Api<unknown, unknown>;
  correlation: number;
  into: Kernel | undefined;
  timer: ReturnType<typeof setTimeout>;
  resolve: (response: unknown) => void;
  reject: (error: Error) => void;
}

export interface CallOptions {
  /** Bytes sent behind the request, from the buffer they are in. They must not change meanwhile. */
  tail?: Uint8Array<ArrayBuffer>;
  /** The buffer the response is read into, from {@link Kernel.DATA} on. */
  into?: Kernel;
  /** False for a request that gets no answer (Produce with acks 0). */
  answered?: boolean;
}

/**
 * One connection to one broker. Requests may be sent before earlier ones are answered; a broker
 * answers in their order, so each response is read straight into the buffer its request brought.
 * Every request has the config's deadline; missing one closes the connection.
 */
export class Connection {
  readonly name: string;
  /** Which requests the broker takes, as it said at connect. */
  accepted: readonly VersionRange[] = [];
  readonly #conn: Deno.Conn;
  readonly #config: ClientConfig;
  readonly #explain: Socket["explain"];
  readonly #pending: Pending[] = [];
  readonly #head = new Uint8Array(8);
  readonly #headView = new DataView(this.#head.buffer);
  #correlation = 0;
  #reading: Promise<void> | null = null;
  /** Responses so far; what a broker does before the first ones tells what it expects. */
  #answers = 0;
  #sending: Promise<void> = Promise.resolve();
  #failed: Error | null = null;

  private constructor(name: string, { conn, explain }: Socket, config: ClientConfig) {
    this.name = name;
    this.#conn = conn;
    this.#explain = explain;
    this.#config = config;
  }

  /**
   * Connects, checks that the broker accepts the versions of `apis`, and logs in, all within the
   * config's timeout. Throws ConnectionError where another try may help, Failure where it can't.
   */
  static async open(
    address: Address,
    config: ClientConfig,
    apis: readonly Api<never, unknown>[],
  ): Promise<Connection> {
    const name = addressName(address);
    const deadline = performance.now() + config.timeout;
    const socket = await openSocket(address, config).catch((error) => {
      if (error instanceof Failure) throw error;
      throw new ConnectionError(`cannot connect to ${name}: ${reason(error)}`);
    });
    const connection = new Connection(name, socket, config);
    const timer = setTimeout(() => connection.#late(), deadline - performance.now());
    try {
      await connection.#checkVersions(apis);
      // Loaded only where it is used: a start without it stays as quick as it is.
      if (config.sasl) await (await import("./sasl.ts")).authenticate(connection, config.sasl);
    } catch (error) {
      connection.close();
      throw error;
    } finally {
      clearTimeout(timer);
    }
    return connection;
  }

  /** Whether the connection can't be used any more. */
  get closed(): boolean {
    return this.#failed !== null;
  }

  /** Whether the broker accepts an API at the version this client speaks. */
  accepts({ key, version }: Api<never, unknown>): boolean {
    const range = this.accepted.find((api) => api.key === key);
    return range !== undefined && range.min <= version && version <= range.max;
  }

  /** Sends a request and waits for its response. Throws ConnectionError or ProtocolError. */
  call<Request, Response>(
    api: Api<Request, Response>,
    request: Request,
    { tail, into, answered = true }: CallOptions = {},
  ): Promise<Response> {
    if (this.#failed) return Promise.reject(this.#failed);
    const correlation = this.#correlation++ & 0x7fffffff;
    const frame = this.#encode(api, request, correlation, tail?.length ?? 0);
    const sent = this.#send(frame, tail);
    if (!answered) return sent as Promise<Response>;
    return new Promise<Response>((resolve, reject) => {
      this.#pending.push({
        api: api as Api<unknown, unknown>,
        correlation,
        into,
        timer: setTimeout(() => this.#late(), this.#config.timeout),
        resolve: resolve as (response: unknown) => void,
        reject,
      });
      this.#reading ??= this.#read();
    });
  }

  /** Closes the connection; requests under way fail. */
  close(): void {
    this.#fail(new ConnectionError(`the connection to ${this.name} was closed`));
  }

  #encode<Request>(
    api: Api<Request, unknown>,
    request: Request,
    correlation: number,
    tail: number,
  ) {
    const writer = new Writer();
    writer.int32(0).int16(api.key).int16(api.version).int32(correlation);
    writer.string(this.#config.clientId);
    if (api.flexible) writer.noTaggedFields();
    api.encode(writer, request);
    const frame = writer.finish();
    new DataView(frame.buffer).setInt32(0, frame.length - 4 + tail);
    return frame;
  }

  /** Sends after what is being sent. A failure reaches the caller through the pending request too. */
  #send(frame: Uint8Array, tail: Uint8Array | undefined): Promise<void> {
    if (tail && this.#config.tls?.identity) {
      // This connection delays what follows a short write (see tls.ts), so it must be one write.
      return this.#send(joined(frame, tail), undefined);
    }
    const send = async () => {
      if (this.#failed) throw this.#failed;
      try {
        await writeAll(this.#conn, frame);
        if (tail) await writeAll(this.#conn, tail);
      } catch (error) {
        // A broker that refuses a client certificate says so and closes: what it said is read yet.
        if (this.#config.tls && this.#answers === 0) await this.#reading;
        throw this.#fail(this.#lost(error));
      }
    };
    const sent = this.#sending.then(send);
    this.#sending = sent.catch(() => {});
    return sent;
  }

  async #read(): Promise<void> {
    try {
      while (this.#pending.length > 0) {
        await this.#fill(this.#head, 0, 8);
        const size = this.#headView.getInt32(0) - 4;
        const [pending] = this.#pending;
        if (size < 0 || size > MAX_RESPONSE) {
          throw new ProtocolError(
            `${this.name} announces a response of ${size + 4} bytes to ${pending.api.name}, ` +
              `at most ${MAX_RESPONSE} are taken`,
          );
        }
        if (this.#headView.getInt32(4) !== pending.correlation) {
          throw new ProtocolError(`${this.name} answers a request that was not sent`);
        }
        const reader = await this.#body(size, pending.into);
        this.#pending.shift();
        clearTimeout(pending.timer);
        this.#answers++;
        this.#settle(pending, reader);
      }
    } catch (error) {
      this.#fail(error instanceof ProtocolError ? error : this.#lost(error));
    } finally {
      this.#reading = null;
    }
  }

  async #body(size: number, into: Kernel | undefined): Promise<Reader> {
    if (into) {
      into.reserve(size);
      await this.#fill(into.bytes, Kernel.DATA, Kernel.DATA + size);
      return new Reader(into.bytes, Kernel.DATA, Kernel.DATA + size);
    }
    const bytes = new Uint8Array(size);
    await this.#fill(bytes, 0, size);
    return new Reader(bytes);
  }

  #settle(pending: Pending, reader: Reader): void {
    try {
      if (pending.api.flexible) reader.skipTaggedFields();
      const response = pending.api.decode(reader);
      reader.finish();
      pending.resolve(response);
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error);
      pending.reject(
        new ProtocolError(
          `cannot read the ${pending.api.name} response of ${this.name}: ${detail}`,
        ),
      );
    }
  }

  async #fill(bytes: Uint8Array, start: number, end: number): Promise<void> {
    for (let at = start; at < end;) {
      const count = await this.#conn.read(bytes.subarray(at, end));
      if (count === null) throw this.#ended(at - start);
      at += count;
    }
  }

  async #checkVersions(apis: readonly Api<never, unknown>[]): Promise<void> {
    ({ apis: this.accepted } = await this.call(apiVersions, null).catch((error) => {
      if (!(error instanceof ProtocolError)) throw error;
      throw new Failure("broker", `${this.name} does not speak Kafka's protocol`, { cause: error });
    }));
    for (const api of apis) {
      if (!this.accepts(api)) {
        const { name, key, version } = api;
        const range = this.accepted.find((api) => api.key === key);
        const has = range ? `versions ${range.min} to ${range.max}` : "no version";
        throw new Failure(
          "broker",
          `${this.name} accepts ${has} of ${name}, this client speaks version ${version}: ` +
            "Kafka 2.1 or later is needed",
        );
      }
    }
  }

  /** The broker closed the connection, `count` bytes after its last response. */
  #ended(count: number): Error {
    const ended = `${this.name} closed the connection`;
    const { tls, sasl } = this.#config;
    // A TLS record of type alert: the answer of a TLS port to bytes that are no TLS.
    if (!tls && this.#answers === 0 && count > 1 && this.#headView.getUint16(0) === 0x1503) {
      return new Failure(
        "broker",
        `${this.name} speaks TLS: set security.protocol (-X or --config)`,
      );
    }
    if (!sasl && this.#answers === 1) {
      return new ConnectionError(
        `${ended}; a port that asks for SASL does that: check security.protocol`,
      );
    }
    return new ConnectionError(ended);
  }

  #late(): void {
    const what = this.#pending.length > 0 ? this.#pending[0].api.name : "";
    const seconds = this.#config.timeout / 1000;
    this.#fail(new ConnectionError(`${this.name} did not answer ${what} within ${seconds} s`));
  }

  #lost(error: unknown): Error {
    if (this.#failed) return this.#failed;
    if (error instanceof ConnectionError || error instanceof Failure) return error;
    const explained = this.#explain(error);
    if (explained instanceof Failure) return explained;
    return new ConnectionError(`the connection to ${this.name} was lost: ${reason(error)}`);
  }

  #fail(error: Error): Error {
    if (this.#failed) return this.#failed;
    this.#failed = error;
    try {
      this.#conn.close();
    } catch {
      // Closed by the other side already.
    }
    for (const { timer, reject } of this.#pending.splice(0)) {
      clearTimeout(timer);
      reject(error);
    }
    return error;
  }
}

/** What an operating system's error says, without its number. */
function reason(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replace(/ \(os error \d+\)/, "");
}
