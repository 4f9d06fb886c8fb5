/**
 * .proto text to descriptors. The parser and the descriptors are protobufjs's; what it makes of
 * messages with generated code is not used.
 *
 * Source: https://protobuf.dev/reference/protobuf/proto3-spec/, proto2-spec, edition-2023-spec
 */
import protobuf from "protobufjs";
import { suggestion } from "../text.ts";
import { knownFiles } from "./protobuf_known.ts";

/** A schema that cannot be used; the message is a whole sentence: "cannot read x.proto, line 3: …". */
export class ProtobufError extends Error {
  override name = "ProtobufError";
}

/** What {@link readProtobuf} reads. */
export interface ProtobufFile {
  text: string;
  /** How errors name it. */
  name?: string;
  /**
   * The text of an import by its name as the import has it, `shop/line.proto`: a map (the references of
   * a Schema Registry) or a function. The files of google/protobuf, google/type and confluent are
   * known.
   */
  imports?: ReadonlyMap<string, string> | ((name: string) => string | undefined);
  /** Whether comments are read. */
  comments?: boolean;
}

const MAX_FIELD = 2 ** 29 - 1;
/** The most files one may bring in, and so how deep they can import each other. */
const MAX_FILES = 1000;

/** A file with all that it imports. */
export class ProtobufSchema {
  readonly #root: protobuf.Root;
  readonly #name: string;
  /** The file's own messages, in their order. */
  readonly #own: protobuf.Type[];

  constructor(root: protobuf.Root, name: string) {
    this.#root = root;
    this.#name = name;
    this.#own = typesOf(root, (type) => type.filename === name);
  }

  /** Full names of the file's own messages, the nested ones after the one they are in. */
  get names(): string[] {
    const names: string[] = [];
    const add = (type: protobuf.Type) => {
      names.push(fullName(type));
      nestedTypes(type).forEach(add);
    };
    this.#own.forEach(add);
    return names;
  }

  /**
   * The message of a full name, `shop.Order`; or of its last part, if the file has one such.
   *
   * @throws {ProtobufError} There is none; names the nearest.
   */
  message(name: string): protobuf.Type {
    const wanted = name.replace(/^\./, "");
    const found = this.#root.lookup(`.${wanted}`, [protobuf.Type]);
    if (found instanceof protobuf.Type) return found;
    const names = this.names;
    const ends = names.filter((full) => full.endsWith(`.${wanted}`));
    if (ends.length === 1) return this.message(ends[0]);
    const all = names.length === 0
      ? "it has no message"
      : `its messages are ${names.slice(0, 20).join(", ")}${names.length > 20 ? ", …" : ""}`;
    const which = ends.length > 1 ? `, use one of ${ends.join(", ")}` : `; ${all}`;
    throw new ProtobufError(
      `cannot find message ${name}: ${this.#name} does not have it` +
        suggestion(wanted, [...names, ...names.map(lastPart)], which),
    );
  }

  /**
   * The message of a frame's indexes: [1, 0] is the first message in the file's second one. Only
   * messages count, as in Confluent's own serializer.
   *
   * @throws {ProtobufError} There is none.
   */
  messageAt(indexes: readonly number[]): protobuf.Type {
    let types = this.#own;
    let type: protobuf.Type | undefined;
    for (const index of indexes) {
      type = types[index];
      if (type === undefined) break;
      types = nestedTypes(type);
    }
    if (type) return type;
    throw new ProtobufError(
      `cannot find the message at [${indexes.join(", ")}]: ${this.#name} does not have that many`,
    );
  }
}

function lastPart(name: string): string {
  return name.slice(name.lastIndexOf(".") + 1);
}

/** A message's or enum's name without the dot that the parser puts before it. */
export function fullName(type: protobuf.ReflectionObject): string {
  return type.fullName.replace(/^\./, "");
}

