import type { Transform } from "node:stream";
import { malformed } from "./errors.ts";
import { plain } from "./result.ts";

/** The largest piece that comes of a stream of node:zlib, bytes. */
export const PIECE = 1024 * 1024;
/**
 * So much goes in at a time: a runtime that collects what comes of it (Deno 2.4) gets 4 MB of gzip's
 * most.
 */
const FEED = 4096;

/** What a stream of node:zlib makes of `source`, piece by piece, and no faster than they are taken. */
export async function* pieces(
  codec: string,
  stream: Transform,
  source: Uint8Array,
): AsyncGenerator<Uint8Array> {
  feed(stream, source).catch((error) => stream.destroy(error));
  try {
    for await (const piece of stream) yield plain(piece);
  } catch (error) {
    throw malformed(codec, error instanceof Error ? error.message : String(error));
  }
}

async function feed(stream: Transform, source: Uint8Array): Promise<void> {
  for (let at = 0; at < source.length; at += FEED) {
    const part = source.slice(at, at + FEED);
    await new Promise<void>((resolve, reject) =>
      stream.write(part, (error) => error ? reject(error) : resolve())
    );
  }
  stream.end();
}
