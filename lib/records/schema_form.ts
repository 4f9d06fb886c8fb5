import type { Added } from "./json.ts";
import type { Path } from "./paths.ts";
import type { ProgramWriter } from "./program.ts";

/** A schema's text with those that it refers to, each after what it uses itself. */
export interface SchemaText {
  text: string;
  references: readonly { name: string; text: string }[];
}

/** A schema of a file, for values without a frame. */
export interface SchemaFile {
  kind: "avro" | "protobuf";
  /** For messages. */
  name: string;
  text: string;
  /** The text of a file that it imports; undefined if it is not there. */
  imported(name: string): string | undefined;
  /** The message of a .proto file. */
  message: string | null;
}

/** The schemas of a source: those of frames, by what follows a frame's first byte, or one without a frame. */
export interface KnownSchemas<T> {
  framed: readonly { key: Uint8Array; schema: T }[];
  bare: T | null;
}

/** A format whose values are read by the schema that they were written with. T: a schema, read. */
export interface SchemaForm<T> {
  /** As registries call it. */
  readonly kind: "avro" | "protobuf";
  /** For messages. */
  readonly name: string;
  /**
   * How much of what follows a frame's first byte says which schema a value has: the id, and with
   * Protobuf the indexes of its message. Undefined if it ends before that.
   */
  keySize(bytes: Uint8Array): number | undefined;
  /** The schema of values that have this key. Throws Error. */
  read(schema: SchemaText, key: Uint8Array): T;
  /** The schema of a file. Throws Error. */
  readFile(file: SchemaFile): T;
  /** All that a value of this schema may be. Throws Error. */
  readAll(schema: SchemaText): readonly T[];
  /** Adds the walk that finds these paths, in slots from `first` on. Throws Error. */
  add(
    writer: ProgramWriter,
    known: KnownSchemas<T>,
    paths: readonly Path[],
    first: number,
    part: "key" | "value",
  ): Added;
  /** The paths that none of these schemas has, the newest first; `why` ends a sentence, or is empty. */
  lacking(schemas: readonly T[], paths: readonly Path[]): { path: Path; why: string }[];
}
