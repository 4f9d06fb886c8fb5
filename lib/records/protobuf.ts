/**
 * Protobuf values to rows: what of a message goes into which slots becomes a root of a program of rows
 * (program.ts).
 */
import type protobuf from "protobufjs";
import type { Path } from "./paths.ts";
import type { ProgramWriter } from "./program.ts";
import { Descriptors } from "./protobuf_descriptors.ts";
import { Nodes } from "./protobuf_nodes.ts";
import { lackOf, newWanted, want } from "./protobuf_paths.ts";

export { ProtobufError, readMessageIndexes, readProtobuf } from "./protobuf_schema.ts";
export type { ProtobufFile, ProtobufSchema } from "./protobuf_schema.ts";
export { lackingPaths, lackOf } from "./protobuf_paths.ts";

/** Parts of messages are joined in the scratch room, of a key and of a value (JOINED in proto.as.ts). */
const JOINED = 65536;
/** A frame has this much for each field of a message. */
const FRAME_ENTRY = 12;
const DEEPEST = 100;
const MOST_FRAMES = 1024 * 1024;
const ROOT_SIZE = 32;

/** The roots of one program: all versions of a schema share what they can. */
export class ProtobufRoots {
  readonly #program: ProgramWriter;
  readonly #descriptors: Descriptors;

  constructor(program: ProgramWriter) {
    this.#program = program;
    this.#descriptors = new Descriptors(program);
  }

  /**
   * Writes what the kernel needs to find these paths in a message; returns the root's offset. A path
   * that the message lacks is ignored: its slot stays empty.
   *
   * @throws {ProtobufError} A default cannot be used.
   */
  add(
    message: protobuf.Type,
    paths: readonly { path: Path; slot: number }[],
    part: "key" | "value",
  ): number {
    const wanted = newWanted();
    for (const { path, slot } of paths) {
      if (lackOf(message, path) === null) want(wanted, path, slot);
    }
    const root = this.#program.reserve(ROOT_SIZE);
    const nodes = new Nodes(this.#program, this.#descriptors, wanted);
    const node = nodes.message(message, wanted);
    const wholes = this.#program.reserve(4 * wanted.slots.length);
    this.#program.u32(wholes, ...wanted.slots);
    const descriptor = wanted.slots.length > 0 ? this.#descriptors.message(message) : 0;
    // deno-fmt-ignore
    this.#program.u32(root, node, nodes.firstState, nodes.statesSize, part === "key" ? 0 : 1, wholes,
      wanted.slots.length, descriptor);
    return root;
  }

  /** How much scratch room the program must have, in bytes. */
  get scratch(): number {
    const frames = DEEPEST * FRAME_ENTRY * (this.#descriptors.widest + 2);
    return 2 * JOINED + Math.min(MOST_FRAMES, JOINED + frames);
  }
}
