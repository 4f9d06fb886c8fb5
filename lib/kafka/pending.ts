import type { Kernel } from "../protocol/kernel/kernel.ts";
import type { Api } from "../protocol/messages/api.ts";

/** A request under way. */
export interface Pending {
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
