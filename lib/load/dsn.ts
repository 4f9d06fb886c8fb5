import { Failure } from "../failure.ts";
import { Secret } from "../secret.ts";

/** How TLS is used; libpq's words, https://www.postgresql.org/docs/current/libpq-ssl.html. */
export const sslModes = [
  ...["disable", "allow", "prefer", "require"],
  ...["verify-ca", "verify-full"],
] as const;

export type SslMode = "disable" | "allow" | "prefer" | "require" | "verify-ca" | "verify-full";

const sessionStates = ["any", "read-write", "read-only", "primary", "standby", "prefer-standby"];

/** libpq's parameters that are part of the connection, and not settings of the session. */
const own = [
  ...["host", "port", "user", "password", "dbname", "connect_timeout", "target_session_attrs"],
  ...["sslmode", "ssl", "sslrootcert"],
];

/** libpq's parameters that cannot be followed; sent as settings, the server would log them. */
const unknown =
  /^(ssl|gss|krb|passfile|service|require_?auth|requiressl|channel_binding|keepalives|hostaddr|fallback_application_name|load_balance_hosts|tcp_user_timeout|client_encoding|replication|oauth|scram_|min_protocol|max_protocol)/;

/**
 * Where a database is, and who logs in there. Printed, it is the host and the database alone. No
 * failure of {@link Dsn.parse} holds any of the text: a password may be anywhere in what is wrong.
 */
export class Dsn {
  /** For messages: `--dsn`, `env DATABASE_URL`. */
  readonly at: string;
  readonly hosts: readonly { host: string; port: number | null }[];
  readonly user: string | null;
  readonly password: Secret | null;
  readonly database: string | null;
  readonly sslMode: SslMode | null;
  /** A file of PEM, or `system`. */
  readonly sslRootCert: string | null;
  /** Seconds. */
  readonly connectTimeout: number | null;
  readonly sessionState: string | null;
  /** Settings of the session: `search_path`, `application_name`. */
  readonly settings: Readonly<Record<string, string>>;

  /** Reads `postgres://user:password@host:5432/database?name=value`. Throws Failure (usage). */
  static parse(at: string, text: string): Dsn {
    return new Dsn(at, text);
  }

  private constructor(at: string, text: string) {
    const fail = (why: string) => new Failure("usage", `${at}: ${why}`);
    this.at = at;
    const [scheme] = /^postgres(?:ql)?:\/\//i.exec(text) ?? [];
    if (scheme === undefined) {
      throw new Failure("usage", `${at} must be of the form postgres://user@host:5432/database`);
    }
    const end = /[/?]|$/.exec(text.slice(scheme.length))!.index + scheme.length;
    // If a password is not encoded, a part of it would be read as the database's name, and shown.
    const stray = /[\s#]/.exec(text)?.index ?? text.indexOf("@", end);
    if (stray !== -1) {
      throw fail(
        `character ${
          stray + 1
        } is not allowed there — write / ? # @ : % and spaces in a user name ` +
          "or a password as %2F %3F %23 %40 %3A %25 %20",
      );
    }
    const authority = text.slice(scheme.length, end);
    const split = authority.lastIndexOf("@");
    const login = split === -1 ? [] : authority.slice(0, split).split(/:(.*)/s);
    const url = /^(?:\/([^?]*))?(?:\?(.*))?$/s.exec(text.slice(end))!;
    const decode = (part: string | undefined, what: string) => {
      try {
        return part ? decodeURIComponent(part) : null;
      } catch {
        throw fail(`a "%" in the ${what} does not begin an encoded character — write it as %25`);
      }
    };
    const parameters = new Map<string, string>();
    for (const [i, pair] of (url[2] ?? "").split("&").filter((pair) => pair !== "").entries()) {
      const [, name, value] = /^([a-zA-Z_][\w.]*)=(.*)$/s.exec(pair) ?? [];
      if (name === undefined) throw fail(`parameter ${i + 1} is not NAME=VALUE`);
      if (!own.includes(name) && unknown.test(name)) {
        throw fail(`parameter "${name}" is not supported — remove it`);
      }
      parameters.set(name, decode(value.replaceAll("+", " "), `parameter "${name}"`) ?? "");
    }
    const get = (name: string) => parameters.get(name) || null;
    const choice = <T extends string>(
      name: string,
      choices: readonly T[],
      value: string | null,
    ) => {
      if (value === null || choices.some((known) => known === value)) return value as T | null;
      throw fail(`${name} is not one of ${choices.join(", ")}`);
    };

    this.user = decode(login[0], "user name") ?? get("user");
    // What is in the text, encoded or not, is not to be found in a line either.
    const password = decode(login[1], "password") ?? get("password");
    if (login[1]) new Secret(login[1]);
    this.password = password === null ? null : new Secret(password);
    this.hosts = hostList(authority.slice(split + 1), get("host"), get("port"), decode, fail);
    this.database = decode(url[1], "database") ?? get("dbname");
    const ssl = { true: "verify-full", false: "disable" }[get("ssl") ?? ""] ?? get("ssl");
    this.sslMode = choice("sslmode", sslModes as readonly SslMode[], get("sslmode") ?? ssl);
    this.sslRootCert = get("sslrootcert");
    const seconds = get("connect_timeout");
    if (seconds !== null && !/^\d{1,6}$/.test(seconds)) {
      throw fail("connect_timeout is not a number of seconds");
    }
    this.connectTimeout = seconds === null ? null : Number(seconds);
    this.sessionState = choice("target_session_attrs", sessionStates, get("target_session_attrs"));
    this.settings = Object.fromEntries([...parameters].filter(([name]) => !own.includes(name)));
  }

  toString(): string {
    const hosts = this.hosts.map(({ host, port }) => port === null ? host : `${host}:${port}`);
    return `postgres://${hosts.join(",")}/${this.database ?? ""}`;
  }
}

/** `a:5432,b`; a host may be encoded, as that of a socket's folder must be. */
function hostList(
  authority: string,
  host: string | null,
  port: string | null,
  decode: (part: string, what: string) => string | null,
  fail: (why: string) => Failure,
): Dsn["hosts"] {
  const number = (text: string | undefined, which: string) => {
    if (!text) return null;
    if (/^\d{1,5}$/.test(text) && Number(text) > 0 && Number(text) < 65536) return Number(text);
    throw fail(`the port of ${which} is not a number from 1 to 65535`);
  };
  if (authority === "") {
    if (host === null) return port === null ? [] : [{ host: "", port: number(port, "the host")! }];
    const ports = port?.split(",") ?? [];
    return host.split(",").map((host, i) => ({
      host,
      port: number(ports[i] ?? ports[0], `host ${i + 1}`),
    }));
  }
  return authority.split(",").map((text, i) => {
    const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]*))(?::(.*))?$/s.exec(text);
    if (!match) throw fail(`host ${i + 1} is not HOST:PORT`);
    const name = match[1] ?? decode(match[2], `host ${i + 1}`) ?? "";
    return { host: name, port: number(match[3] ?? port ?? undefined, `host ${i + 1}`) };
  });
}
