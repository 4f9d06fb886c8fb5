import type { Kernel } from "../protocol/kernel/kernel.ts";
import type { Api } from "../protocol/messages/api.ts";
import { encodeRequest } from "./requests.ts";

/** A request under way. */
export interface Pending {
  api: Api<unknown, unknown>;
  correlation: number;
  into: Kernel | undefined;
  /** When it must be answered, performance.now(); set as it is sent. */
  deadline: number;
  resolve: (response: unknown) => void;
  reject: (error: Error) => void;
}

/** A request to be sent; without an answer, nothing is pending. */
export interface Outgoing {
  frame: Uint8Array;
  tail: Uint8Array | undefined;
  pending: Pending | null;
}

export interface CallOptions {
  /** Bytes sent after the request, from the buffer they are in. They must not change meanwhile. */
  tail?: Uint8Array<ArrayBuffer>;
  /** The buffer the response is read into, from {@link Kernel.DATA} on. */
  into?: Kernel;
  /** False for a request that gets no answer (Produce with acks 0). */
  answered?: boolean;
}

/** A request and the promise of its answer. Throws Failure (usage) if it holds what can't be sent. */
export function outgoing<Request, Response>(
  api: Api<Request, Response>,
  request: Request,
  { tail, into, answered = true }: CallOptions,
  correlation: number,
  clientId: string,
): { outgoing: Outgoing; answer: Promise<Response> } {
  const frame = encodeRequest(api, request, { correlation, clientId, tail: tail?.length ?? 0 });
  const { promise: answer, resolve, reject } = Promise.withResolvers<Response>();
  const pending = answered
    ? {
      api: api as Api<unknown, unknown>,
      ...{ correlation, into, deadline: 0, reject },
      resolve: resolve as (response: unknown) => void,
    }
    : null;
  return { outgoing: { frame, tail, pending }, answer };
}
