import type { Mutation } from "./mutation.ts";

const protocol: Mutation[] = [
  {
    file: "lib/protocol/record_batch.ts",
    change: "a batch that ends where the bytes end counts as cut",
    find: "return stop > end ? -1 : stop;",
    replace: "return stop >= end ? -1 : stop;",
    tests: ["tests/unit/consume/rows_test.ts"],
  },
  {
    file: "lib/protocol/reader.ts",
    change: "a length below 0 is not rejected",
    find: "if (size < 0 || size > this.end - at) {",
    replace: "if (size > this.end - at) {",
    tests: ["tests/unit/protocol/reader_test.ts"],
  },
  {
    file: "lib/protocol/varint.ts",
    change: "varints lose their sign",
    find: "return (bits >>> 1) ^ -(bits & 1);",
    replace: "return bits >>> 1;",
    tests: ["tests/unit/protocol/varint_test.ts"],
  },
  {
    file: "lib/protocol/messages/offset_commit.ts",
    change: "the offset after the one given is committed",
    find: "w.int32(partition).int64(offset).int32(leaderEpoch)",
    replace: "w.int32(partition).int64(offset + 1).int32(leaderEpoch)",
    tests: ["tests/unit/protocol/requests_test.ts"],
  },
  {
    file: "lib/protocol/codecs/lz4.ts",
    change: "the checksum of an lz4 block is not compared",
    find: 'if (flags & Flag.blockChecksum) this.#check(p + size, p, p + size, "block");',
    replace: "",
    tests: ["tests/unit/protocol/codecs_test.ts"],
  },
  {
    file: "lib/protocol/codecs/codecs.ts",
    change: "runs in one process share lz4's buffers",
    find: 'return new (await import("./lz4.ts")).Lz4();',
    replace: "return (globalThis as unknown as { lz4: CodecImplementation }).lz4 ??= " +
      'new (await import("./lz4.ts")).Lz4();',
    tests: ["tests/unit/consume/runs_beside_test.ts"],
  },
];

/** The kernel is compiled again with the mistake in it. */
const kernel: Mutation[] = [
  {
    file: "lib/protocol/kernel/crc.as.ts",
    change: "one of the terms that CRCs are folded with is another one",
    find: "TAP3: usize = 170",
    replace: "TAP3: usize = 171",
    tests: ["tests/unit/protocol/kernel/crc32c_test.ts"],
  },
  {
    file: "lib/protocol/kernel/crc.as.ts",
    change: "a round of folding a CRC forgets the one before",
    find: "memory.copy(folded, at, history);",
    replace: "",
    tests: ["tests/unit/protocol/kernel/crc32c_test.ts"],
  },
  {
    file: "lib/protocol/kernel/utf8.as.ts",
    change: "a letter that is cut at the end of a vector is UTF-8",
    find: "for (; p <= end; p += 16) {",
    replace: "for (; p < end; p += 16) {",
    tests: ["tests/unit/protocol/kernel/guard_test.ts"],
  },
  {
    file: "lib/protocol/kernel/text.as.ts",
    change: "a carriage return does not make a value suspect",
    find: "i8x16(-1, 0, 0, 0, 0, 0, 0, 0, 0, 0, -1, 0, 0, -1, 0, 0)",
    replace: "i8x16(-1, 0, 0, 0, 0, 0, 0, 0, 0, 0, -1, 0, 0, 0, 0, 0)",
    tests: ["tests/unit/protocol/kernel/guard_test.ts"],
  },
  {
    file: "lib/protocol/kernel/record.as.ts",
    change: "offset deltas of a batch's records need not rise",
    find: "if (<u32>(delta - floor - 1) >= <u32>(ceiling - floor)) return false;",
    replace: "",
    tests: ["tests/unit/consume/flipped_bits_test.ts"],
  },
  {
    file: "lib/protocol/kernel/rows.as.ts",
    change: "the record at a range's end is read, too",
    find: "if (delta >= min && delta < max) {",
    replace: "if (delta >= min && delta <= max) {",
    tests: ["tests/unit/consume/rows_test.ts"],
  },
  {
    file: "lib/protocol/kernel/text.as.ts",
    change: "an odd number of quotes does not make a value suspect",
    find: "if (v128.any_true(bad) || (popcnt(i8x16.bitmask(quotes)) & 1) != 0) return false;",
    replace: "if (v128.any_true(bad)) return false;",
    tests: ["tests/unit/protocol/kernel/guard_test.ts"],
  },
  {
    file: "lib/protocol/kernel/scan.as.ts",
    change: "keys of some lengths go to another partition than with Java's producer",
    find: "if (rest >= 2) h ^= <u32>load<u8>(p, 1) << 8;",
    replace: "if (rest == 2) h ^= <u32>load<u8>(p, 1) << 8;",
    tests: ["tests/unit/produce/split_test.ts"],
  },
];

