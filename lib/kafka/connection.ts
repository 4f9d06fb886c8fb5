import { Failure, systemReason } from "../failure.ts";
import { ProtocolError } from "../protocol/errors.ts";
import { Kernel } from "../protocol/kernel/kernel.ts";
import type { Api } from "../protocol/messages/api.ts";
import type { VersionRange } from "../protocol/messages/api_versions.ts";
import { Reader } from "../protocol/reader.ts";
import { type Address, addressName, type ClientConfig } from "./config.ts";
import { askVersions, encodeRequest } from "./requests.ts";
import { joined, openSocket, type Socket, writeAll } from "./socket.ts";
import { Mute, noteMuted } from "./throttle.ts";

/** A broker can't be reached, or the connection to it was lost. Another try may help. */
export class ConnectionError extends Error {
  override readonly name = "ConnectionError";
}

/** The largest response accepted, bytes: a peer that announces more does not speak Kafka. */
export const MAX_RESPONSE = 256 * 1024 * 1024;

/** If a timer is this late, milliseconds, this process was stopped or busy. */
const BLOCKED = 100;

interface Pending {
  api: Api<unknown, unknown>;
  correlation: number;
  into: Kernel | undefined;
  /** When it must be answered, performance.now(). */
  deadline: number;
  resolve: (response: unknown) => void;
  reject: (error: Error) => void;
}

export interface CallOptions {
  /** Bytes sent after the request, from the buffer they are in. They must not change meanwhile. */
  tail?: Uint8Array<ArrayBuffer>;
  /** The buffer the response is read into, from {@link Kernel.DATA} on. */
  into?: Kernel;
  /** False for a request that gets no answer (Produce with acks 0). */
  answered?: boolean;
}

/**
 * One connection to one broker. Requests may be sent before earlier ones are answered; a broker
 * answers in their order, so each response is read straight into the buffer its request brought.
 * Every request has the config's deadline; missing one closes the connection. While a broker
 * throttles nothing is sent to it, and the deadlines wait.
 */
export class Connection {
  readonly name: string;
  readonly #address: Address;
  /** Which requests the broker accepts, as it said at connect. */
  accepted: readonly VersionRange[] = [];
  readonly #conn: Deno.Conn;
  readonly #config: ClientConfig;
  readonly #explain: Socket["explain"];
  readonly #pending: Pending[] = [];
  readonly #head = new Uint8Array(8);
  readonly #headView = new DataView(this.#head.buffer);
  #correlation = 0;
  #reading: Promise<void> | null = null;
  /** Responses so far; what a broker does before the first ones shows what it expects. */
  #answers = 0;
  #sending: Promise<void> = Promise.resolve();
  #failed: Error | null = null;
  /** Of the oldest request under way: it is answered first. */
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #mute = new Mute();

  private constructor(address: Address, { conn, explain }: Socket, config: ClientConfig) {
    this.name = addressName(address);
    this.#address = address;
    this.#conn = conn;
    this.#explain = explain;
    this.#config = config;
  }

