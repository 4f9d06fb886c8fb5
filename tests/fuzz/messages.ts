/** Answers of brokers, and the batches in them. */
import { checkBatches } from "../../lib/consume/check_batches.ts";
import { RowContext } from "../../lib/consume/row_context.ts";
import { PartitionRows } from "../../lib/consume/rows.ts";
import { Span } from "../../lib/consume/span.ts";
import { Failure } from "../../lib/failure.ts";
import { loadCodec } from "../../lib/protocol/codecs/codecs.ts";
import { ProtocolError } from "../../lib/protocol/errors.ts";
import { Kernel } from "../../lib/protocol/kernel/kernel.ts";
import { fetch } from "../../lib/protocol/messages/fetch.ts";
import { Batch, batchEnd, codecs } from "../../lib/protocol/record_batch.ts";
import { apiOf, cases, decodeWhole, frame } from "../golden/frames.ts";
import { defaults } from "../support/consume_options.ts";
import { mutated } from "./mutate.ts";
import { answered, choice, must, type Target } from "./target.ts";

const frames = cases.map((name) => ({ name, api: apiOf(name), bytes: frame(name) }));

/** Every decoder of answers: a whole answer, or ProtocolError. */
export const messages: Target = {
  name: "messages",
  run(random, tried) {
    const { api, bytes } = choice(frames, random);
    const input = tried.input = mutated(bytes, choice(frames, random).bytes, random);
    // Also as an answer of another API: a broker that mixes up its answers.
    const other = random.int(0, 9) === 0 ? choice(frames, random).api : api;
    const decoder = random.int(0, 9) === 0 ? other.older ?? other : other;
    answered(() => decodeWhole(decoder, input), ProtocolError);
  },
};

const fetched = frames.filter(({ api }) => api === fetch);

/** The rows of the first partition, each begins with its offset; null if it is said to be bad. */
async function rowsOf(
  bytes: Uint8Array,
  checkCrcs: boolean,
  kernel: Kernel,
  target: Kernel,
): Promise<string[] | null> {
  kernel.reserve(bytes.length);
  kernel.bytes.set(bytes, Kernel.DATA);
  const answer = answered(() => decodeWhole(fetch, bytes), ProtocolError);
  if (answer === null || answer.partitions.length === 0) return null;
  const [partition] = answer.partitions;
  partition.start += Kernel.DATA;
  partition.end += Kernel.DATA;
  const columns = ["offset" as const];
  const options = { ...defaults, checkCrcs, columns, badRecord: "skip" as const };
  const context = new RowContext(options, () => {});
  const span = new Span(partition, 0, 100);
  const checked = answered(() => checkBatches(kernel, partition, span, checkCrcs), Failure);
  if (checked === null) return null;
  await context.prepare(kernel, [partition]);
  const parts: string[] = [];
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const read = answered(() => {
    const rows = new PartitionRows(context, kernel, partition, span);
    let left = 1000;
    while (!rows.finished && !rows.isHungry && left-- > 0) {
      const start = context.ready(target);
      const end = rows.write(target, start, start + 4096);
      parts.push(decoder.decode(target.bytes.subarray(start, end)));
    }
    must(left > 0, () => "the rows do not end");
    return true;
  }, Failure);
  return read === null ? null : parts.join("").split("\n").slice(0, -1);
}

/** Without its offset: a batch's base offset is not in its CRC, and a lone batch has no neighbours. */
function valueOf(row: string): string {
  return row.slice(row.indexOf(",") + 1);
}

/** Fetched batches, CRCs checked or not: rows, or an error; with the CRC no row that was not there. */
export async function batches(): Promise<Target> {
  for (const codec of codecs) if (codec !== "none") await loadCodec(codec);
  const [kernel, target] = [new Kernel(), new Kernel()];
  const whole = new Set<string>();
  for (const { bytes } of fetched) {
    for (const row of await rowsOf(bytes, true, kernel, target) ?? []) whole.add(valueOf(row));
  }
  return {
    name: "batches",
    async run(random, tried) {
      const { bytes } = choice(fetched, random);
      // Changes among the batches only, so that most answers can be read as far as there.
      const at = Math.min(bytes.length, random.int(40, 60));
      const changed = mutated(bytes.subarray(at), choice(fetched, random).bytes, random);
      const input = new Uint8Array(at + changed.length);
      input.set(bytes.subarray(0, at));
      input.set(changed, at);
      tried.input = input;
      const checkCrcs = random.int(0, 1) === 1;
      if (!checkCrcs) repair(input);
      const rows = await rowsOf(input, checkCrcs, kernel, target);
      if (!checkCrcs || rows === null) return;
      for (const row of rows) {
        must(whole.has(valueOf(row)), () => `a row that no record has: ${row}`);
      }
    },
  };
}

/** Makes the length of the records what it is, so that what is in them is reached. */
function repair(bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const answer = answered(() => decodeWhole(fetch, bytes), ProtocolError, RangeError);
  for (const { start, end } of answer?.partitions ?? []) {
    if (end - start > Batch.records && end <= bytes.length) {
      const at = answered(() => batchEnd(view, start, end), ProtocolError);
      if (at === -1) view.setInt32(start + 8, end - start - 12);
    }
  }
}
