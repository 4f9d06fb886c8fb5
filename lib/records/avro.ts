/**
 * Avro for the kernel: a writer's schema and the paths of a run become code in a program of rows.
 * What a version of the schema does not have stays missing.
 */
import { suggestion } from "../text.ts";
import type { AvroType } from "./avro_types.ts";
import { type Field, WalkCode } from "./avro_walk.ts";
import type { Added } from "./json.ts";
import type { Path } from "./paths.ts";
import { Form, Framed, type ProgramWriter } from "./program.ts";

export { parseAvroSchema, SchemaError } from "./avro_schema.ts";
export type { AvroType, Logical } from "./avro_types.ts";

/** Room that the walker and the JSON writer need for what is nested: 1,000 frames of 32 bytes. */
const STACK = 32000;

/** The schemas of a source: by the id in frames, or one for values that have no frame. */
export interface AvroSchemas {
  byId: ReadonlyMap<number, AvroType>;
  bare: AvroType | null;
}

/**
 * Adds the walk of Avro values that finds these paths, in slots from `first` on. Throws SchemaError
 * if a schema is nested too deep.
 */
export function addAvro(
  writer: ProgramWriter,
  { byId, bare }: AvroSchemas,
  paths: readonly Path[],
  first: number,
): Added {
  const slotOf = new Map<string, Field>();
  const slots = paths.map(({ steps }) => {
    const key = JSON.stringify(steps);
    const field = slotOf.get(key) ?? { steps, slot: first + slotOf.size };
    slotOf.set(key, field);
    return field.slot;
  });
  const fields = [...slotOf.values()];
  const compile = (schema: AvroType) => new WalkCode().compile(schema, fields).write(writer);
  const roots = [...byId].map(([id, schema]) => ({ key: bigEndian(id), root: compile(schema) }));
  writer.needScratch(STACK);
  const source = bare
    ? { form: Form.avro, framed: Framed.never, root: compile(bare), roots }
    : { form: Form.avro, framed: Framed.required, root: 0, roots };
  return { source, slots, next: first + fields.length };
}

/** An id as it stands in a frame. */
function bigEndian(id: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, id);
  return bytes;
}

/** What a step of a path leads to: one type, of a union perhaps several. A map has every name. */
function inside(type: AvroType, step: string | number): AvroType[] {
  switch (type.type) {
    case "union":
      return type.branches.flatMap((branch) => inside(branch, step));
    case "record":
      return type.fields.filter(({ name }) => name === step).map((field) => field.type);
    case "map":
      return typeof step === "string" ? [type.values] : [];
    case "array":
      return typeof step === "number" ? [type.items] : [];
  }
  return [];
}

/** The names that a step may have here. */
function namesIn(type: AvroType): string[] {
  if (type.type === "union") return type.branches.flatMap(namesIn);
  return type.type === "record" ? type.fields.map(({ name }) => name) : [];
}

/** The types that a step leads to from these, each once. */
function allInside(types: readonly AvroType[], step: string | number): AvroType[] {
  return [...new Set(types.flatMap((type) => inside(type, step)))];
}

/** Whether values of this schema may have the path. */
export function hasAvroPath(schema: AvroType, path: Path): boolean {
  let types = [schema];
  for (const step of path.steps) types = allInside(types, step);
  return types.length > 0;
}

/**
 * The paths that none of these schemas has; each with ` — did you mean "name"?`, if the name that
 * is not there is near to one that is, or else with the names that are there.
 */
export function missingAvroPaths(
  schemas: readonly AvroType[],
  paths: readonly Path[],
): { path: Path; hint: string }[] {
  return paths.filter((path) => !schemas.some((schema) => hasAvroPath(schema, path)))
    .map((path) => ({ path, hint: hintFor(schemas, path) }));
}

function hintFor(schemas: readonly AvroType[], path: Path): string {
  let types = [...schemas];
  for (const step of path.steps) {
    const next = allInside(types, step);
    if (next.length > 0) {
      types = next;
      continue;
    }
    const names = [...new Set(types.flatMap(namesIn))];
    if (names.length === 0) return "";
    const some = names.slice(0, 10).join(", ") + (names.length > 10 ? ", …" : "");
    return typeof step === "string"
      ? suggestion(step, names, ` — it has ${some}`)
      : ` — it has ${some}`;
  }
  return "";
}