  /**
   * Connects, and then checks that the broker accepts the versions of `apis` and logs in, within
   * the config's timeout. Throws ConnectionError if another try may help, Failure if it can't.
   */
  static async open(
    address: Address,
    config: ClientConfig,
    apis: readonly Api<never, unknown>[],
  ): Promise<Connection> {
    const socket = await openSocket(address, config).catch((error) => {
      if (error instanceof Failure) throw error;
      throw new ConnectionError(
        `cannot connect to ${addressName(address)}: ${systemReason(error)}`,
      );
    });
    const connection = new Connection(address, socket, config);
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => late.reject(connection.#late()), config.timeout);
    const starting = async () => {
      connection.accepted = await askVersions(connection, apis);
      // Loaded only if it is used: a start without it stays as quick as it is.
      if (config.sasl) await (await import("./sasl.ts")).authenticate(connection, config.sasl);
    };
    try {
      await Promise.race([starting(), late.promise]);
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

  /**
   * Sends a request and waits for its response. Throws ConnectionError; Failure if the broker sent
   * what can't be read, or the request holds what can't be sent.
   */
  async call<Request, Response>(
    api: Api<Request, Response>,
    request: Request,
    { tail, into, answered = true }: CallOptions = {},
  ): Promise<Response> {
    if (this.#failed) throw this.#failed;
    if (api.older && !this.accepts(api)) api = api.older;
    const correlation = this.#correlation++ & 0x7fffffff;
    const { clientId } = this.#config;
    const frame = encodeRequest(api, request, { correlation, clientId, tail: tail?.length ?? 0 });
    const deadline = performance.now() + this.#config.timeout + this.#mute.left;
    const sent = this.#send(frame, tail);
    if (!answered) return await this.#unanswered(api.name, sent, deadline) as Response;
    return await new Promise<Response>((resolve, reject) => {
      this.#pending.push({
        api: api as Api<unknown, unknown>,
        correlation,
        into,
        deadline,
        resolve: resolve as (response: unknown) => void,
        reject,
      });
      if (this.#pending.length === 1) this.#watch();
      this.#reading ??= this.#read();
    });
  }

  /** A request without an answer has its deadline too: a broker may read no more. */
  async #unanswered(name: string, sent: Promise<void>, deadline: number): Promise<void> {
    // Raced: in Deno before 2.5 closing does not end a blocked write.
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(() => late.reject(this.#late(name)), deadline - performance.now());
    try {
      await Promise.race([sent, late.promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Closes the connection; requests under way fail. */
  close(): void {
    this.#fail(new ConnectionError(`the connection to ${this.name} was closed`));
  }

  /** Sends after what is being sent. The pending request fails too if this does. */
  #send(frame: Uint8Array, tail: Uint8Array | undefined): Promise<void> {
    if (tail && this.#config.tls?.identity) {
      // This connection delays what follows a short write (see tls.ts), so it must be one write.
      return this.#send(joined(frame, tail), undefined);
    }
    const send = async () => {
      if (this.#mute.left > 0) await this.#mute.over();
      if (this.#failed) throw this.#failed;
      try {
        await writeAll(this.#conn, frame);
        if (tail) await writeAll(this.#conn, tail);
      } catch (error) {
        // A broker that rejects a client certificate says so and closes: what it said is still
        // read.
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
          const what = `a response of ${size + 4} bytes to ${pending.api.name}`;
          throw this.#nonsense(`${what}: at most ${MAX_RESPONSE} are accepted`);
        }
        if (this.#headView.getInt32(4) !== pending.correlation) {
          throw this.#nonsense("a response to a request that was not sent to it");
        }
        const reader = await this.#body(size, pending.into);
        this.#pending.shift();
        this.#answers++;
        this.#settle(pending, reader);
        this.#watch();
      }
    } catch (error) {
      this.#fail(this.#lost(error));
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
      if (reader.throttled > 0) this.#throttle(reader.throttled);
      pending.resolve(response);
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error);
      const what = `a response to ${pending.api.name} that cannot be read: ${detail}`;
      pending.reject(this.#nonsense(what, error));
    }
  }

  /** What a broker sent that no broker may send. */
  #nonsense(what: string, error?: unknown): Failure {
    const cause = error ?? new ProtocolError(what);
    return new Failure("broker", `${this.name} sent ${what}`, { cause });
  }

  #throttle(milliseconds: number): void {
    this.#config.debug(
      `${this.name} throttles this client: nothing is sent to it for ${milliseconds} ms (its quota is exceeded)`,
    );
    noteMuted(this.#config, milliseconds);
    const more = this.#mute.begin(milliseconds);
    for (const pending of this.#pending) pending.deadline += more;
  }

  /** Waits for the deadline of the oldest request under way. */
  #watch(): void {
    clearTimeout(this.#timer);
    if (this.#pending.length === 0) return;
    const [{ deadline }] = this.#pending;
    this.#timer = setTimeout(() => {
      const late = performance.now() - deadline;
      if (late < BLOCKED) return this.#late();
      // This process was stopped or busy: what came meanwhile has not been read.
      for (const pending of this.#pending) pending.deadline += late;
      this.#watch();
    }, Math.max(deadline - performance.now(), 0));
  }

  async #fill(bytes: Uint8Array, start: number, end: number): Promise<void> {
    for (let at = start; at < end;) {
      const count = await this.#conn.read(bytes.subarray(at, end));
      if (count === null) throw await this.#ended(at - start);
      at += count;
    }
  }

  /** Why the broker closed the connection, `count` bytes after its last response. */
  async #ended(count: number): Promise<Error> {
    if (this.#failed) return this.#failed;
    const { tls, sasl } = this.#config;
    // A TLS record of type alert: the answer of a TLS port to bytes that are not TLS.
    if (!tls && this.#answers === 0 && count > 1 && this.#headView.getUint16(0) === 0x1503) {
      return new Failure(
        "broker",
        `${this.name} requires TLS — set security.protocol (-X, --config)`,
      );
    }
    // A port that asks for a login closes like this; so does a broker that stops. The port knows.
    if (!sasl && this.#answers === 1 && this.#pending[0]?.api.name !== "SaslHandshake") {
      const { whoAsksForLogin } = await import("./sasl.ts");
      const link = Connection.open(this.#address, this.#config, []);
      const asks = await link.then(whoAsksForLogin).catch(() => null);
      link.then((connection) => connection.close(), () => {});
      if (asks) return asks;
    }
    return new ConnectionError(`${this.name} closed the connection`);
  }

  #late(what = this.#pending[0]?.api.name ?? "the login"): Error {
    const late = `did not answer ${what} within ${this.#config.timeout / 1000} s`;
    return this.#fail(new ConnectionError(`${this.name} ${late}`));
  }

  #lost(error: unknown): Error {
    if (this.#failed) return this.#failed;
    if (error instanceof ConnectionError || error instanceof Failure) return error;
    const explained = this.#explain(error);
    if (explained instanceof Failure) return explained;
    return new ConnectionError(`the connection to ${this.name} was lost: ${systemReason(error)}`);
  }

  #fail(error: Error): Error {
    if (this.#failed) return this.#failed;
    this.#failed = error;
    try {
      this.#conn.close();
    } catch {
      // Closed by the other side already.
    }
    clearTimeout(this.#timer);
    this.#mute.end();
    for (const { reject } of this.#pending.splice(0)) reject(error);
    return error;
  }
}
