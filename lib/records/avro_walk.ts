/** From an Avro schema and the wanted paths to the code that finds them in a value. */
import { Code, Label, Op, type Operand } from "./avro_code.ts";
import { JsonCode } from "./avro_json.ts";
import { kindOf, nullable, Sizes } from "./avro_kinds.ts";
import type { AvroType, Enum, RecordType } from "./avro_types.ts";
import type { Path } from "./paths.ts";
import { SlotKind } from "./slots.ts";

/** What is wanted of a value, and of what lies in it. */
interface Wanted {
  slot: number | null;
  names: Map<string, Wanted>;
  indexes: Map<number, Wanted>;
}

/** A record that takes at most this many instructions to skip is skipped in place. */
const IN_PLACE = 32;

const utf8 = new TextEncoder();

/** A path and where what it leads to goes; no two of the same path. */
export interface Field {
  steps: Path["steps"];
  slot: number;
}

/** Joins paths by their common beginnings. */
function wantedOf(fields: readonly Field[]): Wanted {
  const none = (): Wanted => ({ slot: null, names: new Map(), indexes: new Map() });
  const root = none();
  for (const { steps, slot } of fields) {
    let wanted = root;
    for (const step of steps) {
      const map: Map<unknown, Wanted> = typeof step === "string" ? wanted.names : wanted.indexes;
      const inner = map.get(step) ?? none();
      map.set(step, inner);
      wanted = inner;
    }
    wanted.slot = slot;
  }
  return root;
}

/** Walks a schema once; the code is complete after {@link compile}. */
export class WalkCode {
  readonly #code = new Code();
  readonly #sizes = new Sizes();
  readonly #json = new JsonCode(this.#code, this.#sizes);
  /** What skips a record, and whether that is written. */
  readonly #skips = new Map<RecordType, Label>();
  readonly #due: RecordType[] = [];

  compile(type: AvroType, fields: readonly Field[]): Code {
    this.#read(type, wantedOf(fields));
    this.#code.add(Op.end);
    for (let record = this.#due.pop(); record; record = this.#due.pop()) {
      this.#code.bind(this.#skips.get(record)!);
      for (const field of record.fields) this.#skip(field.type);
      this.#code.add(Op.return);
    }
    this.#json.finish();
    return this.#code;
  }

