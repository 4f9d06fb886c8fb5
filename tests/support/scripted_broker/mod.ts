/**
 * Brokers that do what a test asks for: for faults that a real broker does not have when they
 * are wanted. Whatever a real broker can be made to do is tested against a real one. They answer
 * from a small model of a cluster, by code that shares nothing with lib's; hooks misbehave.
 */
import type { ClientConfig } from "../../../lib/kafka/config.ts";
import { type ApiName, apis, decodeRequest } from "./apis.ts";
import { Call } from "./call.ts";
import { Model } from "./model.ts";
import { clientConfig, type Peer, type RawBroker, rawBroker } from "./peer.ts";

export { makeBatch, sealBatch } from "./batch.ts";
export { Call } from "./call.ts";
export type { PartitionLog } from "./log.ts";

/** Changes an answer, delays it (with `call.delay`), or does without it; see {@link Call}. */
export type Hook = (call: Call) => void | Promise<void>;
/** By API; `any` is called for every request, before the API's own. */
export type Hooks = { [api in ApiName | "any"]?: Hook };

export interface ScriptedOptions {
  /** How many; their ids are 1, 2, … */
  brokers?: number;
  /** Topics to begin with, by their numbers of partitions. */
  topics?: Record<string, number>;
  on?: Hooks;
  /** Versions that are reported in place of those spoken; null: the API is not known. */
  versions?: { [api in ApiName]?: [min: number, max: number] | null };
  /** Who must log in, with PLAIN. */
  sasl?: { username: string; password: string };
}

/** `await using kafka = await scriptedBroker({ topics: { t: 1 }, on: { fetch: … } })` */
// deno-lint-ignore require-await -- as startBroker and startPostgres
export async function scriptedBroker(options: ScriptedOptions = {}): Promise<ScriptedBroker> {
  return new ScriptedBroker(options);
}

export class ScriptedBroker extends Model implements AsyncDisposable {
  /** May be changed while it runs. */
  on: Hooks;
  /** All requests that came, in their order. */
  readonly requests: Call[] = [];
  readonly #versions: ScriptedOptions["versions"];
  readonly #listening = new Map<number, RawBroker>();
  readonly #closed = new AbortController();
  readonly #problems: unknown[] = [];
  #connections = 0;

  constructor({ brokers = 1, topics = {}, on = {}, versions = {}, sasl }: ScriptedOptions) {
    super();
    this.on = on;
    this.sasl = sasl ?? null;
    this.#versions = versions;
    for (let id = 1; id <= brokers; id++) this.start(id);
    for (const [name, partitions] of Object.entries(topics)) this.create(name, partitions);
  }

  /** `127.0.0.1:port` of each, to ask first; also of those that are stopped. */
  get addresses(): string[] {
    return [...this.brokers.values()].map(({ host, port }) => `${host}:${port}`);
  }

  /** The same as a value of `--brokers`. */
  get bootstrap(): string {
    return this.addresses.join(",");
  }

  config(changes: Partial<ClientConfig> = {}): ClientConfig {
    return clientConfig({ brokers: this.addresses, ...changes });
  }

  /** The requests of one API, to one broker or to all. */
  requestsOf(api: ApiName, broker?: number): Call[] {
    return this.requests.filter((call) =>
      call.api === api && (broker === undefined || call.broker === broker)
    );
  }

