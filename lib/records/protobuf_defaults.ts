/** What a field of a message is that is not on the wire. */
import protobuf from "protobufjs";
import { isImplicit } from "./protobuf_descriptors.ts";
import { fullName, ProtobufError } from "./protobuf_schema.ts";
import { SlotKind } from "./slots.ts";

/** A slot with a value of its own: its kind, and its bytes or number. */
export interface Default {
  kind: number;
  bytes?: Uint8Array;
  value?: bigint;
}

const utf8 = new TextEncoder();

/**
 * The default of a field, null if it has none: then it is nothing. Lists and maps are empty.
 * `implicit`: it has one even if its own declaration does not say so.
 *
 * @throws {ProtobufError} The default is a number that the parser does not keep exactly.
 */
export function defaultOf(field: protobuf.Field, implicit = false): Default | null {
  if (field instanceof protobuf.MapField) return { kind: SlotKind.raw, bytes: utf8.encode("{}") };
  if (field.repeated) return { kind: SlotKind.raw, bytes: utf8.encode("[]") };
  if (field.resolvedType instanceof protobuf.Type) return null;
  const given: unknown = field.getOption("default");
  if (given === undefined && !implicit && !isImplicit(field)) return null;
  if (field.resolvedType instanceof protobuf.Enum) return ofEnum(field.resolvedType, given);
  switch (field.type) {
    case "string":
      return { kind: SlotKind.text, bytes: textBytes(String(given ?? "")) };
    case "bytes":
      return { kind: SlotKind.bytes, bytes: rawBytes(String(given ?? "")) };
    case "bool":
      return { kind: SlotKind.bool, value: given === true ? 1n : 0n };
    case "float":
      return { kind: SlotKind.float, value: floatBits(Number(given ?? 0)) };
    case "double":
      return { kind: SlotKind.double, value: doubleBits(Number(given ?? 0)) };
  }
  const number = Number(given ?? 0);
  if (!Number.isSafeInteger(number)) {
    throw new ProtobufError(
      `cannot use the default of field ${field.name} of ${
        fullName(field.parent!)
      }: it is not between ` +
        `-(2^53 - 1) and 2^53 - 1`,
    );
  }
  const unsigned = field.type.startsWith("u") || field.type.startsWith("fixed");
  return { kind: unsigned ? SlotKind.uint : SlotKind.int, value: BigInt(number) };
}

function ofEnum(type: protobuf.Enum, given: unknown): Default {
  const [first = ""] = Object.keys(type.values);
  return { kind: SlotKind.symbol, bytes: utf8.encode(typeof given === "string" ? given : first) };
}

/** A char of the parser's text is a byte where it was an escape, `\303`; else it is a character. */
function rawBytes(text: string): Uint8Array {
  // deno-lint-ignore no-control-regex
  if (!/^[\x00-\xff]*$/.test(text)) return utf8.encode(text);
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}

/** Escapes that are UTF-8 together are a character. */
function textBytes(text: string): Uint8Array {
  const bytes = rawBytes(text);
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return bytes;
  } catch {
    return utf8.encode(text);
  }
}

function floatBits(value: number): bigint {
  const view = new DataView(new ArrayBuffer(4));
  view.setFloat32(0, value);
  return BigInt(view.getUint32(0));
}

function doubleBits(value: number): bigint {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  return view.getBigUint64(0);
}
