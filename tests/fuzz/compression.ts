/** Compressed records. */
import { loadCodec } from "../../lib/protocol/codecs/codecs.ts";
import type { CodecImplementation } from "../../lib/protocol/codecs/codec.ts";
import { ProtocolError } from "../../lib/protocol/errors.ts";
import { codecs } from "../../lib/protocol/record_batch.ts";
import type { Random } from "../support/random.ts";
import { mutated } from "./mutate.ts";
import { answered, choice, must, type Target, type Tried } from "./target.ts";

const folder = new URL("../golden/codecs/", import.meta.url);
const LIMIT = 1 << 20;

/** What other tools have compressed, changed: bytes up to the limit, or ProtocolError; no codec forgets. */
export async function compression(): Promise<Target[]> {
  const files: Record<string, Uint8Array[]> = {};
  const all: Uint8Array[] = [];
  for await (const { name } of Deno.readDir(folder)) {
    const codec = name.split(".")[1];
    if (!(codecs as readonly string[]).includes(codec)) continue;
    const bytes = await Deno.readFile(new URL(name, folder));
    (files[codec] ??= []).push(bytes);
    all.push(bytes);
  }
  const targets: Target[] = [];
  for (const codec of codecs) {
    if (codec === "none") continue;
    const implementation = await loadCodec(codec);
    const golden = files[codec].toSorted((a, b) => a.length - b.length);
    const whole = implementation.decompress(golden[0], LIMIT).slice();
    targets.push({
      name: codec,
      run: (random, tried) => inflate(implementation, golden, all, whole, random, tried),
    });
  }
  return targets;
}

function inflate(
  codec: CodecImplementation,
  golden: readonly Uint8Array[],
  all: readonly Uint8Array[],
  whole: Uint8Array,
  random: Random,
  tried: Tried,
): void {
  const input = tried.input = mutated(choice(golden, random), choice(all, random), random);
  const limit = random.int(0, 3) === 0 ? random.int(0, 2000) : LIMIT;
  const result = answered(() => codec.decompress(input, limit), ProtocolError);
  must(result === null || result.length <= limit, () => `${result!.length} bytes, not ${limit}`);
  if (random.int(0, 63) > 0) return;
  // What came before does not change what comes next.
  const again = codec.decompress(golden[0], LIMIT);
  must(
    again.length === whole.length && again.every((byte, at) => byte === whole[at]),
    () => "intact bytes are another text after this",
  );
}
