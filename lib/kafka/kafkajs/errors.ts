import { Failure } from "../../failure.ts";
import { isDenied } from "../../protocol/error_codes.ts";

interface KafkajsError {
  name?: string;
  message?: string;
  type?: string;
  code?: number;
  cause?: unknown;
  errors?: unknown[];
}

/**
 * What kafkajs throws, as a failure with its exit status; `failed` is what could not be done. It
 * wraps the broker's answer, once or twice. A failure stays what it is.
 */
export function asFailure(failed: string, error: unknown): Failure {
  if (error instanceof Failure) return error;
  let inner = error as KafkajsError;
  let isLogin = false;
  while (true) {
    isLogin ||= inner.name === "KafkaJSSASLAuthenticationError";
    const next = inner.errors?.[0] ?? inner.cause;
    if (!(next instanceof Error)) break;
    // Thrown by our own code inside kafkajs: a login, a connection with TLS.
    if (next instanceof Failure) {
      return new Failure(next.kind, `${failed}: ${next.message}`, { cause: error });
    }
    inner = next as KafkajsError;
  }
  const { type, code, message = String(error) } = inner;
  const why = type === undefined ? message : `${type} (${code}): ${message}`;
  const denied = isLogin || typeof code === "number" && isDenied(code);
  return new Failure(denied ? "denied" : "broker", `${failed}: ${why}`, { cause: error });
}
