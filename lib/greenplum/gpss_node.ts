import { Failure } from "../failure.ts";

/**
 * A map of a load file. It remembers which of its keys were asked for: those that were not are
 * settings that nobody has looked at. Keys are found whatever their case is, as versions differ.
 */
export class GpssNode {
  /** Where it is: `KAFKA.INPUT`; empty for the whole file. */
  readonly path: string;
  readonly #values = new Map<string, { key: string; value: unknown }>();
  readonly #asked = new Set<string>();
  readonly #children: GpssNode[] = [];

  /** Throws Failure (usage) if it is not a map. Nothing at all is an empty one. */
  constructor(value: unknown, path: string) {
    this.path = path;
    if (value === null || value === undefined) return;
    if (typeof value !== "object" || Array.isArray(value)) {
      throw new Failure("usage", `${path || "the file"} is not a map of settings`);
    }
    for (const [key, item] of Object.entries(value)) {
      this.#values.set(key.toLowerCase(), { key, value: item });
    }
  }

  /** How the file writes this setting: `KAFKA.INPUT.SOURCE`. */
  at(name: string): string {
    const key = this.#values.get(name)?.key ?? name;
    return this.path === "" ? key : `${this.path}.${key}`;
  }

  /** Whether it is there; that counts as having looked at it. */
  has(name: string): boolean {
    this.#asked.add(name);
    const value = this.#values.get(name)?.value;
    return value !== undefined && value !== null;
  }

  /** A text, number or truth value as text; null without it. Throws Failure (usage) for others. */
  text(name: string): string | null {
    if (!this.has(name)) return null;
    const { value } = this.#values.get(name)!;
    if (["string", "number", "bigint", "boolean"].includes(typeof value)) {
      return String(value).trim();
    }
    throw new Failure("usage", `${this.at(name)} is not a text`);
  }

  /** The same; it must be there. */
  needed(name: string): string {
    const text = this.text(name);
    if (text !== null && text !== "") return text;
    throw new Failure("usage", `${this.at(name)} is missing`);
  }

  /** A map in it; an empty one if there is none. */
  child(name: string): GpssNode {
    const value = this.has(name) ? this.#values.get(name)!.value : null;
    const child = new GpssNode(value, this.at(name));
    this.#children.push(child);
    return child;
  }

  /** The maps of a list in it; a single map counts as a list of one. */
  children(name: string): GpssNode[] {
    if (!this.has(name)) return [];
    const { value } = this.#values.get(name)!;
    const items = Array.isArray(value) ? value : [value];
    const found = items.map((item, i) =>
      new GpssNode(item, items.length > 1 ? `${this.at(name)}[${i}]` : this.at(name))
    );
    this.#children.push(...found);
    return found;
  }

  /** A list of texts; one text counts as a list of one. */
  texts(name: string): string[] {
    if (!this.has(name)) return [];
    const { value } = this.#values.get(name)!;
    return (Array.isArray(value) ? value : [value]).map((item) => {
      if (["string", "number"].includes(typeof item)) return String(item).trim();
      throw new Failure("usage", `${this.at(name)} is not a list of names`);
    });
  }

  /** All keys as the file writes them, and their values as text; all count as looked at. */
  entries(): [string, string][] {
    return [...this.#values].map(([name, { key }]) => [key, this.text(name) ?? ""]);
  }

  /** The settings that were not looked at, here and in the maps in it. */
  unknown(): string[] {
    return [
      ...[...this.#values.keys()].filter((name) => !this.#asked.has(name))
        .map((name) => this.at(name)),
      ...this.#children.flatMap((child) => child.unknown()),
    ];
  }
}
