/**
 * Avro schemas (.avsc) as types: https://avro.apache.org/docs/1.12.0/specification/
 * Names are resolved, aliases and defaults ignored: a value is read by the schema that wrote it.
 */
import { type Json, Names } from "./avro_names.ts";
import type { AvroType, Enum, Fixed, Logical, PrimitiveName, RecordType } from "./avro_types.ts";
import { jsonDepth, jsonFault } from "./json_fault.ts";

/** A schema that cannot be read; the message says in which part of it, and why. */
export class SchemaError extends Error {
  override name = "SchemaError";
}

const primitives: readonly string[] = [
  "null",
  "boolean",
  "int",
  "long",
  "float",
  "double",
  "bytes",
  "string",
];

/** Which primitive types a logical type may stand on. */
const logicalOn: Record<Logical, readonly string[]> = {
  "date": ["int"],
  "time-millis": ["int"],
  "time-micros": ["long"],
  "timestamp-millis": ["long"],
  "timestamp-micros": ["long"],
  "timestamp-nanos": ["long"],
  "local-timestamp-millis": ["long"],
  "local-timestamp-micros": ["long"],
  "local-timestamp-nanos": ["long"],
  "uuid": ["string", "fixed"],
  "duration": ["fixed"],
  "decimal": ["bytes", "fixed"],
  "big-decimal": ["bytes"],
};

/** Types within types: more than any schema has, and few enough for the stack. */
const MOST_DEPTH = 500;
const MOST_SCALE = 16383;

/**
 * Reads a schema. `references` are the texts of schemas that it names types of, each after those
 * that it needs itself. Throws SchemaError.
 */
export function parseAvroSchema(text: string, references: readonly string[] = []): AvroType {
  const names = new Names();
  for (const [index, reference] of references.entries()) {
    const where = `reference ${index + 1}: `;
    new Parser(names, where).read(parseJson(reference, where), "$", "", 0);
    names.endReference();
  }
  return new Parser(names, "").read(parseJson(text, ""), "$", "", 0);
}

/** Parses JSON; an error names the line. */
function parseJson(text: string, where: string): unknown {
  // A type within a type has at most three brackets around it.
  if (jsonDepth(text) > 3 * MOST_DEPTH) {
    throw new SchemaError(`${where}$: more than ${MOST_DEPTH} types within each other`);
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    const { line, reason } = jsonFault(text) ?? { line: 1, reason: (error as Error).message };
    throw new SchemaError(`${where}line ${line} is not JSON: ${reason}`);
  }
}

class Parser {
  readonly #names: Names;
  readonly #where: string;

  constructor(names: Names, where: string) {
    this.#names = names;
    this.#where = where;
  }

