import { Failure } from "../failure.ts";
import { suggestion } from "../text.ts";

/** One entry of a JAAS configuration. */
export interface LoginModule {
  /** The class, without its package. */
  name: string;
  options: ReadonlyMap<string, string>;
}

/**
 * Reads Java's `sasl.jaas.config`: `CLASS required key="value" …;`, as Kafka's JaasConfig does (the
 * syntax is javax.security.auth.login.Configuration's). Throws Failure (usage), which holds nothing
 * of the text: the password is in it.
 */
export function parseJaas(text: string): LoginModule {
  const failed = new Failure(
    "usage",
    'sasl.jaas.config: it is not CLASS required username="…" password="…";',
  );
  const tokens =
    text.trim().match(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[\w.$\u00a0-\uffff-]+|[^\s]/g) ?? [];
  const [className = "", control = "", ...rest] = tokens;
  if (
    !/^[\w.$]+$/.test(className) || !/^(required|requisite|sufficient|optional)$/i.test(control)
  ) {
    throw failed;
  }
  if (rest.at(-1) !== ";" || rest.length % 3 !== 1) throw failed;
  const options = new Map<string, string>();
  for (let i = 0; i + 2 < rest.length; i += 3) {
    const [key, equals, value] = rest.slice(i, i + 3);
    if (!/^[\w.$-]+$/.test(key) || equals !== "=" || value === ";" || value === "=") throw failed;
    options.set(key, unquote(value));
  }
  return { name: className.slice(className.lastIndexOf(".") + 1), options };
}

/**
 * Throws Failure (usage) at an option that is not in `known`: it requests something that would not
 * be done. The option is named by its place, for in a text with a quote too many it may be a part
 * of the password.
 */
export function checkOptions({ options }: LoginModule, known: readonly string[]): void {
  for (const [i, option] of [...options.keys()].entries()) {
    if (known.includes(option)) continue;
    const hint = suggestion(option, known, ` — known here: ${known.join(", ") || "none"}`);
    throw new Failure("usage", `sasl.jaas.config: option ${i + 1} is unknown${hint}`);
  }
}

/** The escapes of java.io.StreamTokenizer: letters, and up to three octal digits. */
const special: Record<string, string> = {
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
};

function unquote(token: string): string {
  if (!/^["']/.test(token)) return token;
  return token.slice(1, -1).replaceAll(
    /\\([0-3][0-7]{0,2}|[4-7][0-7]?|[^])/g,
    (_, escaped: string) =>
      /^[0-7]/.test(escaped)
        ? String.fromCharCode(parseInt(escaped, 8))
        : special[escaped] ?? escaped,
  );
}
