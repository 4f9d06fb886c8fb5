/** What Avro's types are for the kernel: kinds of slots, and sizes. */
import type { AvroType, Fixed, Logical, Primitive, RecordType } from "./avro_types.ts";
import { SlotKind } from "./slots.ts";

const kinds: Record<Logical, number> = {
  "date": SlotKind.date,
  "time-millis": SlotKind.timeMillis,
  "time-micros": SlotKind.timeMicros,
  "timestamp-millis": SlotKind.timestampMillis,
  "timestamp-micros": SlotKind.timestampMicros,
  "timestamp-nanos": SlotKind.timestampNanos,
  "local-timestamp-millis": SlotKind.localMillis,
  "local-timestamp-micros": SlotKind.localMicros,
  "local-timestamp-nanos": SlotKind.localNanos,
  "uuid": SlotKind.uuid,
  "duration": SlotKind.duration,
  "decimal": SlotKind.decimal,
  "big-decimal": SlotKind.bigDecimal,
};

const plain = {
  null: SlotKind.null,
  boolean: SlotKind.bool,
  int: SlotKind.int,
  long: SlotKind.int,
  float: SlotKind.float,
  double: SlotKind.double,
  bytes: SlotKind.bytes,
  string: SlotKind.text,
  fixed: SlotKind.bytes,
} as const;

/** The kind of slot that such a value becomes. A UUID that is a string is text. */
export function kindOf({ type, logical }: Primitive | Fixed): number {
  if (logical === undefined || type === "string") return plain[type];
  return kinds[logical];
}

/** The branch that is not null, and the index of the one that is; null for other unions. */
export function nullable(
  type: AvroType,
): { branch: AvroType; nullIndex: number } | null {
  if (type.type !== "union" || type.branches.length !== 2) return null;
  const nullIndex = type.branches.findIndex((branch) => branch.type === "null");
  return nullIndex < 0 ? null : { branch: type.branches[1 - nullIndex], nullIndex };
}

/** How large values are; of records it is kept, as schemas name them often. */
export class Sizes {
  readonly #bytes = new Map<RecordType, number | null>();
  readonly #steps = new Map<RecordType, number>();

  /** The bytes that each value of this type has; null if it varies. */
  bytes(type: AvroType): number | null {
    switch (type.type) {
      case "null":
        return 0;
      case "boolean":
        return 1;
      case "float":
        return 4;
      case "double":
        return 8;
      case "fixed":
        return type.size;
      case "record": {
        const known = this.#bytes.get(type);
        if (known !== undefined) return known;
        // One that holds itself: not the same size each time.
        this.#bytes.set(type, null);
        let sum: number | null = 0;
        for (const field of type.fields) {
          const bytes = this.bytes(field.type);
          sum = sum === null || bytes === null ? null : sum + bytes;
        }
        this.#bytes.set(type, sum);
        return sum;
      }
    }
    return null;
  }

  /** About how many instructions skip it; infinite for what holds itself. */
  steps(type: AvroType): number {
    switch (type.type) {
      case "array":
        return 2 + this.steps(type.items);
      case "map":
        return 2 + this.steps(type.values);
      case "union":
        return type.branches.reduce((sum, branch) => sum + 1 + this.steps(branch), 1);
      case "record": {
        const known = this.#steps.get(type);
        if (known !== undefined) return known;
        this.#steps.set(type, Infinity);
        const sum = type.fields.reduce((sum, field) => sum + this.steps(field.type), 0);
        this.#steps.set(type, sum);
        return sum;
      }
    }
    return 1;
  }
}
