/**
 * The code that writes Avro's records, arrays, maps and unions as JSON text in a CSV field: its
 * literals have their quotes doubled.
 */
import { type Code, Label, Op } from "./avro_code.ts";
import { kindOf, nullable, type Sizes } from "./avro_kinds.ts";
import type { AvroType, RecordType } from "./avro_types.ts";

const utf8 = new TextEncoder();

/** A JSON string inside a CSV field. */
function quoted(text: string): string {
  return JSON.stringify(text).replaceAll('"', '""');
}

export class JsonCode {
  readonly #code: Code;
  readonly #sizes: Sizes;
  /** What writes a record, and what writes a whole field. */
  readonly #records = new Map<RecordType, Label>();
  readonly #due: RecordType[] = [];
  readonly #fields = new Map<AvroType, Label>();

  constructor(code: Code, sizes: Sizes) {
    this.#code = code;
    this.#sizes = sizes;
  }

  /** Where the code for a value of this type will be. */
  of(type: AvroType): Label {
    const label = this.#fields.get(type) ?? new Label();
    this.#fields.set(type, label);
    return label;
  }

  /** Appends all that was asked for. */
  finish(): void {
    for (const [type, label] of this.#fields) {
      this.#code.bind(label);
      this.#write(type);
      this.#code.add(Op.end);
    }
    for (let record = this.#due.pop(); record; record = this.#due.pop()) {
      this.#code.bind(this.#records.get(record)!);
      this.#code.literal("{");
      for (const [index, { name, type }] of record.fields.entries()) {
        this.#code.literal(`${index > 0 ? "," : ""}${quoted(name)}:`);
        this.#write(type);
      }
      this.#code.literal("}");
      this.#code.add(Op.return);
    }
  }

  #write(type: AvroType): void {
    const code = this.#code;
    switch (type.type) {
      case "null":
        return code.literal("null");
      case "record": {
        let label = this.#records.get(type);
        if (!label) {
          label = new Label();
          this.#records.set(type, label);
          this.#due.push(type);
        }
        return code.add(Op.call, 0, label);
      }
      case "array":
        return this.#loop(Op.array, type.items);
      case "map":
        return this.#loop(Op.map, type.values);
      case "union":
        return this.#union(type);
      case "enum": {
        const symbols = type.symbols.flatMap((symbol) => {
          const bytes = utf8.encode(quoted(symbol));
          return [bytes, bytes.length];
        });
        return code.add(Op.enum, 0, 0, symbols, type.symbols.length);
      }
      case "string":
        return code.add(Op.string);
      case "bytes":
        return code.add(Op.bytes, kindOf(type), 0, 0, type.scale ?? 0);
      case "fixed":
        return code.add(Op.fixed, kindOf(type), 0, type.size, type.scale ?? 0);
    }
    code.add(Op[type.type], kindOf(type));
  }

  #loop(op: number, items: AvroType): void {
    const after = new Label();
    const empty = op === Op.array && this.#sizes.bytes(items) === 0 ? 1 : 0;
    this.#code.add(op, empty, after);
    this.#write(items);
    this.#code.add(Op.next);
    this.#code.bind(after);
  }

  #union(type: AvroType & { type: "union" }): void {
    const code = this.#code;
    const after = new Label();
    const optional = nullable(type);
    if (optional) {
      const none = new Label();
      code.add(Op.option, 0, none, optional.nullIndex);
      this.#write(optional.branch);
      code.add(Op.jump, 0, after);
      code.bind(none);
      code.literal("null");
      return code.bind(after);
    }
    const labels = type.branches.map(() => new Label());
    code.add(Op.union, 0, labels, labels.length);
    for (const [index, branch] of type.branches.entries()) {
      code.bind(labels[index]);
      this.#write(branch);
      if (index < labels.length - 1) code.add(Op.jump, 0, after);
    }
    code.bind(after);
  }
}