  /** Starts a broker: a new one, or one that was stopped, on its port. */
  start(id: number): void {
    const raw = rawBroker((peer) => this.#serve(id, peer), this.brokers.get(id)?.port);
    this.#listening.set(id, raw);
    this.brokers.set(id, { host: "127.0.0.1", port: raw.port });
  }

  /** Closes a broker's connections and its port. */
  async stop(id: number): Promise<void> {
    const raw = this.#listening.get(id);
    this.#listening.delete(id);
    await raw?.[Symbol.asyncDispose]();
  }

  /** Closes a broker's connections; new ones may be made. */
  disconnect(id: number): void {
    this.#listening.get(id)?.disconnect();
  }

  /** Throws where a request could not be understood, or a hook threw: both are bugs. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort();
    for (const raw of this.#listening.values()) await raw[Symbol.asyncDispose]();
    if (this.#problems.length > 0) throw this.#problems[0];
  }

  /** Reads the requests of a connection as they come, and answers one after the other. */
  async #serve(id: number, peer: Peer): Promise<void> {
    const connection = this.#connections++;
    const state = { mutedUntil: 0, loggedIn: this.sasl === null };
    let answering = Promise.resolve(true);
    for (let frame; (frame = await peer.request());) {
      const call = this.#receive(id, connection, frame.frame, state.mutedUntil);
      const before = answering;
      const answered = before.then((goesOn) => goesOn && this.#answer(call, peer, state));
      answering = answered.catch((error) => {
        // A client that went away meanwhile is not a bug.
        if (!isGone(error)) this.#problems.push(error);
        return false;
      });
      answering.then((goesOn) => {
        if (!goesOn && !call.isSilent) peer.close();
      });
    }
    await answering;
  }

  #receive(broker: number, connection: number, frame: Uint8Array, mutedUntil: number): Call {
    try {
      const received = decodeRequest(frame);
      const at = performance.now();
      const nth = this.requestsOf(received.api.name).length;
      const delay = (milliseconds: number) => this.#wait(milliseconds);
      const whileMuted = at < mutedUntil;
      const call = new Call(this, received, { broker, connection, nth, at, whileMuted, delay });
      this.requests.push(call);
      return call;
    } catch (error) {
      this.#problems.push(error);
      throw error;
    }
  }

  /** Returns whether the connection goes on. */
  async #answer(
    call: Call,
    peer: Peer,
    state: { mutedUntil: number; loggedIn: boolean },
  ): Promise<boolean> {
    await this.#wait(state.mutedUntil - performance.now());
    if (
      !state.loggedIn && !["apiVersions", "saslHandshake", "saslAuthenticate"].includes(call.api)
    ) {
      return false;
    }
    if (call.api === "fetch") await this.#untilRecords(call);
    if (call.api === "apiVersions") call.reply.apis = this.#accepted();
    await this.on.any?.(call);
    await this.on[call.api]?.(call);
    if (call.isSilent) return false;
    if (call.closesAtOnce) return false;
    if (call.api === "saslAuthenticate") state.loggedIn = call.reply.errorCode === 0;
    // Told and muted at once: what the client sends from here on, it sends to a muted broker.
    state.mutedUntil = performance.now() + (call.reply.throttleTimeMs ?? 0);
    return await call.send(peer);
  }

  #accepted() {
    return apis.flatMap(({ name, key, min, max }) => {
      const told = this.#versions?.[name];
      if (told === null || (name.startsWith("sasl") && !this.sasl)) return [];
      return [{ key, min: told?.[0] ?? min, max: told?.[1] ?? max }];
    });
  }

  /** Holds a Fetch back while there is nothing for it, as long as it is to wait. */
  async #untilRecords({ broker, request, version }: Call): Promise<void> {
    const until = performance.now() + request.maxWaitMs;
    while (performance.now() < until) {
      const answer = this.answer("fetch", { broker, request, version, code: null });
      for (const { partitions } of answer.topics) {
        for (const { errorCode, records, preferredReadReplica } of partitions) {
          if (errorCode !== 0 || records.length > 0 || preferredReadReplica !== -1) return;
        }
      }
      await this.#wait(Math.min(10, until - performance.now()));
    }
  }

  /** Waits, at most until the brokers are closed. */
  async #wait(milliseconds: number): Promise<void> {
    const { signal } = this.#closed;
    if (milliseconds <= 0 || signal.aborted) return;
    const over = Promise.withResolvers<void>();
    const end = () => over.resolve();
    const timer = setTimeout(end, milliseconds);
    signal.addEventListener("abort", end);
    await over.promise;
    clearTimeout(timer);
    signal.removeEventListener("abort", end);
  }
}

/** Whether the other side has closed, or this one, while it was being written to. */
function isGone(error: unknown): boolean {
  const { BadResource, BrokenPipe, ConnectionAborted, ConnectionReset, Interrupted } = Deno.errors;
  return [BadResource, BrokenPipe, ConnectionAborted, ConnectionReset, Interrupted]
    .some((kind) => error instanceof kind);
}
