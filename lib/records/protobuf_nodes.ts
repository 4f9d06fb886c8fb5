/**
 * What is wanted of a message becomes nodes of a program: the kernel's proto.as.ts walks a message by
 * them.
 */
import protobuf from "protobufjs";
import { Kernel } from "../protocol/kernel/kernel.ts";
import type { ProgramWriter } from "./program.ts";
import { defaultOf } from "./protobuf_defaults.ts";
import {
  DECIMAL,
  type Descriptors,
  DURATION,
  knownKinds,
  opOf,
  ops,
  TIMESTAMP,
  WRAPPER,
  writeTable,
} from "./protobuf_descriptors.ts";
import {
  fieldName,
  keyBytesOf,
  memberOf,
  newWanted,
  oneofsOf,
  type Wanted,
} from "./protobuf_paths.ts";
import { kinds, plainOf, writeTags } from "./protobuf_plain.ts";
import { fullName } from "./protobuf_schema.ts";

/** What is done with a field (proto.as.ts). */
const Action = {
  slot: 1,
  child: 2,
  whole: 3,
  all: 4,
  elements: 5,
  keys: 6,
  time: 7,
  span: 8,
  name: 9,
  none: 10,
  exact: 11,
} as const;

/** Messages that are one field of a row. */
const ofKnown: Readonly<Record<number, number>> = {
  [TIMESTAMP]: Action.time,
  [DURATION]: Action.span,
  [DECIMAL]: Action.exact,
};

const NODE_SIZE = 40, ENTRY_SIZE = 48, RECORD_SIZE = 16, DEFAULT_SIZE = 32, STATE_SIZE = 16;
/** A node whose message has fields that are kept as bytes. */
const JOINS = 1;
const utf8 = new TextEncoder();

/** A field and the offset of the first entry that is about it. */
interface FieldEntry {
  field: protobuf.Field;
  entry: number;
}

/** What a field needs beside its type: a link of a chain of entries. */
interface Link {
  action: number;
  slot?: number;
  ref?: number;
  state?: number;
  name?: Uint8Array;
}

/** Writes the nodes of one root. */
export class Nodes {
  readonly #program: ProgramWriter;
  readonly #descriptors: Descriptors;
  /** Where the next state is, and where the first one was. */
  #state: number;
  readonly firstState: number;

  constructor(program: ProgramWriter, descriptors: Descriptors, wanted: Wanted) {
    this.#program = program;
    this.#descriptors = descriptors;
    // A field and its oneof have a state each at most, and so does each element.
    this.#state = this.firstState = program.reserve(2 * STATE_SIZE * sizeOf(wanted), 16);
  }

  /** Size of the states in use. */
  get statesSize(): number {
    return this.#state - this.firstState;
  }