  /** The type that the JSON at this place of the schema stands for. */
  read(json: unknown, place: string, namespace: string, depth: number): AvroType {
    if (depth > MOST_DEPTH) this.#failDeep(place);
    if (typeof json === "string") return this.#named(json, place, namespace);
    if (Array.isArray(json)) {
      return { type: "union", branches: this.#branches(json, place, namespace, depth) };
    }
    if (!isObject(json)) {
      this.#fail(place, `a type is a name, an object or a list, not ${shown(json)}`);
    }
    const type = json.type;
    if (typeof type !== "string") {
      if (type === undefined) this.#fail(place, 'an object without "type"');
      return this.read(type, `${place}.type`, namespace, depth + 1);
    }
    switch (type) {
      case "record":
      case "error":
        return this.#record(json, place, namespace, depth);
      case "enum":
        return this.#enum(json, place, namespace);
      case "fixed":
        return this.#fixed(json, place, namespace);
      case "array":
        if (json.items === undefined) this.#fail(place, 'an array without "items"');
        return {
          type,
          items: this.read(json.items, `${place}.items`, namespace, depth + 1),
        };
      case "map":
        if (json.values === undefined) this.#fail(place, 'a map without "values"');
        return {
          type,
          values: this.read(json.values, `${place}.values`, namespace, depth + 1),
        };
    }
    if (!primitives.includes(type)) return this.#named(type, `${place}.type`, namespace);
    return { type: type as PrimitiveName, ...logicalOf(json, type, 0) };
  }

  #named(name: string, place: string, namespace: string): AvroType {
    if (primitives.includes(name)) return { type: name as PrimitiveName };
    const full = name.includes(".") || namespace === "" ? name : `${namespace}.${name}`;
    const type = this.#names.get(full) ?? this.#names.get(name);
    if (type) return type;
    const near = this.#names.like(name);
    this.#fail(
      place,
      `no type has the name ${JSON.stringify(full)}` +
        (near === undefined ? "" : ` — did you mean ${JSON.stringify(near)}?`),
    );
  }

  /** Defines a named type; returns its full name and the namespace of what is inside. */
  #define(json: Json, type: AvroType, place: string, namespace: string): void {
    const name = fullName(json, namespace);
    if (this.#names.define(name, type, json)) return;
    this.#fail(place, `the type ${JSON.stringify(name)} is defined twice`);
  }

  #name(json: Json, place: string, namespace: string): string {
    if (typeof json.name !== "string" || json.name === "") {
      this.#fail(place, `"${json.type}" without a name`);
    }
    return fullName(json, namespace);
  }

  #record(json: Json, place: string, namespace: string, depth: number): AvroType {
    const name = this.#name(json, place, namespace);
    if (!Array.isArray(json.fields)) this.#fail(place, 'a record without a list "fields"');
    const type: RecordType = { type: "record", name, ...docOf(json), fields: [] };
    // Before its fields: they may name it.
    this.#define(json, type, place, namespace);
    const inside = name.slice(0, Math.max(0, name.lastIndexOf(".")));
    const known = new Set<string>();
    for (const [index, field] of json.fields.entries()) {
      const at = `${place}.fields[${index}]`;
      if (!isObject(field)) this.#fail(at, `a field is an object, not ${shown(field)}`);
      if (typeof field.name !== "string" || field.name === "") {
        this.#fail(at, "a field without a name");
      }
      if (field.type === undefined) {
        this.#fail(at, `the field ${JSON.stringify(field.name)} has no type`);
      }
      if (known.has(field.name)) {
        this.#fail(at, `the record has two fields ${JSON.stringify(field.name)}`);
      }
      known.add(field.name);
      type.fields.push({
        name: field.name,
        type: this.read(field.type, `${at}.type`, inside, depth + 1),
        ...docOf(field),
      });
    }
    if (this.#names.complete(type) > MOST_DEPTH) this.#failDeep(place);
    return type;
  }

  #enum(json: Json, place: string, namespace: string): AvroType {
    const name = this.#name(json, place, namespace);
    const symbols = json.symbols;
    if (!Array.isArray(symbols) || symbols.some((symbol) => typeof symbol !== "string")) {
      this.#fail(place, 'an enum without a list "symbols" of names');
    }
    if (symbols.some((symbol: string) => symbol === "" || symbol.includes("\0"))) {
      this.#fail(`${place}.symbols`, "a symbol is empty or holds a NUL");
    }
    const type: Enum = { type: "enum", name, symbols };
    this.#define(json, type, place, namespace);
    return type;
  }

  #fixed(json: Json, place: string, namespace: string): AvroType {
    const name = this.#name(json, place, namespace);
    const size = json.size;
    if (typeof size !== "number" || !Number.isInteger(size) || size < 0 || size > 0x7fffffff) {
      this.#fail(place, `a fixed whose size is ${shown(size)}`);
    }
    const type: Fixed = { type: "fixed", name, size, ...logicalOf(json, "fixed", size) };
    this.#define(json, type, place, namespace);
    return type;
  }

  #branches(list: unknown[], place: string, namespace: string, depth: number): AvroType[] {
    if (list.length === 0) this.#fail(place, "a union of no types");
    const known = new Set<string>();
    return list.map((json, index) => {
      const at = `${place}[${index}]`;
      const branch = this.read(json, at, namespace, depth + 1);
      if (branch.type === "union") this.#fail(at, "a union directly in a union");
      const name = "name" in branch ? branch.name : branch.type;
      if (known.has(name)) this.#fail(at, `the union has ${JSON.stringify(name)} twice`);
      known.add(name);
      return branch;
    });
  }

  #failDeep(place: string): never {
    this.#fail(place, `more than ${MOST_DEPTH} types within each other`);
  }

  #fail(place: string, reason: string): never {
    throw new SchemaError(`${this.#where}${place}: ${reason}`);
  }
}

/** What a record or a field says of itself. */
function docOf({ doc }: Json): { doc?: string } {
  return typeof doc === "string" && doc.trim() !== "" ? { doc: doc.trim() } : {};
}

/** A named type's name with its namespace. */
function fullName(json: Json, namespace: string): string {
  const name = json.name as string;
  if (name.includes(".")) return name.replace(/^\./, "");
  const own = typeof json.namespace === "string" ? json.namespace : namespace;
  return own === "" ? name : `${own}.${name}`;
}

/** The logical type of a type, if it is one that may stand on it. `size` is a fixed's. */
function logicalOf(
  json: Json,
  on: string,
  size: number,
): { logical?: Logical; scale?: number; precision?: number } {
  const name = json.logicalType as Logical;
  if (typeof name !== "string" || !Object.hasOwn(logicalOn, name)) return {};
  if (!logicalOn[name].includes(on)) return {};
  if (on === "fixed" && name === "uuid" && size !== 16) return {};
  if (on === "fixed" && name === "duration" && size !== 12) return {};
  if (name !== "decimal") return { logical: name };
  const { precision, scale = 0 } = json;
  if (typeof precision !== "number" || typeof scale !== "number") return {};
  if (!Number.isInteger(precision) || precision <= 0) return {};
  if (!Number.isInteger(scale) || scale < 0 || scale > Math.min(precision, MOST_SCALE)) return {};
  return { logical: name, scale, precision };
}

function isObject(json: unknown): json is Json {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}

function shown(json: unknown): string {
  return json === undefined ? "missing" : JSON.stringify(json).slice(0, 40);
}
