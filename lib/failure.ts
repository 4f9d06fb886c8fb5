/**
 * What can end a run, by the kind of thing that went wrong. The exit status of each kind is in
 * one table, `lib/cli/exit_codes.ts`.
 */
export type FailureKind =
  | "usage"
  | "record"
  | "broker"
  | "output"
  | "incomplete"
  | "denied";

/**
 * An error whose message is written for the person who must act on it: what failed, on which
 * topic, partition and offset, why, and what to do where we know it. Printed as one line, without
 * a stack trace. Any other error that reaches an entry is a bug of ours.
 */
export class Failure extends Error {
  readonly kind: FailureKind;

  constructor(kind: FailureKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "Failure";
    this.kind = kind;
  }
}

/**
 * What an operating system's error says, without its number, Deno's word for the call, and the
 * path: that may be a secret in a wrong place.
 */
export function systemReason(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replace(/ \(os error \d+\).*|: \w+ '.*'$/s, "");
}
