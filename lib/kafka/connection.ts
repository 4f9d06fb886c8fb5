import { Failure, systemReason } from "../failure.ts";
import { ProtocolError } from "../protocol/errors.ts";
import { Kernel } from "../protocol/kernel/kernel.ts";
import type { Api } from "../protocol/messages/api.ts";
import type { VersionRange } from "../protocol/messages/api_versions.ts";
import { Reader } from "../protocol/reader.ts";
import { type Address, addressName, type ClientConfig } from "./config.ts";
import { ConnectionError } from "./connection_error.ts";
import { askVersions, type Link } from "./requests.ts";
import type { Session } from "./session.ts";
import { joined, openSocket, type Socket, writeAll } from "./socket.ts";
import { whyClosed } from "./closings.ts";
import { type CallOptions, type Outgoing, outgoing, type Pending } from "./pending.ts";
import { Mute, noteMuted } from "./throttle.ts";

/** The largest response accepted, bytes: a peer that announces more does not speak Kafka. */
export const MAX_RESPONSE = 256 * 1024 * 1024;

/** If a timer is this late, milliseconds, this process was stopped or busy. */
const BLOCKED = 100;

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
  /** Those that wait to be sent: they fail with the connection, whatever holds the queue up. */
  readonly #queued = new Set<Pending>();
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
  /** Null without a login, or if it has no end. */
  #session: Session | null = null;

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
    const starting = async () => {
      connection.accepted = await askVersions(connection, apis);
      // Loaded only if it is used: a start without it stays as quick as it is.
      if (config.sasl) {
        connection.#session = await (await import("./session.ts")).logIn(connection, config);
      }
    };
    try {
      await connection.#inTime(config.timeout, starting());
    } catch (error) {
      connection.close();
      throw error;
    }
    return connection;
  }

  get host(): string {
    return this.#address.host;
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
    options: CallOptions = {},
  ): Promise<Response> {
    if (this.#failed) throw this.#failed;
    if (api.older && !this.accepts(api)) api = api.older;
    const { outgoing, answer } = this.#outgoing(api, request, options);
    const sent = this.#send(outgoing);
    if (outgoing.pending) {
      sent.catch(outgoing.pending.reject);
      return await answer;
    }
    // It has its deadline too: a broker may read no more.
    return await this.#inTime(this.#config.timeout + this.#mute.left, sent, api.name) as Response;
  }

  #outgoing<Request, Response>(
    api: Api<Request, Response>,
    request: Request,
    options: CallOptions,
  ): { outgoing: Outgoing; answer: Promise<Response> } {
    const correlation = this.#correlation++ & 0x7fffffff;
    return outgoing(api, request, options, correlation, this.#config.clientId);
  }

  /** Work with a deadline. Raced: in Deno before 2.5 closing does not end a blocked write. */
  async #inTime<T>(limit: number, work: Promise<T>, what?: string): Promise<T> {
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => late.reject(this.#late(what)), limit);
    try {
      return await Promise.race([work, late.promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Closes the connection; requests under way fail. */
  close(): void {
    this.#fail(new ConnectionError(`the connection to ${this.name} was closed`));
  }

  /** Sends after what is being sent. The pending request fails too if this does. */
  #send(outgoing: Outgoing): Promise<void> {
    if (outgoing.pending) this.#queued.add(outgoing.pending);
    const send = async () => {
      if (this.#mute.left > 0) await this.#mute.over();
      if (this.#session?.due) await this.#renew(this.#session);
      await this.#write(outgoing);
    };
    const sent = this.#sending.then(send);
    this.#sending = sent.catch(() => {});
    return sent;
  }

  /** Logs in again: everything else waits in the queue meanwhile. */
  async #renew(session: Session): Promise<void> {
    const call: Link["call"] = async (api, request) => {
      const { outgoing, answer } = this.#outgoing(api, request, {});
      const [result] = await Promise.all([answer, this.#write(outgoing)]);
      return result;
    };
    const accepts: Link["accepts"] = (api) => this.accepts(api);
    try {
      await session.renew({ name: this.name, host: this.host, accepts, call });
    } catch (error) {
      throw this.#fail(error as Error);
    }
  }

  async #write({ frame, tail, pending }: Outgoing): Promise<void> {
    if (this.#failed) throw this.#failed;
    if (pending) {
      this.#queued.delete(pending);
      pending.deadline = performance.now() + this.#config.timeout;
      this.#pending.push(pending);
      if (this.#pending.length === 1) this.#watch();
      this.#reading ??= this.#read();
    }
    // A connection with a client's certificate delays what follows a short write (see tls.ts), so
    // there it must be one write.
    const whole = tail && this.#config.tls?.identity ? [joined(frame, tail)] : [frame, tail];
    try {
      for (const part of whole) if (part) await writeAll(this.#conn, part);
    } catch (error) {
      // A broker that rejects a client certificate says so and closes: that is still read.
      if (this.#config.tls && this.#answers === 0) await this.#reading;
      throw this.#fail(this.#lost(error));
    }
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
    const why = await whyClosed(this.name, this.#config, {
      answers: this.#answers,
      start: count > 1 ? this.#headView.getUint16(0) : 0,
      asked: this.#pending[0]?.api.name,
      again: () => Connection.open(this.#address, this.#config, []),
    });
    return why ?? new ConnectionError(`${this.name} closed the connection`);
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
    this.#session?.close();
    for (const { reject } of [...this.#pending.splice(0), ...this.#queued]) reject(error);
    return error;
  }
}
