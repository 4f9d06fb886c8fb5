import type { Transform } from "node:stream";
import { malformed } from "./errors.ts";
import { plain } from "./result.ts";

/** The largest piece that comes of a stream of node:zlib, bytes. */
export const PIECE = 1024 * 1024;
/**
 * Bytes that go in at a time: a runtime that collects what comes of it (Deno 2.4) gets 4 MB of
 * gzip's most.
 */
const FEED = 4096;

/**
 * What a stream of node:zlib makes of `source`, piece by piece, and no faster than they are taken.
 * Each is good until the next one is asked for.
 */
export async function* pieces(
  codec: string,
  stream: Transform,
  source: Uint8Array,
): AsyncGenerator<Uint8Array> {
  let taken = Promise.withResolvers<void>();
  const feed = async () => {
    for (let at = 0; at < source.length; at += FEED) {
      // The same runtime also reads all that comes, however much of it waits to be read.
      while (stream.readableLength > PIECE) await taken.promise;
      const part = source.slice(at, at + FEED);
      await new Promise<void>((resolve, reject) =>
        stream.write(part, (error) => error ? reject(error) : resolve())
      );
    }
    stream.end();
  };
  feed().catch((error) => stream.destroy(error));
  try {
    for await (const piece of stream) {
      taken.resolve();
      taken = Promise.withResolvers();
      const bytes = plain(piece);
      const { buffer, byteOffset, length } = bytes;
      yield bytes;
      // The stream is done with it: given back here, since it takes long to be collected.
      if (byteOffset + length === buffer.byteLength && length > 0) buffer.transfer(0);
    }
  } catch (error) {
    throw malformed(codec, error instanceof Error ? error.message : String(error));
  }
}
