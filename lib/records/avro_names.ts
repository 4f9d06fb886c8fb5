/** The named types of an Avro schema and of the schemas that it refers to. */
import type { AvroType, RecordType } from "./avro_types.ts";

/** A JSON object. */
export type Json = Record<string, unknown>;

export class Names {
  readonly #types = new Map<string, AvroType>();
  /** Their definitions as JSON; and those of references, which may be defined again the same way. */
  readonly #sources = new Map<string, string>();
  readonly #references = new Map<string, string>();
  readonly #heights = new Map<RecordType, number>();

  get(name: string): AvroType | undefined {
    return this.#types.get(name);
  }

  /** False: another type of this name is there already. */
  define(name: string, type: AvroType, source: Json): boolean {
    const json = JSON.stringify(source);
    if (this.#types.has(name) && this.#references.get(name) !== json) return false;
    this.#types.set(name, type);
    this.#sources.set(name, json);
    return true;
  }

  /** A reference was read: the next schema may hold the same definitions once more. */
  endReference(): void {
    for (const [name, json] of this.#sources) this.#references.set(name, json);
  }

  /** A name that ends as this one does. */
  like(name: string): string | undefined {
    const last = name.slice(name.lastIndexOf(".") + 1);
    return [...this.#types.keys()].find((known) => known.endsWith(`.${last}`) || known === last);
  }

  /** How many types lie within each other at most; a record that is not complete counts as one. */
  height(type: AvroType): number {
    switch (type.type) {
      case "array":
        return 1 + this.height(type.items);
      case "map":
        return 1 + this.height(type.values);
      case "union":
        return 1 + Math.max(...type.branches.map((branch) => this.height(branch)));
      case "record":
        return this.#heights.get(type) ?? 1;
    }
    return 1;
  }

  /** All fields of a record are there. Returns its height. */
  complete(type: RecordType): number {
    let height = 1;
    for (const field of type.fields) height = Math.max(height, 1 + this.height(field.type));
    this.#heights.set(type, height);
    return height;
  }
}
