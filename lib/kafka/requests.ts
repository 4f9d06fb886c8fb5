/** What every request has, whatever it asks for: its frame, and that the broker accepts it. */
import { Failure } from "../failure.ts";
import { ProtocolError } from "../protocol/errors.ts";
import type { Api } from "../protocol/messages/api.ts";
import { apiVersions, type VersionRange } from "../protocol/messages/api_versions.ts";
import { Writer } from "../protocol/writer.ts";

export interface Frame {
  correlation: number;
  clientId: string;
  /** Bytes that are sent after it and count as part of it. */
  tail: number;
}

/** A request with its size and header. Throws Failure (usage) if it holds what can't be sent. */
export function encodeRequest<Request>(
  api: Api<Request, unknown>,
  request: Request,
  { correlation, clientId, tail }: Frame,
): Uint8Array {
  const writer = new Writer();
  try {
    writer.int32(0).int16(api.key).int16(api.version).int32(correlation).string(clientId);
    if (api.flexible) writer.noTaggedFields();
    api.encode(writer, request);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const failed = `cannot send a request of ${api.name}: ${error.message}`;
    throw new Failure("usage", failed, { cause: error });
  }
  const frame = writer.finish();
  new DataView(frame.buffer).setInt32(0, frame.length - 4 + tail);
  return frame;
}

/** What a connection's first requests need of it: its broker's name, and answers. */
export interface Link {
  readonly name: string;
  /** The broker's host, as it was connected to. */
  readonly host: string;
  accepts(api: Api<never, unknown>): boolean;
  call<Request, Response>(api: Api<Request, Response>, request: Request): Promise<Response>;
}

/** What the broker accepts. Throws Failure unless the versions of `apis` are among it. */
export async function askVersions(
  link: Link,
  apis: readonly Api<never, unknown>[],
): Promise<VersionRange[]> {
  const { apis: accepted } = await link.call(apiVersions, null).catch((error) => {
    if (!(error instanceof Failure && error.cause instanceof ProtocolError)) throw error;
    throw new Failure("broker", `${link.name} does not speak Kafka's protocol`, { cause: error });
  });
  for (const { name, key, version, older } of apis) {
    const range = accepted.find((api) => api.key === key);
    const fits = (version: number) => range && range.min <= version && version <= range.max;
    if (fits(version) || older && fits(older.version)) continue;
    const has = range ? `versions ${range.min} to ${range.max}` : "no version";
    throw new Failure(
      "broker",
      `${link.name} accepts ${has} of ${name}, this client uses version ${version}: ` +
        "Kafka 2.1 or later is required",
    );
  }
  return accepted;
}