  #newState(): number {
    this.#state += STATE_SIZE;
    return this.#state - STATE_SIZE;
  }

  /**
   * The offset of a message's node. Paths that the message lacks are ignored. `implicit`: all its
   * fields have a default.
   */
  message(type: protobuf.Type, wanted: Wanted, implicit = false): number {
    const at = this.#program.reserve(NODE_SIZE);
    const from = this.#state;
    const byField = new Map<protobuf.Field, Wanted>();
    const named = new Map<protobuf.OneOf, Wanted>();
    for (const [name, child] of wanted.names) {
      const member = memberOf(type, name);
      if (member instanceof protobuf.OneOf) named.set(member, child);
      else if (member) byField.set(member, child);
    }
    const entries: FieldEntry[] = [];
    const inOneof = new Set<protobuf.Field>();
    for (const oneof of oneofsOf(type)) {
      const members = oneof.fieldsArray;
      if (!named.has(oneof) && !members.some((field) => byField.has(field))) continue;
      members.forEach((field) => inOneof.add(field));
      entries.push(...this.#oneof(members, byField, named.get(oneof)?.slots ?? []));
    }
    const defaults: protobuf.Field[] = [];
    for (const [field, child] of byField) {
      if (inOneof.has(field)) continue;
      defaults.push(field);
      entries.push({ field, entry: this.#entry(field, this.#links(field, child)) });
    }
    writeTable(this.#program, at, entries.map(({ field, entry }) => [field.id, entry]));
    this.#program.u32(at + 32, ...writeTags(this.#program, entries));
    const record = this.#program.reserve(RECORD_SIZE);
    this.#record(record, slotsOf(wanted), from);
    this.#program.u32(at + 16, ...this.#defaults(defaults, byField, implicit));
    this.#program.u32(at + 24, joins(type, wanted) ? JOINS : 0, record);
    return at;
  }

  /** The entries of a oneof's members: all of them, for each ends what another one was. */
  #oneof(
    members: readonly protobuf.Field[],
    byField: ReadonlyMap<protobuf.Field, Wanted>,
    named: readonly number[],
  ): FieldEntry[] {
    const oneof = this.#newState();
    return members.map((field) => {
      const from = this.#state;
      const wanted = byField.get(field) ?? newWanted();
      const links = this.#links(field, wanted);
      const name = utf8.encode(fieldName(field));
      for (const slot of named) links.push({ action: Action.name, slot, name });
      if (links.length === 0) links.push({ action: Action.none });
      const slots = [...wanted.slots, ...slotsOf(wanted), ...named];
      const record = this.#program.reserve(RECORD_SIZE);
      this.#record(record, slots, from);
      return { field, entry: this.#entry(field, links, oneof, record) };
    });
  }

  /** Slots and states that are forgotten together: those made since `from`. */
  #record(at: number, slots: readonly number[], from: number): void {
    const list = this.#program.reserve(4 * slots.length);
    this.#program.u32(list, ...slots);
    this.#program.u32(at, list, slots.length, from, this.#state - from);
  }

  /** Writes a field's links one after the other; returns the offset of the first. `record`: of a oneof's member. */
  #entry(field: protobuf.Field, links: readonly Link[], oneof = 0, record = 0): number {
    const at = this.#program.reserve(ENTRY_SIZE * links.length);
    const alone = links.length === 1 && oneof === 0 && !field.repeated;
    const op = field instanceof protobuf.MapField ? ops.message : opOf(field);
    for (const [index, { action, slot = 0, ref = 0, state = 0, name }] of links.entries()) {
      const here = at + ENTRY_SIZE * index;
      const next = index + 1 < links.length ? here + ENTRY_SIZE : 0;
      // deno-fmt-ignore
      this.#program.u32(here, op, action, slot, ref, oneof, next, state, record,
        name ? this.#program.add(name) : 0, name?.length ?? 0, alone ? plainOf(op, plainAction(action)) : 0, kinds[op]);
    }
    return at;
  }

  #links(field: protobuf.Field, wanted: Wanted): Link[] {
    if (field instanceof protobuf.MapField) return this.#ofMap(field, wanted);
    return field.repeated ? this.#ofList(field, wanted) : this.#ofOne(field, wanted);
  }

  #ofMap(field: protobuf.MapField & protobuf.Field, { slots, names, elements }: Wanted): Link[] {
    const ref = this.#descriptors.field(field);
    const links: Link[] = slots.map((slot) => ({ action: Action.all, slot, ref }));
    const keys: [Uint8Array, Wanted][] = [];
    for (const [key, child] of [...names, ...elements]) {
      const bytes = keyBytesOf(field, String(key));
      if (bytes) keys.push([bytes, child]);
    }
    if (keys.length === 0) return links;
    const list = this.#program.reserve(8 + 16 * keys.length);
    this.#program.u32(list, keys.length, ops[field.keyType]);
    for (const [index, [bytes, child]] of keys.entries()) {
      const record = this.#program.reserve(RECORD_SIZE);
      const from = this.#state;
      const node = this.#ofKey(field, child);
      this.#record(record, [...child.slots, ...slotsOf(child)], from);
      const at = list + 8 + 16 * index;
      this.#program.u32(at, this.#program.add(bytes, 8), bytes.length, node, record);
    }
    return [...links, { action: Action.keys, ref: list }];
  }

  /** The node of an entry of a map: a message of which the value is wanted. */
  #ofKey(map: protobuf.MapField & protobuf.Field, wanted: Wanted): number {
    const entry = new protobuf.Type("Entry");
    const value = new protobuf.Field("value", 2, map.type);
    entry.add(value);
    value.resolvedType = map.resolvedType;
    return this.message(entry, { ...newWanted(), names: new Map([["value", wanted]]) }, true);
  }

  #ofList(field: protobuf.Field, { slots, elements }: Wanted): Link[] {
    const links: Link[] = [];
    const ref = slots.length > 0 ? this.#descriptors.field(field) : 0;
    for (const slot of slots) links.push({ action: Action.all, slot, ref });
    if (elements.size === 0) return links;
    const state = this.#newState();
    const sorted = [...elements].sort(([a], [b]) => a - b);
    const list = this.#program.reserve(4 + 8 * sorted.length);
    this.#program.u32(list, sorted.length);
    for (const [index, [number, child]] of sorted.entries()) {
      const entry = this.#entry(field, this.#ofOne(field, child));
      this.#program.u32(list + 4 + 8 * index, number, entry);
    }
    return [...links, { action: Action.elements, ref: list, state }];
  }

  /** The links of a field's one value, or of one of its elements. */
  #ofOne(field: protobuf.Field, { slots, names }: Wanted): Link[] {
    const { resolvedType: type } = field;
    if (!(type instanceof protobuf.Type)) {
      const ref = this.#descriptors.reference(field);
      return slots.map((slot) => ({ action: Action.slot, slot, ref }));
    }
    const links: Link[] = [];
    const kind = knownKinds[fullName(type)] ?? 0;
    const inside = { ...newWanted(), names: new Map(names) };
    if (kind === WRAPPER && slots.length > 0) {
      const value = names.get("value");
      inside.names.set("value", { ...newWanted(), slots: [...slots, ...value?.slots ?? []] });
    } else {
      for (const slot of slots) {
        const action = ofKnown[kind];
        if (action !== undefined) links.push({ action, slot, state: this.#newState() });
        else links.push({ action: Action.whole, slot, ref: this.#descriptors.message(type) });
      }
    }
    if (inside.names.size > 0) {
      const state = this.#newState();
      links.push({ action: Action.child, ref: this.message(type, inside), state });
    }
    return links;
  }

  /** Where the defaults of a message's wanted fields are, and how many. */
  #defaults(
    fields: readonly protobuf.Field[],
    wanted: ReadonlyMap<protobuf.Field, Wanted>,
    implicit: boolean,
  ): [number, number] {
    const list = fields.flatMap((field) => {
      const slots = wanted.get(field)!.slots;
      const value = slots.length > 0 ? defaultOf(field, implicit) : null;
      return value ? slots.map((slot) => ({ slot, ...value })) : [];
    });
    const at = this.#program.reserve(DEFAULT_SIZE * list.length);
    for (const [index, { slot, kind, bytes, value = 0n }] of list.entries()) {
      const here = at + DEFAULT_SIZE * index;
      const text = bytes ? this.#program.add(bytes) : 0;
      // A slot as it is to be: with the address in the kernel's memory.
      this.#program.u32(here, kind, bytes?.length ?? 0, Kernel.DATA + text, 0);
      this.#program.i64(here + 16, BigInt.asIntN(64, value));
      this.#program.u32(here + 24, slot);
    }
    return [at, list.length];
  }
}

function plainAction(action: number): "slot" | "time" | "other" {
  return action === Action.slot ? "slot" : action === Action.time ? "time" : "other";
}

/**
 * Whether a slot of a message, or of one inside it, is the place of all that a list or map has: when the
 * message goes on in a further part, that is not one place.
 */
function joins(type: protobuf.Type, wanted: Wanted): boolean {
  for (const [name, child] of wanted.names) {
    const field = memberOf(type, name);
    if (!(field instanceof protobuf.Field)) continue;
    if (field.repeated || field instanceof protobuf.MapField) {
      if (child.slots.length > 0) return true;
    } else if (field.resolvedType instanceof protobuf.Type && joins(field.resolvedType, child)) {
      return true;
    }
  }
  return false;
}

/** All slots below a message. */
function slotsOf(wanted: Wanted): number[] {
  const children = [...wanted.names.values(), ...wanted.elements.values()];
  return children.flatMap((child) => [...child.slots, ...slotsOf(child)]);
}

/** How many states what is wanted can have at most. */
function sizeOf(wanted: Wanted): number {
  const children = [...wanted.names.values(), ...wanted.elements.values()];
  return children.reduce((sum, child) => sum + sizeOf(child), 2 + wanted.slots.length);
}
