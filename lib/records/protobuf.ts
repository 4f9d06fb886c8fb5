/**
 * Protobuf for the kernel: messages and the paths of a run become nodes in a program of rows. What a
 * version of a message does not have stays missing.
 */
import type protobuf from "protobufjs";
import type { Added } from "./json.ts";
import type { Path } from "./paths.ts";
import { Form, Framed, type ProgramWriter } from "./program.ts";
import { Descriptors } from "./protobuf_descriptors.ts";
import { Nodes } from "./protobuf_nodes.ts";
import { lackOf, newWanted, want } from "./protobuf_paths.ts";

export { ProtobufError, readMessageIndexes, readProtobuf } from "./protobuf_schema.ts";
export type { ProtobufFile, ProtobufSchema } from "./protobuf_schema.ts";
export { missingProtobufPaths } from "./protobuf_paths.ts";
export type ProtobufMessage = protobuf.Type;

/** Parts of messages are joined in the scratch room, of a key and of a value (JOINED in proto.as.ts). */
const JOINED = 65536;
/** A frame has this much for each field of a message. */
const FRAME_ENTRY = 28;
const DEEPEST = 100;
const MOST_FRAMES = 1024 * 1024;
const ROOT_SIZE = 32;

/** The messages of a source. */
export interface ProtobufMessages {
  /** Those in frames, by what follows a frame's 0x00 as it stands there: id, message indexes. */
  framed: readonly { key: Uint8Array; message: protobuf.Type }[];
  /** The one of values that have no frame; then none has. */
  bare: protobuf.Type | null;
}

/**
 * Adds the walk of Protobuf values that finds these paths, in slots from `first` on. `part`: a program
 * may have one walk of each.
 *
 * @throws {ProtobufError} A default cannot be used.
 */
export function addProtobuf(
  writer: ProgramWriter,
  { framed, bare }: ProtobufMessages,
  paths: readonly Path[],
  first: number,
  part: "key" | "value" = "value",
): Added {
  const slotOf = new Map<string, { steps: Path["steps"]; slot: number }>();
  const slots = paths.map(({ steps }) => {
    const key = JSON.stringify(steps);
    const field = slotOf.get(key) ?? { steps, slot: first + slotOf.size };
    slotOf.set(key, field);
    return field.slot;
  });
  const fields = [...slotOf.values()];
  const descriptors = new Descriptors(writer);
  /** A version that only changed elsewhere has the same message: by its type, each once. */
  const known = new Map<protobuf.Type, number>();
  const rootOf = (message: protobuf.Type): number => {
    let root = known.get(message);
    if (root === undefined) {
      known.set(message, root = addRoot(writer, descriptors, message, fields, part));
    }
    return root;
  };
  const roots = framed.map(({ key, message }) => ({ key, root: rootOf(message) }));
  const root = bare ? rootOf(bare) : 0;
  const frames = DEEPEST * FRAME_ENTRY * (descriptors.widest + 2);
  writer.needScratch(2 * JOINED + Math.min(MOST_FRAMES, JOINED + frames));
  const source = {
    form: Form.protobuf,
    framed: bare ? Framed.never : Framed.required,
    root,
    roots,
  };
  return { source, slots, next: first + fields.length };
}

/** Writes what the kernel needs to find these paths in a message; returns the root's offset. */
function addRoot(
  writer: ProgramWriter,
  descriptors: Descriptors,
  message: protobuf.Type,
  fields: readonly { steps: Path["steps"]; slot: number }[],
  part: "key" | "value",
): number {
  const wanted = newWanted();
  for (const { steps, slot } of fields) {
    if (lackOf(message, steps) === null) want(wanted, steps, slot);
  }
  const root = writer.reserve(ROOT_SIZE);
  const nodes = new Nodes(writer, descriptors, wanted);
  const node = nodes.message(message, wanted);
  const wholes = writer.reserve(4 * wanted.slots.length);
  writer.u32(wholes, ...wanted.slots);
  const descriptor = wanted.slots.length > 0 ? descriptors.message(message) : 0;
  // deno-fmt-ignore
  writer.u32(root, node, nodes.firstState, nodes.statesSize, part === "key" ? 0 : 1, wholes,
    wanted.slots.length, descriptor);
  return root;
}
