/**
 * Fields of which a slot gets the value and nothing else is done, which most are: the kernel's
 * proto.as.ts finds what to do by the tag.
 */
import protobuf from "protobufjs";
import type { ProgramWriter } from "./program.ts";
import { opOf, ops } from "./protobuf_descriptors.ts";
import { SlotKind } from "./slots.ts";

/** How the kernel takes such a field; 0 is any other. */
const Plain = {
  none: 0,
  varintAsItIs: 1,
  varintOther: 2,
  varintEnum: 3,
  eightBytes: 4,
  fourBytes: 5,
  textOrBytes: 6,
  time: 7,
} as const;

/** Fields with smaller numbers are found by their tag. */
const NUMBERS = 256;

/** The wire type of each type, how its values are taken, and the kind of slot that they become. */
const types: Readonly<Record<number, [wire: number, plain: number, kind: number]>> = {
  [ops.int32]: [0, Plain.varintOther, SlotKind.int],
  [ops.int64]: [0, Plain.varintAsItIs, SlotKind.int],
  [ops.uint32]: [0, Plain.varintOther, SlotKind.uint],
  [ops.uint64]: [0, Plain.varintAsItIs, SlotKind.uint],
  [ops.sint32]: [0, Plain.varintOther, SlotKind.int],
  [ops.sint64]: [0, Plain.varintOther, SlotKind.int],
  [ops.bool]: [0, Plain.varintOther, SlotKind.bool],
  [ops.enum]: [0, Plain.varintEnum, SlotKind.symbol],
  [ops.fixed32]: [5, Plain.fourBytes, SlotKind.uint],
  [ops.sfixed32]: [5, Plain.none, SlotKind.int],
  [ops.float]: [5, Plain.fourBytes, SlotKind.float],
  [ops.fixed64]: [1, Plain.eightBytes, SlotKind.uint],
  [ops.sfixed64]: [1, Plain.eightBytes, SlotKind.int],
  [ops.double]: [1, Plain.eightBytes, SlotKind.double],
  [ops.string]: [2, Plain.textOrBytes, SlotKind.text],
  [ops.bytes]: [2, Plain.textOrBytes, SlotKind.bytes],
  [ops.message]: [2, Plain.none, SlotKind.missing],
  [ops.group]: [3, Plain.none, SlotKind.missing],
};

/** The kind of slot that a type's values become. */
export const kinds: Readonly<Record<number, number>> = Object.fromEntries(
  Object.entries(types).map(([op, [, , kind]]) => [op, kind]),
);

/** What the kernel does with a field of this type about which there is one entry, with this action. */
export function plainOf(op: number, action: "slot" | "time" | "other"): number {
  return action === "slot" ? types[op][1] : action === "time" ? Plain.time : Plain.none;
}

/** Writes the entries of fields where their tags find them; returns where that is, and how many there are. */
export function writeTags(
  writer: ProgramWriter,
  entries: readonly { field: protobuf.Field; entry: number }[],
): [offset: number, count: number] {
  const tags = entries.filter(({ field }) => field.id < NUMBERS).flatMap(({ field, entry }) => {
    const op = field instanceof protobuf.MapField ? ops.message : opOf(field);
    const [wire] = types[op];
    // Lists of numbers are also packed.
    return [[field.id * 8 + wire, entry], ...field.repeated ? [[field.id * 8 + 2, entry]] : []];
  });
  const count = Math.max(0, ...tags.map(([tag]) => tag + 1));
  const at = writer.reserve(4 * count);
  for (const [tag, entry] of tags) writer.u32(at + 4 * tag, entry);
  return [at, count];
}
