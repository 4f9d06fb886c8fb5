import type { Reader } from "../reader.ts";
import type { Writer } from "../writer.ts";

/**
 * One API of Kafka's protocol at one version. Each is pinned to a version that every broker from
 * Kafka 2.1 to 4.x accepts; a newer one beside it, such as metadataWithIds, is asked for only if the
 * broker accepts it.
 */
export interface Api<Request, Response> {
  readonly name: string;
  readonly key: number;
  readonly version: number;
  /** What is sent instead to a broker that does not accept this version, such as Azure Event Hubs. */
  readonly older?: Api<Request, Response>;
  /** Whether the version has compact types and tagged fields, in its headers too (KIP-482). */
  readonly flexible?: true;
  encode(writer: Writer, request: Request): void;
  /** Throws ProtocolError on anything but a whole response. */
  decode(reader: Reader): Response;
}
