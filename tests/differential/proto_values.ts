/** Random messages in protobuf-es, and what a row has of their fields. */
import { Buffer } from "node:buffer";
import { type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import {
  reflect,
  type ReflectList,
  type ReflectMap,
  type ReflectMessage,
} from "@bufbuild/protobuf/reflect";
import { FeatureSet_FieldPresence } from "@bufbuild/protobuf/wkt";
import type { Random } from "../support/random.ts";
import { shortestDouble, shortestFloat } from "../unit/records/avro_decode.ts";
import { SYMBOLS } from "./proto_files.ts";

export type Steps = readonly (string | number)[];

/** The row of the message cannot be: a text has a NUL byte, or parts of a Duration have other signs. */
export class Unreadable extends Error {}

const texts = [
  ...[
    "",
    "a",
    "plain text",
    'quo"te',
    "comma, here",
    "line\nbreak",
    "back\\slash",
    "äöü€",
    "😀 wide",
  ],
  ...["x".repeat(200), "tab\tand\x01control", "null", " padded ", "\u2028", "{", "1e5", "\ufeff"],
];
const least: Partial<Record<ScalarType, bigint>> = {
  [ScalarType.INT64]: -(2n ** 63n),
  [ScalarType.SINT64]: -(2n ** 63n),
  [ScalarType.SFIXED64]: -(2n ** 63n),
  [ScalarType.UINT64]: 0n,
  [ScalarType.FIXED64]: 0n,
};

function scalar(random: Random, type: ScalarType): unknown {
  const one = <T>(of: readonly T[]) => of[random.int(0, of.length - 1)];
  const low = least[type];
  if (low !== undefined) {
    const bits = BigInt(random.int(0, 2 ** 32 - 1)) << 32n | BigInt(random.int(0, 2 ** 32 - 1));
    const any = low + (bits >> BigInt(random.int(0, 63)));
    return one([low, low + 2n ** 64n - 1n, 0n, 1n, 127n, 128n, 2n ** 53n + 1n, any, any]);
  }
  switch (type) {
    case ScalarType.BOOL:
      return random.int(0, 1) === 1;
    case ScalarType.STRING:
      return random.int(0, 999) === 0 ? "a\0b" : one(texts);
    case ScalarType.BYTES:
      return Uint8Array.from({ length: one([0, 1, 2, 3, 17, 40]) }, () => random.int(0, 255));
    case ScalarType.FLOAT:
      return Math.fround(
        one([0, -0, 1.5, 0.1, 3e38, 1e-40, Infinity, NaN, 2e6 * random.next() - 1e6]),
      );
    case ScalarType.DOUBLE:
      return one([
        ...[0, -0, 1.5, 0.1, 1e21, 1e-7, -Infinity, NaN, 5e-324, 1e300],
        (random.next() - 0.5) * 10 ** random.int(-30, 30),
      ]);
    case ScalarType.UINT32:
    case ScalarType.FIXED32:
      return one([0, 1, 127, 128, 2 ** 32 - 1, random.int(0, 2 ** 32 - 1)]);
    default:
      return one([
        -(2 ** 31),
        2 ** 31 - 1,
        0,
        1,
        -1,
        127,
        128,
        random.int(-(2 ** 31), 2 ** 31 - 1),
      ]);
  }
}

const SECONDS = [0, -1, -62135596800, 253402300799, 1732600000, -86400, 951782399];
const NANOS = [0, 5_000_000, 7000, 1, 999_999_999, 120_000_000];

/** Fills a message; `depth`: how many more may be in it. */
export function fill(message: ReflectMessage, random: Random, depth: number): void {
  const one = <T>(of: readonly T[]) => of[random.int(0, of.length - 1)];
  const { typeName, fields } = message.desc;
  if (typeName === "google.protobuf.Timestamp" || typeName === "google.protobuf.Duration") {
    const isTime = typeName.endsWith("Timestamp");
    const sign = isTime || random.int(0, 1) ? 1 : -1;
    const seconds = isTime ? one(SECONDS) : one([0, 1, 59, 3600, 315_576_000_000, 1e6]);
    message.set(fields[0], BigInt(sign * seconds));
    message.set(fields[1], sign * one(NANOS) + 0);
    return;
  }
  const chance = one([0.2, 0.5, 0.9]);
  for (const field of fields) {
    if (random.next() > chance || field.message && depth === 0) continue;
    const value = () => {
      if (field.message) {
        const inner = reflect(field.message);
        fill(inner, random, depth - 1);
        return inner;
      }
      return field.enum ? one(Object.values(SYMBOLS)) : scalar(random, field.scalar!);
    };
    if (field.fieldKind === "list") {
      const list = message.get(field) as ReflectList;
      for (let n = one([0, 1, 2, 3, 7]); n > 0; n--) list.add(value());
    } else if (field.fieldKind === "map") {
      const map = message.get(field) as ReflectMap;
      for (let n = one([0, 1, 2, 4]); n > 0; n--) map.set(scalar(random, field.mapKey), value());
    } else message.set(field, value());
  }
}

/** A path of the fields, of what is one step inside, and of the whole, some of them at random. */
export function pathsOf(desc: DescMessage, random: Random): Steps[] {
  const all: Steps[] = desc.oneofs.map(({ name }) => [name]);
  for (const field of desc.fields) {
    const path = [field.name];
    all.push(path);
    const inner: Steps[] = field.fieldKind === "list"
      ? [[...path, 0], [...path, 2]]
      : field.fieldKind === "map"
      ? keysOf(field.mapKey).map((key) => [...path, key])
      : [path];
    if (inner.length > 1) all.push(...inner);
    const known = field.message?.typeName.startsWith("google.");
    if (field.message && !known) {
      for (const { name } of field.message.fields) all.push([...inner[0], name]);
    }
  }
  return [[], ...random.shuffle(all).slice(0, 15)];
}

function keysOf(type: ScalarType): string[] {
  if (type === ScalarType.STRING) return ["a", "plain text"];
  return type === ScalarType.BOOL ? ["true", "false"] : ["0", "1"];
}

/** The text of a field of a row; JSON for what becomes JSON. */
export type Expected = null | { text: string } | { json: string };

/** What the path leads to. Throws Unreadable. */
export function fieldOf(message: ReflectMessage, [name, ...rest]: Steps): Expected {
  if (name === undefined) return { json: jsonOf(message) };
  const oneof = message.oneofs.find((one) => one.name === name);
  if (oneof) {
    const set = message.oneofCase(oneof);
    return set ? { text: set.name } : null;
  }
  const field = message.fields.find((one) => one.name === name)!;
  if (field.fieldKind === "list") {
    const list = message.get(field) as ReflectList;
    if (rest.length === 0) return { json: listOf(field, list) };
    const item = list.get(rest[0] as number);
    return item === undefined ? null : inside(field, item, rest.slice(1));
  }
  if (field.fieldKind === "map") {
    const map = message.get(field) as ReflectMap;
    if (rest.length === 0) return { json: mapOf(field, map) };
    const found = [...map].find(([key]) => String(key) === rest[0]);
    return found === undefined ? null : inside(field, found[1], rest.slice(1));
  }
  const hasPresence = field.presence !== FeatureSet_FieldPresence.IMPLICIT;
  if (hasPresence && !message.isSet(field)) {
    const isPreset = field.getDefaultValue() !== undefined && !field.oneof;
    return isPreset ? leaf(field, message.get(field)) : null;
  }
  return inside(field, message.get(field), rest);
}

function inside(field: DescField, value: unknown, rest: Steps): Expected {
  return rest.length > 0 ? fieldOf(value as ReflectMessage, rest) : leaf(field, value);
}

function leaf(field: DescField, value: unknown): Expected {
  if (field.message) {
    const message = value as ReflectMessage;
    const { typeName, fields } = field.message;
    if (typeName === "google.protobuf.Timestamp") return { text: timestamp(message, true) };
    if (typeName === "google.protobuf.Duration") return { text: interval(message) };
    if (isWrapper(field.message)) return leaf(fields[0], message.get(fields[0]));
    return { json: jsonOf(message) };
  }
  if (field.enum) return { text: nameOf(value as number) };
  if (field.scalar === ScalarType.BYTES) {
    return { text: `\\x${Buffer.from(value as Uint8Array).toString("hex")}` };
  }
  return { text: scalarText(field.scalar!, value) };
}

function scalarText(type: ScalarType, value: unknown): string {
  if (type === ScalarType.FLOAT) return shortestFloat(value as number);
  if (type === ScalarType.DOUBLE) return shortestDouble(value as number);
  const text = String(value);
  if (text.includes("\0")) throw new Unreadable();
  return text;
}

const isWrapper = ({ file }: DescMessage) => file.proto.name === "google/protobuf/wrappers.proto";
const nameOf = (value: number) =>
  Object.entries(SYMBOLS).find(([, number]) => number === value)?.[0] ?? String(value);

function jsonValue(field: DescField, value: unknown): string {
  if (field.message) return jsonOf(value as ReflectMessage);
  if (field.enum) return JSON.stringify(nameOf(value as number));
  if (field.scalar === ScalarType.BYTES) {
    return JSON.stringify(Buffer.from(value as Uint8Array).toString("base64"));
  }
  const text = scalarText(field.scalar!, value);
  const isText = field.scalar === ScalarType.STRING || /^(NaN|-?Infinity)$/.test(text);
  return isText ? JSON.stringify(text) : text;
}

const listOf = (field: DescField, list: ReflectList) =>
  `[${[...list].map((item) => jsonValue(field, item)).join(",")}]`;

function mapOf(field: DescField, map: ReflectMap): string {
  const name = (key: unknown) => JSON.stringify(scalarText(ScalarType.STRING, key));
  return `{${[...map].map(([key, value]) => `${name(key)}:${jsonValue(field, value)}`).join(",")}}`;
}

function jsonOf(message: ReflectMessage): string {
  const { typeName, fields } = message.desc;
  if (typeName === "google.protobuf.Timestamp") return JSON.stringify(timestamp(message, false));
  if (typeName === "google.protobuf.Duration") {
    const { sign, seconds, nanos } = duration(message);
    return JSON.stringify(`${sign}${seconds}${fraction(nanos, false)}s`);
  }
  if (isWrapper(message.desc)) return jsonValue(fields[0], message.get(fields[0]));
  const members = fields.filter((field) => message.isSet(field)).map((field) => {
    const value = message.get(field);
    const text = field.fieldKind === "list"
      ? listOf(field, value as ReflectList)
      : field.fieldKind === "map"
      ? mapOf(field, value as ReflectMap)
      : jsonValue(field, value);
    return `${JSON.stringify(field.name)}:${text}`;
  });
  return `{${members.join(",")}}`;
}

/** As few of 3, 6 or 9 digits as hold them; none of zero, unless there must be some. */
function fraction(nanos: number, always: boolean): string {
  if (nanos === 0 && !always) return "";
  const digits = String(nanos).padStart(9, "0");
  return `.${
    nanos % 1_000_000 === 0 ? digits.slice(0, 3) : nanos % 1000 === 0 ? digits.slice(0, 6) : digits
  }`;
}

function parts(message: ReflectMessage): { seconds: number; nanos: number } {
  const [seconds, nanos] = message.fields.map((field) => Number(message.get(field)));
  return { seconds, nanos };
}

function timestamp(message: ReflectMessage, always: boolean): string {
  const { seconds, nanos } = parts(message);
  const iso = new Date(seconds * 1000).toISOString().slice(0, 19);
  return `${iso}${fraction(nanos, always)}Z`;
}

function duration(message: ReflectMessage) {
  const { seconds, nanos } = parts(message);
  if (seconds * nanos < 0) throw new Unreadable();
  const sign = seconds < 0 || nanos < 0 ? "-" : "";
  return { sign, seconds: Math.abs(seconds), nanos: Math.abs(nanos) };
}

function interval(message: ReflectMessage): string {
  const { sign, seconds, nanos } = duration(message);
  const two = (value: number) => String(value).padStart(2, "0");
  const minutes = Math.floor(seconds / 60);
  return `${sign}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}:${two(seconds % 60)}` +
    fraction(nanos, false);
}
