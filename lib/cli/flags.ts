import { parseArgs } from "node:util";
import { Failure } from "../failure.ts";
import { suggestion } from "../text.ts";

/** One flag, as the parser, `--help` and docs/flags.md use it. */
export interface Flag {
  /** The long name, without dashes. */
  name: string;
  short?: string;
  /** What the value is called in the help; a flag without it is a switch. */
  value?: string;
  /** An empty value is allowed: an empty list. */
  mayBeEmpty?: boolean;
  /** The flag may be given more than once. */
  many?: boolean;
  /**
   * Further long names, also accepted with one dash: those of the program that this one replaces.
   */
  old?: readonly string[];
  help: string;
}

/** The flags given, by long name. */
export class Given {
  readonly files: readonly string[];
  readonly #values: ReadonlyMap<string, readonly string[]>;

  constructor(values: ReadonlyMap<string, readonly string[]>, files: readonly string[]) {
    this.#values = values;
    this.files = files;
  }

  /** Whether a flag was given. */
  has(name: string): boolean {
    return this.#values.has(name);
  }

  /** The flag's value; the last one if it was given more than once. */
  get(name: string): string | undefined {
    return this.#values.get(name)?.at(-1);
  }

  /** All values of a flag. */
  all(name: string): readonly string[] {
    return this.#values.get(name) ?? [];
  }

  /** Throws Failure (usage) if a flag is given together with another one that it contradicts. */
  excludes(name: string, others: readonly string[]): void {
    const other = this.has(name) ? others.find((other) => this.has(other)) : undefined;
    if (other !== undefined) {
      throw new Failure("usage", `--${name} and --${other} exclude each other`);
    }
  }

  /** The flag's value, which must be one of `choices`. */
  choice<T extends string>(name: string, choices: readonly T[], otherwise: T): T {
    const value = this.get(name) ?? otherwise;
    const found = choices.find((choice) => choice === value);
    if (found === undefined) {
      const hint = suggestion(value, choices, "");
      throw new Failure(
        "usage",
        `--${name}: "${value}" is not one of ${choices.join(", ")}${hint}`,
      );
    }
    return found;
  }
}

/**
 * Reads a command line. Throws Failure (usage) naming a flag that is unknown, lacks its value, has
 * one that it does not accept, or an empty one (a shell variable that is not set), or is given
 * twice.
 */
export function parseFlags(flags: readonly Flag[], args: readonly string[]): Given {
  const old = new Map(flags.flatMap((flag) => (flag.old ?? []).map((name) => [name, flag])));
  const shorts = new Map(
    flags.flatMap(({ name, short, value }) =>
      short !== undefined && value !== undefined ? [[short, name]] : []
    ),
  );
  const { tokens } = parseArgs({
    args: args.map((arg) => withTwoDashes(arg, old, shorts)),
    options: Object.fromEntries(flags.map(({ name, short, value }) => [
      name,
      { type: value === undefined ? "boolean" : "string", ...(short ? { short } : {}) } as const,
    ])),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const values = new Map<string, string[]>();
  const files: string[] = [];
  for (const token of tokens) {
    if (token.kind === "positional") files.push(token.value);
    if (token.kind !== "option") continue;
    const flag = flags.find(({ name }) => name === token.name) ?? old.get(token.name);
    if (!flag) {
      const names = [...flags.map(({ name }) => name), ...old.keys()].map((name) => `--${name}`);
      const hint = suggestion(token.rawName, names, "; see --help");
      throw new Failure("usage", `unknown flag ${token.rawName}${hint}`);
    }
    if (flag.value === undefined && token.value !== undefined) {
      throw new Failure("usage", `${token.rawName} does not accept a value`);
    }
    if (flag.value !== undefined && token.value === undefined) {
      throw new Failure("usage", `${token.rawName} requires a value: ${flag.value}`);
    }
    if (token.value === "" && !flag.mayBeEmpty) {
      throw new Failure(
        "usage",
        `${token.rawName}: the value is empty — give ${flag.value}, or leave the flag out`,
      );
    }
    const known = values.get(flag.name) ?? [];
    if (known.length > 0 && !flag.many && flag.value !== undefined) {
      throw new Failure("usage", `${token.rawName} is given twice`);
    }
    values.set(flag.name, [...known, token.value ?? ""]);
  }
  return new Given(values, files);
}

/** `-topic=x`, where the table has it as an old name, and `-t=x` as `--topic=x`. */
function withTwoDashes(
  arg: string,
  old: ReadonlyMap<string, Flag>,
  shorts: ReadonlyMap<string, string>,
): string {
  const [, letter, value] = /^-([a-zA-Z])=([^]*)$/.exec(arg) ?? [];
  const long = letter === undefined ? undefined : shorts.get(letter);
  if (long !== undefined) return `--${long}=${value}`;
  const name = /^-([a-z][a-z-]+)(?:=|$)/.exec(arg)?.[1];
  return name !== undefined && old.has(name) ? `-${arg}` : arg;
}

/** The table of flags as `--help` prints it. */
export function flagHelp(flags: readonly Flag[]): string {
  const rows = flags.map(({ name, short, value, help }) => {
    const left = `${short ? `-${short}, ` : "    "}--${name}${value ? ` ${value}` : ""}`;
    return left.length < 32 ? `  ${left.padEnd(32)}${help}` : `  ${left}\n${" ".repeat(34)}${help}`;
  });
  return rows.join("\n");
}
