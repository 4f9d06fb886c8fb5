import { ProtocolError } from "../errors.ts";

/** Compressed bytes that would give more than the caller allows. */
export class CodecLimitError extends ProtocolError {
  constructor(codec: string, limit: number) {
    super(`the ${codec} data would decompress to more than ${limit} bytes`);
  }
}

/** Compressed bytes that are not what their format says; `why` says it in its terms. */
export function malformed(codec: string, why: string): ProtocolError {
  return new ProtocolError(`malformed ${codec} data: ${why}`);
}