/** Messages below packages, in their order. */
function typesOf(space: protobuf.NamespaceBase, which: (type: protobuf.Type) => boolean) {
  const types: protobuf.Type[] = [];
  for (const nested of space.nestedArray) {
    if (nested instanceof protobuf.Type) {
      if (which(nested)) types.push(nested);
    } else if (nested instanceof protobuf.Namespace && !(nested instanceof protobuf.Service)) {
      types.push(...typesOf(nested, which));
    }
  }
  return types;
}

function nestedTypes(type: protobuf.Type): protobuf.Type[] {
  return type.nestedArray.filter((nested) => nested instanceof protobuf.Type) as protobuf.Type[];
}

/**
 * Reads a .proto file and all that it imports.
 *
 * @throws {ProtobufError} Which file, which line, what is wrong; or which import is missing.
 */
export function readProtobuf(
  { text, name = "schema.proto", imports, comments = false }: ProtobufFile,
) {
  const root = new protobuf.Root();
  const seen = new Set([name]);
  const waiting: [name: string, text: string][] = [[name, text]];
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    for (const file of parseInto(root, ...next, comments)) {
      if (seen.has(file)) continue;
      seen.add(file);
      if (seen.size > MAX_FILES) {
        throw new ProtobufError(`cannot read ${name}: it imports more than ${MAX_FILES} files`);
      }
      const given = typeof imports === "function" ? imports(file) : imports?.get(file);
      const imported = given ?? knownFiles[file];
      if (imported === undefined) {
        throw new ProtobufError(`cannot read ${next[0]}: it imports ${file}, which is missing`);
      }
      waiting.push([file, imported]);
    }
  }
  try {
    root.resolveAll();
  } catch (error) {
    throw new ProtobufError(`cannot read ${name}: ${(error as Error).message}`);
  }
  checkNumbers(root, name);
  return new ProtobufSchema(root, name);
}

/** Parses one file; returns the names of its imports. */
function parseInto(
  root: protobuf.Root,
  name: string,
  text: string,
  alternateCommentMode: boolean,
): string[] {
  // Where the parser says what it is reading: its declarations do not have it.
  const parse = protobuf.parse as typeof protobuf.parse & { filename: string | null };
  parse.filename = name;
  try {
    const { imports = [], weakImports = [] } = parse(text, root, {
      keepCase: true,
      alternateCommentMode,
    });
    return [...imports, ...weakImports];
  } catch (error) {
    const { message } = error as Error;
    const [, what, line] = /^(.*?) \((?:.*, )?line (\d+)\)$/s.exec(message) ?? [];
    throw new ProtobufError(
      line === undefined
        ? `cannot read ${name}: ${message}`
        : `cannot read ${name}, line ${line}: ${
          what.replace("illegal token 'null'", "the file ends too early")
        }`,
    );
  } finally {
    parse.filename = null;
  }
}

/** What the parser leaves to protoc. */
function checkNumbers(root: protobuf.Root, name: string): void {
  const check = (type: protobuf.Type) => {
    for (const { id, name: field } of type.fieldsArray) {
      if (id >= 1 && id <= MAX_FIELD) continue;
      throw new ProtobufError(
        `cannot read ${type.filename ?? name}: field ${field} of ${fullName(type)} has number ` +
          `${id}, not one of 1 to ${MAX_FIELD}`,
      );
    }
    nestedTypes(type).forEach(check);
  };
  typesOf(root, () => true).forEach(check);
}

/**
 * The message indexes after the id in a Confluent frame: zigzag varints, a count and as many indexes;
 * a lone 0 is [0]. Undefined: the bytes end too early, or have more than any schema.
 *
 * Source: https://docs.confluent.io/platform/current/schema-registry/fundamentals/serdes-develop/#wire-format
 */
export function readMessageIndexes(
  bytes: Uint8Array,
): { indexes: number[]; size: number } | undefined {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      if (at >= bytes.length) return -1;
      const byte = bytes[at++];
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
    }
    return -1;
  };
  const count = varint();
  if (count === 0) return { indexes: [0], size: at };
  if (count < 0 || count > 100) return undefined;
  const indexes: number[] = [];
  for (let i = 0; i < count; i++) {
    const index = varint();
    if (index < 0) return undefined;
    indexes.push(index);
  }
  return { indexes, size: at };
}
