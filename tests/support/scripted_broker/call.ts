import { type ApiName, encodeResponse, type Received } from "./apis.ts";
import type { Message } from "./codec.ts";
import type { Model } from "./model.ts";
import { type Peer, response } from "./peer.ts";

/**
 * One request, and what will be answered. A hook changes that; without one the model answers.
 * The model does a request's work when {@link reply} is first looked at, or after the hook: a hook
 * that closes before has lost the request, one that closes after it the answer alone.
 */
export class Call {
  readonly api: ApiName;
  readonly version: number;
  readonly request: Message;
  /** The id of the broker that was asked. */
  readonly broker: number;
  /** Which connection, counted from 0 over all brokers. */
  readonly connection: number;
  /** How many requests of this API came before, to all brokers. */
  readonly nth: number;
  readonly clientId: string | null;
  /** When it came, performance.now(). */
  readonly at: number;
  /** Whether it came while the connection was muted (KIP-219), which a client must not do. */
  readonly whileMuted: boolean;
  /** Waits before the answer, milliseconds; less where the test is over before. */
  readonly delay: (milliseconds: number) => Promise<void>;
  /** The answer's; a hook may set another. */
  correlation: number;
  /** The size that the answer announces, where it is not the true one. */
  size: number | null = null;
  readonly #received: Received;
  readonly #model: Model;
  #reply: Message | null = null;
  #closesAfter: number | null = null;
  #silent = false;

  constructor(
    model: Model,
    received: Received,
    place: Pick<Call, "broker" | "connection" | "nth" | "at" | "whileMuted" | "delay">,
  ) {
    this.#model = model;
    this.#received = received;
    this.api = received.api.name;
    this.version = received.version;
    this.request = received.request;
    this.correlation = received.correlation;
    this.clientId = received.clientId;
    const { broker, connection, nth, at, whileMuted } = place;
    [this.broker, this.connection, this.nth] = [broker, connection, nth];
    [this.at, this.whileMuted, this.delay] = [at, whileMuted, place.delay];
  }

  /** The answer's fields; change them as you like. */
  get reply(): Message {
    return this.#reply ??= this.#answer(null);
  }

  set reply(reply: Message) {
    this.#reply = reply;
  }

  /** Answers this code wherever the answer has one; the work is not done. */
  fail(code: number): void {
    this.#reply = this.#answer(code);
  }

  /** Answers, and takes nothing from the connection for so long (KIP-219), milliseconds. */
  throttle(milliseconds: number): void {
    this.reply.throttleTimeMs = milliseconds;
  }

  /** Closes the connection when this many bytes of the answer, from its size on, are sent. */
  close(after = 0): void {
    this.#closesAfter = after;
  }

  /** Never answers; the connection stays, but later requests are not answered either. */
  silent(): void {
    this.#silent = true;
  }

  /** Whether nothing more is to be answered. For the broker itself. */
  get isSilent(): boolean {
    return this.#silent;
  }

  /** Whether nothing is answered before the connection closes. For the broker itself. */
  get closesAtOnce(): boolean {
    return this.#closesAfter === 0;
  }

  #answer(code: number | null): Message {
    const { api, broker, request, version } = this;
    return this.#model.answer(api, { broker, request, version, code });
  }

  /** Sends what was decided. Returns whether the connection goes on. For the broker itself. */
  async send(peer: Peer): Promise<boolean> {
    const { api, version } = this.#received;
    // Produce with acks 0 has no answer, but its work is done.
    const { reply } = this;
    if (api.name === "produce" && this.request.acks === 0) return this.#closesAfter === null;
    const bytes = response(this.correlation, encodeResponse(api, version, reply));
    if (this.size !== null) new DataView(bytes.buffer).setInt32(0, this.size);
    await peer.send(bytes.subarray(0, this.#closesAfter ?? bytes.length));
    return this.#closesAfter === null;
  }
}
