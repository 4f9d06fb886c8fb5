import { ProtocolError } from "../errors.ts";

/** Compressed bytes that would give more than the caller allows. */
export class CodecLimitError extends ProtocolError {
  /** How many it would give, if the data says so. */
  readonly needed: number | undefined;

  constructor(codec: string, limit: number, needed?: number) {
    super(`the ${codec} data would decompress to more than ${limit} bytes`);
    this.needed = needed;
  }
}

/** Compressed bytes that are not what their format says; `why` is in the format's terms. */
export function malformed(codec: string, why: string): ProtocolError {
  return new ProtocolError(`malformed ${codec} data: ${why}`);
}
