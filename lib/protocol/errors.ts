/** Bytes that are not what Kafka's protocol says they must be. */
export class ProtocolError extends Error {
  override readonly name = "ProtocolError";
}
