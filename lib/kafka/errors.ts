import { Failure } from "../failure.ts";
import {
  errorName,
  isDenied,
  isRetriable,
  UNKNOWN_TOPIC_OR_PARTITION,
} from "../protocol/error_codes.ts";
import { ProtocolError } from "../protocol/errors.ts";
import { suggestion } from "../text.ts";
import { ConnectionError } from "./connection_error.ts";

/** A broker's answer is an error code. The message says what was asked for, and the code's name. */
export class BrokerError extends Error {
  override readonly name = "BrokerError";
  readonly code: number;

  /** `failed` is what could not be done: `cannot fetch topic "x" partition 3`. */
  constructor(failed: string, code: number, detail?: string | null) {
    super(`${failed}: ${errorName(code)}${detail ? `: ${detail}` : ""}`);
    this.code = code;
  }
}

/** A broker's answer lacks what it was asked for. */
export class LeftOutError extends Error {
  override readonly name = "LeftOutError";

  /** `failed` is what could not be done, `broker` the connection's name, `what` is missing. */
  constructor(failed: string, broker: string, what: string) {
    super(`${failed}: ${broker} left ${what} out of its answer`);
  }
}

/** A topic that no broker knows, or that this user may not see. */
export class UnknownTopic extends Failure {
  /** The topics that this user may see, without internal ones; none if no broker listed them. */
  readonly visible: readonly string[];

  constructor(topic: string, visible: readonly string[]) {
    const why = `cannot read topic "${topic}": ${errorName(UNKNOWN_TOPIC_OR_PARTITION)}: ` +
      "it does not exist, or this user may not describe it";
    const todo = " — check its name, create it, or get the right to describe it";
    super("broker", why + suggestion(topic, visible, todo));
    this.visible = visible;
  }
}

/** Whether another try may help: a lost connection, a moved leader, a broker coming up. */
export function isPassing(error: unknown): error is Error {
  return error instanceof ConnectionError || error instanceof LeftOutError ||
    (error instanceof BrokerError && isRetriable(error.code));
}

/** What to throw if no further try is made: a failure with its exit status. */
export function asFailure(error: unknown, suffix = ""): unknown {
  if (error instanceof BrokerError) {
    const kind = isDenied(error.code) ? "denied" : "broker";
    return new Failure(kind, error.message + suffix, { cause: error });
  }
  if (
    error instanceof ConnectionError || error instanceof LeftOutError ||
    error instanceof ProtocolError // what a broker sent; what we made ourselves is never one
  ) {
    return new Failure("broker", error.message + suffix, { cause: error });
  }
  return error;
}

/** Throws BrokerError unless the code is 0. */
export function check(failed: string, code: number, detail?: string | null): void {
  if (code !== 0) throw new BrokerError(failed, code, detail);
}