  #skip(type: AvroType): void {
    const code = this.#code;
    const bytes = this.#sizes.bytes(type);
    if (bytes !== null) {
      if (bytes > 0) code.skip(Op.skipFixed, bytes);
      return;
    }
    switch (type.type) {
      case "string":
      case "bytes":
        return code.skip(Op.skipStrings, 1);
      case "record": {
        if (this.#sizes.steps(type) <= IN_PLACE) {
          for (const field of type.fields) this.#skip(field.type);
          return;
        }
        let label = this.#skips.get(type);
        if (!label) {
          label = new Label();
          this.#skips.set(type, label);
          this.#due.push(type);
        }
        return code.add(Op.call, 0, label);
      }
      case "array":
        return this.#blocks(Op.array, type.items);
      case "map":
        return this.#blocks(Op.map, type.values);
      case "union":
        return this.#union(type, (branch) => this.#skip(branch));
    }
    code.skip(Op.skipNumbers, 1);
  }

  /** Skips an array or a map. */
  #blocks(op: number, items: AvroType): void {
    const bytes = this.#sizes.bytes(items);
    const keyed = op === Op.map ? 1 : 0;
    if (bytes !== null) return this.#code.add(Op.skipBlocks, 0, 0, bytes, keyed);
    if (items.type === "string" || items.type === "bytes") {
      return this.#code.add(Op.skipBlocks, 0, 2, 0, keyed);
    }
    if (items.type === "int" || items.type === "long" || items.type === "enum") {
      return this.#code.add(Op.skipBlocks, 0, 1, 0, keyed);
    }
    this.#loop(op, items, [], 0, () => {});
  }

  /** The blocks of an array or a map, of which the items in the table are read, not skipped. */
  #loop(
    op: number,
    items: AvroType,
    table: Operand[],
    count: number,
    wanted: () => void,
  ): void {
    const after = new Label();
    const empty = op === Op.array && this.#sizes.bytes(items) === 0 ? 1 : 0;
    this.#code.add(op, empty, after, table, count);
    this.#skip(items);
    this.#code.add(Op.next);
    wanted();
    this.#code.bind(after);
  }

  /** A union: each branch by `part`, which gets whether it is null. */
  #union(type: AvroType & { type: "union" }, part: (branch: AvroType) => void): void {
    const code = this.#code;
    const after = new Label();
    const optional = nullable(type);
    if (optional) {
      code.add(Op.option, 0, after, optional.nullIndex);
      part(optional.branch);
      return code.bind(after);
    }
    const labels = type.branches.map(() => new Label());
    code.add(Op.union, 0, labels, labels.length);
    for (const [index, branch] of type.branches.entries()) {
      code.bind(labels[index]);
      part(branch);
      if (index < labels.length - 1) code.add(Op.jump, 0, after);
    }
    code.bind(after);
  }

  #read(type: AvroType, wanted: Wanted): void {
    const code = this.#code;
    const { slot } = wanted;
    const lone = type.type === "union" && (type.branches.length === 1 || nullable(type));
    if (type.type === "union" && (slot === null || lone)) {
      return this.#union(type, (branch) => this.#read(branch, wanted));
    }
    if (slot === null) return this.#inner(type, wanted);
    switch (type.type) {
      case "union":
      case "record":
      case "array":
      case "map": {
        const without = new Label();
        code.add(Op.mark, 0, slot);
        this.#inner(type, wanted, without);
        code.add(Op.done, SlotKind.avro, slot, 0, this.#json.of(type));
        return code.bind(without);
      }
      case "null":
        return;
      case "enum":
        return code.add(Op.enum, SlotKind.text, slot, symbols(type), type.symbols.length);
      case "fixed":
        return code.add(Op.fixed, kindOf(type), slot, type.size, type.scale ?? 0);
      case "string":
      case "bytes":
        return code.add(Op.bytes, kindOf(type), slot, 0, type.scale ?? 0);
    }
    code.add(Op[type.type], kindOf(type), slot);
  }

  /** What is wanted inside of a value. A union's null branch goes on at `without`. */
  #inner(type: AvroType, wanted: Wanted, without?: Label): void {
    const inside = { ...wanted, slot: null };
    if (type.type === "record" && wanted.names.size > 0) {
      for (const field of type.fields) {
        const inner = wanted.names.get(field.name);
        if (inner) this.#read(field.type, inner);
        else this.#skip(field.type);
      }
    } else if (type.type === "union") {
      this.#union(type, (branch) => {
        if (branch.type === "null" && without) this.#code.add(Op.jump, 0, without);
        else this.#read(branch, inside);
      });
    } else if (type.type === "array" && wanted.indexes.size > 0) {
      const entries = [...wanted.indexes].map(([index, inner]) => ({
        key: [Math.min(index, 0xffffffff)],
        inner,
      }));
      this.#items(Op.array, type.items, entries);
    } else if (type.type === "map" && wanted.names.size > 0) {
      const entries = [...wanted.names].map(([name, inner]) => {
        const bytes = utf8.encode(name);
        return { key: [bytes, bytes.length], inner };
      });
      this.#items(Op.map, type.values, entries);
    } else this.#skip(type);
  }

  /** Reads some of the items of an array or a map. */
  #items(op: number, items: AvroType, entries: { key: Operand[]; inner: Wanted }[]): void {
    const labels = entries.map(() => new Label());
    const table = entries.flatMap(({ key }, index) => [...key, labels[index]]);
    this.#loop(op, items, table, entries.length, () => {
      for (const [index, { inner }] of entries.entries()) {
        this.#code.bind(labels[index]);
        // A key that comes twice: nothing of the first one stays.
        if (op === Op.map) { for (const slot of slotsOf(inner)) this.#code.add(Op.clear, 0, slot); }
        this.#read(items, inner);
        this.#code.add(Op.next);
      }
    });
  }
}

function slotsOf({ slot, names, indexes }: Wanted): number[] {
  const inner = [...names.values(), ...indexes.values()].flatMap(slotsOf);
  return slot === null ? inner : [slot, ...inner];
}

/** A table of offsets and sizes. */
function symbols(type: Enum): Operand[] {
  return type.symbols.flatMap((symbol) => {
    const bytes = utf8.encode(symbol);
    return [bytes, bytes.length];
  });
}
