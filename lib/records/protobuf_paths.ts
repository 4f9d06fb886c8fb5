/** Paths into messages: which there are, and which a message lacks. */
import protobuf from "protobufjs";
import { suggestion } from "../text.ts";
import type { Path } from "./paths.ts";
import { fullName } from "./protobuf_schema.ts";

type Steps = Path["steps"];

/** What is wanted of a value: of itself, of its fields (or a map's keys), of its elements. */
export interface Wanted {
  /** The slots that get the value itself. */
  slots: number[];
  names: Map<string, Wanted>;
  elements: Map<number, Wanted>;
}

/** Paths deeper than the messages that Protobuf's own readers accept. */
const MAX_STEPS = 100;

export function newWanted(): Wanted {
  return { slots: [], names: new Map(), elements: new Map() };
}

/** Adds a path whose value goes to a slot. */
export function want(root: Wanted, steps: Steps, slot: number): void {
  let at = root;
  for (const step of steps) {
    const children: Map<string | number, Wanted> = typeof step === "string"
      ? at.names
      : at.elements;
    let child = children.get(step);
    if (!child) children.set(step, child = newWanted());
    at = child;
  }
  at.slots.push(slot);
}

/** `lines[0].sku`, as in --fields. */
export function pathText(steps: Steps): string {
  let text = "";
  for (const step of steps) {
    if (typeof step === "number") text += `[${step}]`;
    else {
      const name = /^[\w-]+$/.test(step) ? step : `"${step.replaceAll('"', '""')}"`;
      text += (text === "" ? "" : ".") + name;
    }
  }
  return text === "" ? "." : text;
}

/** A field's name in its .proto file: a group's is its type's in small letters. */
export function fieldName(field: protobuf.Field): string {
  const { resolvedType, name } = field;
  // The parser's declarations do not have this.
  const group = resolvedType instanceof protobuf.Type && "group" in resolvedType &&
    resolvedType.group === true;
  return group ? resolvedType.name.toLowerCase() : name;
}

/** The field or oneof of a name; a oneof's value is the name of the member that is set. */
export function memberOf(
  type: protobuf.Type,
  name: string,
): protobuf.Field | protobuf.OneOf | undefined {
  return type.fieldsArray.find((field) => fieldName(field) === name) ??
    oneofsOf(type).find((oneof) => oneof.name === name);
}

/** The oneofs that stand in the file: an optional field of proto3 has one of its own. */
export function oneofsOf(type: protobuf.Type): protobuf.OneOf[] {
  return type.oneofsArray.filter(({ fieldsArray }) =>
    !fieldsArray.some((field) => field.getOption("proto3_optional"))
  );
}

/** Why a message lacks a path, or null: it has it. Ends without a full stop. */
export function lackOf(type: protobuf.Type, path: Steps): string | null {
  if (path.length > MAX_STEPS) return `it has more than ${MAX_STEPS} steps`;
  /** What the steps so far led to: a message, or a field's one value, or all of them. */
  let at: protobuf.Type | null = type;
  let all: protobuf.Field | null = null;
  let what = fullName(type);
  for (const [index, step] of path.entries()) {
    const sofar = pathText(path.slice(0, index));
    if (all instanceof protobuf.MapField) {
      if (keyBytesOf(all, String(step)) === null) {
        return `the keys of ${sofar} are ${all.keyType}, and "${step}" is not one`;
      }
    } else if (all) {
      if (typeof step === "string") {
        const first = [...path.slice(0, index), 0, ...at ? [step] : []];
        return `${sofar} is repeated — use ${pathText(first)} for its first element, or ${sofar} ` +
          `for all of it as JSON`;
      }
    } else {
      if (typeof step === "number") return `${sofar} is not repeated, it is ${what}`;
      if (at === null) return `${sofar} is ${what}: it has no fields`;
      const member = memberOf(at, step);
      if (!member) {
        const names = [...at.fieldsArray.map(fieldName), ...oneofsOf(at).map(({ name }) => name)];
        const some = names.slice(0, 20).join(", ") + (names.length > 20 ? ", …" : "");
        const list = names.length === 0 ? "; it has no fields" : `; its fields are ${some}`;
        return `${fullName(at)} has no field "${step}"${suggestion(step, names, list)}`;
      }
      if (member instanceof protobuf.OneOf) {
        at = null;
        what = "a oneof, whose value is the name of the member that is set";
        continue;
      }
      const { resolvedType } = member;
      at = resolvedType instanceof protobuf.Type ? resolvedType : null;
      what = resolvedType ? fullName(resolvedType) : member.type;
      all = member.repeated || member instanceof protobuf.MapField ? member : null;
      continue;
    }
    all = null;
  }
  return null;
}

/**
 * The paths that none of these versions of a message has, and why, of the last version:
 * `shop.Order has no field "amuont" — did you mean "amount"?`
 */
export function missingProtobufPaths(
  versions: readonly protobuf.Type[],
  paths: readonly Path[],
): { path: Path; hint: string }[] {
  const last = versions.at(-1);
  if (!last) return [];
  return paths.filter(({ steps }) => versions.every((type) => lackOf(type, steps) !== null))
    .map((path) => ({ path, hint: `: ${lackOf(last, path.steps)}` }));
}

/** The bytes of a map's key on the wire, without its tag; null: it cannot be one of this type. */
export function keyBytesOf(field: protobuf.MapField, key: string): Uint8Array | null {
  const type = field.keyType;
  if (type === "string") return new TextEncoder().encode(key);
  if (type === "bool") {
    return key === "true" || key === "false" ? keyNumber(key === "true" ? 1n : 0n) : null;
  }
  if (!/^-?\d{1,20}$/.test(key)) return null;
  const value = BigInt(key);
  const bits = type.endsWith("64") ? 64 : 32;
  const unsigned = type.startsWith("u") || type.startsWith("fixed");
  const fits = unsigned ? BigInt.asUintN(bits, value) : BigInt.asIntN(bits, value);
  return fits === value ? keyNumber(value) : null;
}

/** A key that is a number, as the walker compares it: int64, little-endian. */
function keyNumber(value: bigint): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigInt64(0, BigInt.asIntN(64, value), true);
  return bytes;
}
