/** Random schemas, and random values of a schema as Avro's bytes. */
import type { AvroType } from "../../../lib/records/avro.ts";
import type { Random } from "../../support/random.ts";
import * as encode from "./avro_encode.ts";

const simple = [
  ...["null", "boolean", "int", "long", "float", "double", "bytes", "string"],
  ...[["int", "date"], ["int", "time-millis"], ["long", "time-micros"], [
    "long",
    "timestamp-millis",
  ]],
  ...[["long", "timestamp-micros"], ["long", "timestamp-nanos"], [
    "long",
    "local-timestamp-millis",
  ]],
];
const texts = [
  "",
  "a",
  "a,b",
  'q"q',
  "line\nline",
  "tab\t\r",
  "ü€😀",
  "\\",
  "\u0001\u001f",
  "null",
];

export class RandomAvro {
  readonly #random: Random;
  #names = 0;
  /** Records around the type at hand: it may name one of them. */
  readonly #open: string[] = [];

  constructor(random: Random) {
    this.#random = random;
  }

  /** The schema of a record. */
  record(depth = 0): unknown {
    const name = `R${this.#names++}`;
    this.#open.push(name);
    const fields = Array.from({ length: this.#random.int(0, 6) }, (_, index) => ({
      name: `f${index}`,
      type: this.#type(depth + 1),
    }));
    this.#open.pop();
    return { type: "record", name, fields };
  }

  #type(depth: number): unknown {
    const random = this.#random;
    const choice = random.int(0, depth > 4 ? 12 : 22);
    const name = `N${this.#names++}`;
    if (choice < 9) {
      const kind = simple[random.int(0, simple.length - 1)];
      return typeof kind === "string" ? kind : { type: kind[0], logicalType: kind[1] };
    }
    if (choice === 9) {
      return { type: "enum", name, symbols: ["A", "b_1", 'q"q'].slice(0, random.int(1, 3)) };
    }
    if (choice === 10) return { type: "fixed", name, size: random.int(0, 20) };
    if (choice === 11) {
      const scale = random.int(0, 12);
      return { type: "bytes", logicalType: "decimal", precision: 50, scale };
    }
    if (choice === 12) return { type: "fixed", name, size: 16, logicalType: "uuid" };
    if (choice < 15) return ["null", this.#branch(depth)];
    if (choice === 15) return [this.#branch(depth), "null"];
    if (choice === 16) {
      return ["null", "string", { type: "array", items: "int" }, this.record(depth)];
    }
    if (choice < 19) return { type: "array", items: this.#type(depth + 1) };
    if (choice < 21) return { type: "map", values: this.#type(depth + 1) };
    return this.record(depth);
  }

  /** A type that is neither null nor a union; perhaps a record around it. */
  #branch(depth: number): unknown {
    if (this.#random.next() < 0.3) {
      return this.#open[this.#random.int(0, this.#open.length - 1)];
    }
    while (true) {
      const type = this.#type(depth + 1);
      if (!Array.isArray(type) && type !== "null") return type;
    }
  }

  /** Bytes of a value. */
  value(type: AvroType, depth = 0): number[] {
    const random = this.#random;
    const few = () => random.int(0, depth > 6 ? 0 : 3);
    switch (type.type) {
      case "null":
        return [];
      case "boolean":
        return [random.int(0, 1)];
      case "int":
        if (type.logical === "date") return encode.long(random.int(-719162, 2932896));
        if (type.logical) return encode.long(random.int(0, 86399999));
        return encode.long(random.int(-(2 ** 31), 2 ** 31 - 1) >> random.int(0, 31));
      case "long": {
        if (type.logical?.startsWith("time-")) return encode.long(random.int(0, 86399999999));
        if (type.logical) return encode.long(random.int(-62135596800000, 253402300799999));
        const bits = BigInt(random.int(0, 2 ** 32)) << 32n | BigInt(random.int(0, 2 ** 32));
        return encode.long(BigInt.asIntN(64, bits) >> BigInt(random.int(0, 63)));
      }
      case "float":
        return encode.float((random.next() - 0.5) * 10 ** random.int(-30, 30));
      case "double":
        return encode.double((random.next() - 0.5) * 10 ** random.int(-300, 300));
      case "bytes":
        return encode.bytes(...this.#content(random.int(0, 20)));
      case "fixed":
        return this.#content(type.size);
      case "string":
        return encode.string(
          Array.from({ length: few() }, () => texts[random.int(0, texts.length - 1)]).join("x"),
        );
      case "enum":
        return encode.long(random.int(0, type.symbols.length - 1));
      case "union": {
        // Deep inside null, or what comes first.
        const none = Math.max(0, type.branches.findIndex(({ type }) => type === "null"));
        const index = depth > 6 ? none : random.int(0, type.branches.length - 1);
        return [...encode.long(index), ...this.value(type.branches[index], depth + 1)];
      }
      case "record":
        return type.fields.flatMap((field) => this.value(field.type, depth + 1));
      case "array":
        return this.#blocks(few(), () => this.value(type.items, depth + 1));
      case "map":
        return this.#blocks(few(), () => [
          ...encode.string(`k${random.int(0, 2)}`),
          ...this.value(type.values, depth + 1),
        ]);
    }
  }

  #content(size: number): number[] {
    return Array.from({ length: size }, () => this.#random.int(0, 255));
  }

  #blocks(count: number, item: () => number[]): number[] {
    const blocks: number[] = [];
    for (let i = 0; i < count; i++) {
      const items = Array.from({ length: this.#random.int(1, 3) }, item);
      blocks.push(...encode.block(items, this.#random.next() < 0.3));
    }
    return [...blocks, 0];
  }

  /** A path that the schema has; it ends anywhere. */
  path(type: AvroType, depth = 0): (string | number)[] {
    const random = this.#random;
    if (depth > 0 && random.next() < 0.25 || depth > 6) return [];
    switch (type.type) {
      case "union":
        return this.path(type.branches[random.int(0, type.branches.length - 1)], depth);
      case "record": {
        if (type.fields.length === 0) return [];
        const field = type.fields[random.int(0, type.fields.length - 1)];
        return [field.name, ...this.path(field.type, depth + 1)];
      }
      case "array":
        return [random.int(0, 4), ...this.path(type.items, depth + 1)];
      case "map":
        return [`k${random.int(0, 2)}`, ...this.path(type.values, depth + 1)];
    }
    return [];
  }
}
