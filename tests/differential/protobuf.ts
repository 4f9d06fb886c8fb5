/** Protobuf messages of random .proto files, beside protobuf-es. */
import { Buffer } from "node:buffer";
import { type DescMessage, fromBinary, toBinary } from "@bufbuild/protobuf";
import { reflect } from "@bufbuild/protobuf/reflect";
import { Random } from "../support/random.ts";
import { plainJson, ProtobufRows } from "../unit/records/protobuf_rows.ts";
import { ProtoFile } from "./proto_files.ts";
import { type Expected, fieldOf, fill, pathsOf, Unreadable } from "./proto_values.ts";
import { pieces, shown, type Size, Tally } from "./tally.ts";

/** Messages of one .proto file. */
const WORLD = 100;

/** Fields that no message of ours has: a number, 8 bytes, a text, a group, 4 bytes. */
const unknownFields = [
  ...[[0xf8, 0xff, 0x03, 0x96, 0x01], [0xf9, 0xff, 0x03, 1, 2, 3, 4, 5, 6, 7, 8]],
  ...[[0xfa, 0xff, 0x03, 2, 0x61, 0x62], [0xfb, 0xff, 0x03, 0x08, 1, 0xfc, 0xff, 0x03]],
  [0xfd, 0xff, 0x03, 1, 2, 3, 4],
].map((bytes) => Uint8Array.from(bytes));

/** The fields of a message, apart. */
function fieldsOf(bytes: Uint8Array): Uint8Array[] {
  const all: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const start = at;
    const varint = () => {
      let value = 0;
      for (let unit = 1;; unit *= 128) {
        const byte = bytes[at++];
        value += (byte & 127) * unit;
        if (byte < 128) return value;
      }
    };
    const wire = varint() % 8;
    if (wire === 0) varint();
    else if (wire === 2) {
      const size = varint();
      at += size;
    } else at += wire === 1 ? 8 : 4;
    all.push(bytes.subarray(start, at));
  }
  return all;
}

/** A message as some writer may write it: of several parts, in any order, with unknown fields. */
function written(writers: readonly DescMessage[], random: Random): Uint8Array {
  const fields: Uint8Array[] = [];
  for (let parts = random.int(0, 3) === 0 ? random.int(2, 3) : 1; parts > 0; parts--) {
    const writer = writers[random.int(0, writers.length - 1)];
    const message = reflect(writer);
    fill(message, random, 3);
    fields.push(...fieldsOf(toBinary(writer, message.message)));
  }
  if (random.int(0, 4) === 0) fields.push(unknownFields[random.int(0, unknownFields.length - 1)]);
  return Buffer.concat(random.int(0, 3) === 0 ? random.shuffle(fields) : fields);
}

/** Whether a row's field is what is expected. */
function isSame(field: string | null, expected: Expected): boolean {
  if (field === null || expected === null) return field === null && expected === null;
  if ("text" in expected) return field === expected.text;
  return JSON.stringify(plainJson(field)) === JSON.stringify(plainJson(expected.json));
}

function world(seed: number, count: number, tally: Tally): void {
  const random = new Random(seed);
  const file = new ProtoFile(random);
  const reader = file.descriptor(false);
  const writers = [reader, file.descriptor(true)];
  const paths = pathsOf(reader, random);
  const rows = new ProtobufRows(file.text, "M0", paths);
  for (let i = 0; i < count; i++) {
    const bytes = written(writers, random);
    const message = reflect(reader, fromBinary(reader, bytes));
    let expected: Expected[] | null = null;
    try {
      expected = paths.map((path) => fieldOf(message, path));
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      tally.note("unreadable by both");
    }
    const outcome = rows.one(bytes);
    const fields = outcome !== "no room" && "fields" in outcome ? outcome.fields : null;
    tally.values++;
    if (fields !== null) tally.rows++;
    const at = paths.findIndex((_, i) =>
      fields === null || expected === null || !isSame(fields[i], expected[i])
    );
    if (at === -1 || fields === null && expected === null) continue;
    const [ours, theirs] = [fields?.[at] ?? outcome, expected?.[at] ?? expected];
    tally.differ(
      `seed ${seed}: ${JSON.stringify(paths[at])} is ${JSON.stringify(ours)}, not ` +
        `${JSON.stringify(theirs)}, of ${shown(bytes)} in ${file.text}`,
    );
  }
}

export function protobufFields({ values, seed }: Size): Promise<Tally> {
  const tally = new Tally();
  let next = seed * 1_000_000;
  for (const count of pieces(values, WORLD)) world(next++, count, tally);
  return Promise.resolve(tally);
}
