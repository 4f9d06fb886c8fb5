/**
 * Kafka's messages from their grammar, as https://kafka.apache.org/protocol writes it. It shares
 * nothing with lib/protocol, so that a bug there cannot be hidden by the same one here.
 */
import { Buffer } from "node:buffer";

/** A message's fields by their names in Kafka's protocol, in camelCase. */
// deno-lint-ignore no-explicit-any -- its shape is the grammar's; tests name the fields they mean
export type Message = Record<string, any>;

interface Type {
  name: string;
  nullable: boolean;
  /** An array's element: a structure, or one of the types without parts. */
  element?: Type | Field[];
}

interface Field {
  name: string;
  type: Type;
  /** The versions that have it, both ends included. */
  since: number;
  until: number;
}

/**
 * Reads a grammar: fields `name type [versions]` with commas between them; a type is `int32`,
 * `?string` where it may be null, `[…]` for an array of a type or of structures; versions are `3`,
 * `3+` or `3-5`.
 */
export function grammar(text: string): Field[] {
  const tokens = text.match(/[?[\],]|\d+(?:\+|-\d+)?|\w+/g) ?? [];
  let at = 0;
  const type = (): Type => {
    const nullable = tokens[at] === "?" && at++ >= 0;
    if (tokens[at] !== "[") return { name: tokens[at++], nullable };
    at++;
    const element = tokens[at + 1] === "]" || tokens[at] === "?" ? type() : fields();
    at++;
    return { name: "array", nullable, element };
  };
  const fields = (): Field[] => {
    const all: Field[] = [];
    while (at < tokens.length && tokens[at] !== "]") {
      const field = { name: tokens[at++], type: type(), since: 0, until: Infinity };
      const [, since, more] = /^(\d+)(\+|-\d+)?$/.exec(tokens[at] ?? "") ?? [];
      if (since !== undefined) {
        at++;
        field.since = Number(since);
        field.until = more === "+" ? Infinity : more ? -Number(more) : field.since;
      }
      all.push(field);
      if (tokens[at] === ",") at++;
    }
    return all;
  };
  return fields();
}

/** Reads a message; `flexible` ones (KIP-482) have compact lengths and tagged fields. */
export class Decoder {
  #at = 0;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  flexible = false;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  struct(fields: readonly Field[], version: number): Message {
    const message: Message = {};
    for (const { name, type, since, until } of fields) {
      if (version >= since && version <= until) message[name] = this.value(type, version);
    }
    if (this.flexible) this.tags();
    return message;
  }

  value(type: Type, version: number): unknown {
    const { name, element } = type;
    const read = this.#view;
    switch (name) {
      case "int8":
        return read.getInt8(this.#step(1));
      case "int16":
        return read.getInt16(this.#step(2));
      case "int32":
        return read.getInt32(this.#step(4));
      case "int64":
        return Number(read.getBigInt64(this.#step(8)));
      case "boolean":
        return read.getInt8(this.#step(1)) !== 0;
      case "uuid":
        return Buffer.from(this.#raw(16)).toString("base64url");
    }
    const size = this.flexible
      ? this.#varint() - 1
      : name === "string"
      ? read.getInt16(this.#step(2))
      : read.getInt32(this.#step(4));
    if (size < 0) {
      if (size !== -1 || !type.nullable) throw new Error(`a ${name} of length ${size}`);
      return null;
    }
    if (name === "bytes") return this.#raw(size);
    if (name === "string") return new TextDecoder("utf-8", { fatal: true }).decode(this.#raw(size));
    if (!element) throw new Error(`no type "${name}"`);
    if (size > this.left) throw new Error(`an array of ${size} in ${this.left} bytes`);
    const one = () =>
      Array.isArray(element) ? this.struct(element, version) : this.value(element, version);
    return Array.from({ length: size }, one);
  }

  tags(): void {
    for (let count = this.#varint(); count > 0; count--) {
      this.#varint();
      this.#raw(this.#varint());
    }
  }

  #varint(): number {
    for (let value = 0, shift = 0;; shift += 7) {
      const byte = this.#view.getUint8(this.#step(1));
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
  }

  #raw(size: number): Uint8Array<ArrayBuffer> {
    const at = this.#step(size);
    return new Uint8Array(this.#bytes.slice(at, at + size));
  }

  #step(size: number): number {
    const at = this.#at;
    if (size > this.left) throw new Error(`${size} bytes wanted, ${this.left} left`);
    this.#at += size;
    return at;
  }
}

/** Writes a message. */
export class Encoder {
  #buffer = new Uint8Array(64);
  #size = 0;
  readonly flexible: boolean;

  constructor(flexible: boolean) {
    this.flexible = flexible;
  }

  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#buffer.slice(0, this.#size);
  }

  struct(fields: readonly Field[], version: number, message: Message): this {
    for (const { name, type, since, until } of fields) {
      if (version < since || version > until) continue;
      if (!(name in message)) throw new Error(`the answer has no ${name}`);
      this.value(type, version, message[name]);
    }
    return this.flexible ? this.tags() : this;
  }

  // deno-lint-ignore no-explicit-any -- as Message
  value(type: Type, version: number, value: any): this {
    switch (type.name) {
      case "int8":
        return this.int(1, value);
      case "int16":
        return this.int(2, value);
      case "int32":
        return this.int(4, value);
      case "int64":
        return this.int(8, value);
      case "boolean":
        return this.int(1, value ? 1 : 0);
      case "uuid":
        return this.#raw(Buffer.from(value, "base64url"));
    }
    const { name, element } = type;
    if (name === "string" && value !== null) value = new TextEncoder().encode(value);
    const size = value === null ? -1 : value.length;
    if (this.flexible) this.varint(size + 1);
    else this.int(name === "string" ? 2 : 4, size);
    if (value === null) return this;
    if (!element) return this.#raw(value);
    for (const one of value) {
      if (Array.isArray(element)) this.struct(element, version, one);
      else this.value(element, version, one);
    }
    return this;
  }

  tags(): this {
    return this.varint(0);
  }

  int(size: number, value: number | bigint): this {
    for (let shift = 8 * (size - 1); shift >= 0; shift -= 8) {
      this.#byte(Number(BigInt.asUintN(8, BigInt(value) >> BigInt(shift))));
    }
    return this;
  }

  varint(value: number): this {
    for (; value > 127; value = Math.floor(value / 128)) this.#byte(value % 128 + 128);
    return this.#byte(value);
  }

  #byte(byte: number): this {
    this.#room(1)[this.#size++] = byte;
    return this;
  }

  #raw(bytes: ArrayLike<number>): this {
    this.#room(bytes.length).set(bytes, this.#size);
    this.#size += bytes.length;
    return this;
  }

  /** The buffer, with room for as many bytes more. */
  #room(size: number): Uint8Array<ArrayBuffer> {
    if (this.#size + size > this.#buffer.length) {
      const larger = new Uint8Array(2 * (this.#size + size));
      larger.set(this.#buffer.subarray(0, this.#size));
      this.#buffer = larger;
    }
    return this.#buffer;
  }
}
