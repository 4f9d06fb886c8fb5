import type { Added } from "../records/json.ts";
import type { Path } from "../records/paths.ts";
import { ProgramWriter } from "../records/program.ts";
import type { SchemaForm, SchemaText } from "../records/schema_form.ts";
import type { Registry } from "../registry/registry.ts";
import { subjectOf, versionsOf } from "../registry/subject.ts";
import { Failure } from "../failure.ts";

/** Schemas that a program has at a time; the one that was learned first makes room for another one. */
const MOST_SCHEMAS = 256;
/** Frames that cannot be read, and are remembered: a topic of another registry has any number. */
const MOST_REJECTED = 10_000;
/** After this time a schema that the registry did not have is asked for again, milliseconds. */
const MISSING_FOR = 60_000;

/** What a message says where a frame is not as long as its schema's id and indexes. */
const CUT = "is shorter than its Confluent frame";

/**
 * The schemas of a run's keys or values: of a registry, learned as their frames come, or one of a
 * file. T is a schema as its format reads it.
 */
export class Schemas<T> {
  readonly #form: SchemaForm<T>;
  readonly #part: "key" | "value";
  readonly #paths: readonly Path[];
  readonly #from: Registry | { file: T };
  readonly #debug: (line: string) => void;
  #version = 0;
  /** By the key of their frames, in hex. */
  readonly #known = new Map<string, { key: Uint8Array; schema: T }>();
  readonly #learning = new Map<string, Promise<void>>();
  readonly #rejected = new Map<string, { why: string; until: number }>();

  constructor(
    form: SchemaForm<T>,
    part: "key" | "value",
    paths: readonly Path[],
    from: Registry | { file: T },
    debug: (line: string) => void,
  ) {
    this.#form = form;
    this.#part = part;
    this.#paths = paths;
    this.#from = from;
    this.#debug = debug;
  }

  /** Grows with each schema that is learned: then programs are made again. */
  get version(): number {
    return this.#version;
  }

  /** Adds to a program the walk of what is known now, with slots from `first` on. */
  add(writer: ProgramWriter, first: number): Added {
    const known = "file" in this.#from
      ? { framed: [], bare: this.#from.file }
      : { framed: [...this.#known.values()], bare: null };
    return this.#form.add(writer, known, this.#paths, first, this.#part);
  }

  /**
   * Why values with this frame cannot be read, as it goes on from "the value"; null if that is to be
   * learned. `frame` are a value's first bytes, or all of them; it may have more after the value.
   */
  reject(frame: Uint8Array): string | null {
    const key = this.#keyOf(frame);
    if (key === null) return CUT;
    // A program that has its schema did not find it.
    if (this.#known.has(key)) return CUT;
    const rejected = this.#rejected.get(key);
    return rejected !== undefined && rejected.until > performance.now() ? rejected.why : null;
  }

  /**
   * Asks the registry for the schema of a frame. After that it is part of what {@link add} adds, or the
   * frame is one to {@link reject}. Throws Failure (broker, denied) if the registry does not answer.
   */
  async learn(frame: Uint8Array): Promise<void> {
    const hex = this.#keyOf(frame);
    if (hex === null || this.#known.has(hex)) return;
    let learning = this.#learning.get(hex);
    if (learning === undefined) {
      learning = this.#learn(hex, frame).finally(() => this.#learning.delete(hex));
      this.#learning.set(hex, learning);
    }
    await learning;
  }

  /**
   * Checks that each path is in some version of the topics' schemas; without such subjects there is
   * nothing to check. Throws Failure (usage), or what {@link learn} throws.
   */
  async check(topics: readonly string[], flag: string): Promise<void> {
    const versions: T[] = [];
    const subjects = new Set<string>();
    let other: string | null = null;
    if ("file" in this.#from) versions.push(this.#from.file);
    else {
      for (const subject of topics.map((topic) => subjectOf(topic, this.#part))) {
        for await (const { version, ...schema } of versionsOf(this.#from, subject)) {
          const what = `version ${version} of subject "${subject}"`;
          if (schema.kind !== this.#form.kind) other ??= `${what} ${this.#isOther(schema.kind)}`;
          else if (versions.push(...this.#readAll(what, schema)) > 0) subjects.add(`"${subject}"`);
          if (versions.length > 0 && this.#form.lacking(versions, this.#paths).length === 0) {
            return;
          }
        }
      }
    }
    if (versions.length === 0) {
      if (other !== null) throw new Failure("usage", `${flag}: ${other}`);
      this.#debug(`${flag}: the registry has no subject of these topics; paths are not checked`);
      return;
    }
    const [first] = this.#form.lacking(versions, this.#paths);
    if (first === undefined) return;
    const { path, why } = first;
    const where = subjects.size === 0
      ? "the schema does not have"
      : `no version of subject ${[...subjects].join(", ")} has`;
    throw new Failure("usage", `${flag}: ${where} ${path.text}${why}`);
  }

  #readAll(what: string, schema: SchemaText): readonly T[] {
    try {
      return this.#form.readAll(schema);
    } catch (error) {
      // Values that have it are judged when they come.
      this.#debug(`${what}: ${messageOf(error)}`);
      return [];
    }
  }

  /** What a schema of another kind is, and how it is read. */
  #isOther(kind: string): string {
    const known = ["avro", "protobuf", "json"].includes(kind);
    return `is ${kind}, not ${this.#form.kind}${known ? ` — use --${this.#part} ${kind}` : ""}`;
  }

  /** Null if the frame is cut. */
  #keyOf(frame: Uint8Array): string | null {
    const size = frame.length < 5 ? undefined : this.#form.keySize(frame.subarray(1));
    return size === undefined ? null : hexOf(frame.subarray(1, 1 + size));
  }

  async #learn(hex: string, frame: Uint8Array): Promise<void> {
    if ("file" in this.#from) return;
    const key = frame.slice(1, 1 + hex.length / 2);
    const id = new DataView(key.buffer).getInt32(0);
    // Ids are positive: what is not has never been one, and no registry is asked for it.
    const schema = id < 0 ? { missing: `${id} is not a schema's id` } : await this.#from.schema(id);
    if ("missing" in schema) {
      const why = `${schema.missing} — is it the registry of its producer?`;
      return this.#remember(hex, why, performance.now() + MISSING_FOR);
    }
    const { name, kind } = this.#form;
    if (schema.kind !== kind) {
      return this.#remember(hex, `schema ${id} ${this.#isOther(schema.kind)}`);
    }
    try {
      const known = { key, schema: this.#form.read(schema, key) };
      // Here it may fail, later not.
      const alone = { framed: [known], bare: null };
      this.#form.add(new ProgramWriter(), alone, this.#paths, 0, this.#part);
      this.#known.set(hex, known);
    } catch (error) {
      return this.#remember(hex, `schema ${id}: ${messageOf(error)}`);
    }
    if (this.#known.size > MOST_SCHEMAS) {
      const [oldest] = this.#known.keys();
      this.#known.delete(oldest);
    }
    this.#version++;
    this.#debug(`${name} schema ${id} of a ${this.#part} was learned`);
  }

  #remember(hex: string, why: string, until = Infinity): void {
    this.#rejected.delete(hex);
    this.#rejected.set(hex, { why: `cannot be read: ${why}`, until });
    if (this.#rejected.size > MOST_REJECTED) {
      const [oldest] = this.#rejected.keys();
      this.#rejected.delete(oldest);
    }
  }
}

function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
