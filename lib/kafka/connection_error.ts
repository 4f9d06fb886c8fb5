/** A broker can't be reached, or the connection to it was lost. Another try may help. */
export class ConnectionError extends Error {
  override readonly name = "ConnectionError";
}
