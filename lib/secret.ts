/**
 * What must not be seen by others, and what is done so that it is not: secrets are kept in
 * {@link Secret}, and whatever is printed for people goes through {@link withoutSecrets}.
 */

/** The last secrets made: a token that is renewed at each login does not fill the memory. */
const MOST_KNOWN = 64;

/**
 * Secrets that are searched for in lines. A short one, and a word such as `postgres`, would also be
 * found where it is not a secret; to remove it there would show that it is one.
 */
const searchable = /^(?=.*[^a-zA-Z]).{6,}|^.{12,}/s;

const known = new Set<string>();

/**
 * A password, a key or a token. It is in a private field, so whatever prints or encodes the object
 * around it, or an error that carries it, shows nothing.
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
    if (!searchable.test(value)) return;
    known.delete(value);
    known.add(value);
    for (const oldest of known) {
      if (known.size <= MOST_KNOWN) break;
      known.delete(oldest);
    }
  }

  reveal(): string {
    return this.#value;
  }

  /** Text from elsewhere, such as a broker's, with the secret taken out should it be in there. */
  redact(text: string): string {
    return this.#value === "" ? text : text.replaceAll(this.#value, "***");
  }
}

/** `password=x`, `sasl.jaas.config = "x"`: what such a name is given. */
const named =
  /([\w.-]*(?:passw|secret|jaas\.config|credential|private.?key)[\w.-]*\s*=\s*)("[^"]*"|'[^']*'|[^\s"',;&]+)/gi;

/**
 * The user info of a URL, except that of our examples; a password not encoded may hold any of
 * `/?#@`.
 */
const userInfo = /\b([a-z][a-z0-9+.-]*:\/\/)(?!user@)[^\s"']*@/gi;

/**
 * A line for people, without any secret that is known here, the user info of any URL, and what is
 * given to a name such as `password`. The last wall: no message is made of such things anyway, but
 * a broker, a database and a library may repeat what they were sent.
 */
export function withoutSecrets(text: string): string {
  for (const secret of known) {
    if (text.includes(secret)) text = text.replaceAll(secret, "***");
  }
  return text.replaceAll(userInfo, "$1***@").replaceAll(named, "$1***");
}

/**
 * A word of a command line as a message quotes it. Of a URL and of `KEY=VALUE`, which may have
 * been put in the wrong place, it is the beginning only.
 */
export function shown(word: string): string {
  const [start] = /^(?:[a-zA-Z][\w+.-]*:\/\/|[^=]*=)/.exec(word) ?? [];
  return start === undefined ? word : `${start}…`;
}

/**
 * The path in a property, flag or variable as a message names it. What does not look like a path
 * may be what belongs in the file: a key, a token.
 */
export function shownPath(value: string): string {
  return /^(?:~|\.{1,2})?\/[^\s]{1,255}$/.test(value) ? `"${value}"` : "its file";
}