const kafka: Mutation[] = [
  {
    file: "lib/kafka/connection.ts",
    change: "the answer to another request is accepted",
    find: "if (this.#headView.getInt32(4) !== pending.correlation) {",
    replace: "if (this.#headView.getInt32(4) < 0) {",
    tests: ["tests/unit/kafka/connection_test.ts"],
  },
  {
    file: "lib/kafka/connection.ts",
    change: "a request has ten times its deadline",
    find: "pending.deadline = performance.now() + this.#config.timeout;",
    replace: "pending.deadline = performance.now() + 10 * this.#config.timeout;",
    tests: ["tests/unit/kafka/deadlines_test.ts"],
  },
  {
    file: "lib/kafka/connection.ts",
    change: "deadlines do not wait while the broker throttles",
    find: "for (const pending of this.#pending) pending.deadline += more;",
    replace: "",
    tests: ["tests/unit/kafka/throttle_test.ts"],
  },
  {
    file: "lib/kafka/session.ts",
    change: "the await of a login that is due is lost",
    find: "if (performance.now() >= this.#end) await this.#preparing;",
    replace: "if (performance.now() >= this.#end) void this.#preparing;",
    tests: ["tests/unit/kafka/session_test.ts"],
  },
  {
    file: "lib/kafka/sasl/scram.ts",
    change: "a broker need not prove that it knows the password",
    find: "if (!expected || !signature || !sameBytes(expected, signature)) {",
    replace: "if (!expected || !signature) {",
    tests: ["tests/unit/kafka/sasl/scram_test.ts"],
  },
  {
    file: "lib/kafka/log_identity.ts",
    change: "another cluster or topic id is not noticed",
    find: "return stored !== null && found !== null && stored !== found;",
    replace: "return stored !== null && found === null;",
    tests: ["tests/unit/kafka/log_identity_test.ts", "tests/unit/consume/other_log_test.ts"],
  },
];

const consume: Mutation[] = [
  {
    file: "lib/consume/memory.ts",
    change: "after an answer larger than usual a smaller one is expected",
    find: "Math.max(size, expected / 2)",
    replace: "expected / 2",
    tests: ["tests/unit/consume/memory_turns_test.ts"],
  },
  {
    file: "lib/consume/check_batches.ts",
    change: "the CRC is ignored",
    find: "if (summed === kernel.view.getUint32(at + Batch.crc)) return;",
    replace: "if (summed >= 0) return;",
    tests: ["tests/unit/consume/rows_test.ts"],
  },
  {
    file: "lib/consume/check_batches.ts",
    change: "a batch may begin before the end of the one before it",
    find: "if (mayBegin ? last < next : base < next) {",
    replace: "if (last < next) {",
    tests: ["tests/unit/consume/flipped_bits_test.ts"],
  },
  {
    file: "lib/consume/check_batches.ts",
    change: "the offset of the high watermark is read",
    find: "if (highWatermark >= 0 && last >= highWatermark) {",
    replace: "if (highWatermark >= 0 && last > highWatermark) {",
    tests: ["tests/unit/consume/flipped_bits_test.ts"],
  },
  {
    file: "lib/consume/aborted.ts",
    change: "records of aborted transactions are not skipped",
    find: "if (!isControl) return this.#active.has(producer);",
    replace: "if (!isControl) return false;",
    tests: ["tests/unit/consume/rows_test.ts"],
  },
  {
    file: "lib/consume/aborted.ts",
    change: "a producer that aborted once stays aborted",
    find: "if (controlType(view, at, end) === Control.abort) this.#active.delete(producer);",
    replace: "",
    tests: ["tests/unit/consume/rows_test.ts"],
  },
  {
    file: "lib/consume/alone.ts",
    change: "offsets are committed before the output is flushed",
    find: "  await output.close();\n  await commits.commit();",
    replace: "  await commits.commit();\n  await output.close();",
    tests: ["tests/unit/consume/commits_test.ts"],
  },
  {
    file: "lib/consume/commits.ts",
    change: "rows that the output has not accepted are committed",
    find: "offset: span.written,",
    replace: "offset: span.done,",
    tests: ["tests/unit/consume/commits_test.ts"],
  },
  {
    file: "lib/consume/commits.ts",
    change: "commits are not in turn: an older offset may come after a newer one",
    find: "const committed = this.#turn.then(() => this.#commit(spans));",
    replace: "const committed = this.#commit(spans);",
    tests: ["tests/unit/consume/waits_test.ts"],
  },
  {
    file: "lib/consume/commits.ts",
    change: "a leader epoch that no broker knows is committed",
    find: "leaderEpoch: span.leaderEpoch <= known(span) ? span.leaderEpoch : -1,",
    replace: "leaderEpoch: span.leaderEpoch,",
    tests: ["tests/unit/consume/other_log_test.ts", "tests/unit/consume/flipped_bits_test.ts"],
  },
  {
    file: "lib/consume/lost.ts",
    change: "an offset of records that were replaced is taken for the same one",
    find: "if (offset > shared) {",
    replace: "if (offset > shared + 1) {",
    tests: ["tests/unit/consume/boundaries_test.ts"],
  },
  {
    file: "lib/consume/fetch.ts",
    change: "after a lost leader the next one's log is not compared",
    find: "      span.isDoubted = true;\n",
    replace: "",
    tests: ["tests/unit/consume/other_log_test.ts"],
  },
  {
    file: "lib/consume/guard.ts",
    change: "a last line that is just \\. is not found",
    find: "if (isEndMark(bytes, line, end)) return END_MARK;",
    replace: "",
    tests: ["tests/unit/consume/value_rows_test.ts", "tests/unit/protocol/kernel/guard_test.ts"],
  },
  {
    file: "lib/consume/plan_spans.ts",
    change: "a range may end one offset past what can be read",
    find: "if (to > end) {",
    replace: "if (to > end + 1) {",
    tests: ["tests/unit/consume/boundaries_test.ts"],
  },
];

/** Of what reads topics. */
export const reading: readonly Mutation[] = [...protocol, ...kernel, ...kafka, ...consume];
