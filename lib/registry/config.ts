import type { TlsConfig } from "../kafka/config.ts";
import type { Secret } from "../secret.ts";

/** One address of a schema registry; several of them are one cluster, with the same schemas. */
export interface RegistryUrl {
  /** `https://registry:8081/path`: no user info, no slash at its end. For messages, too. */
  base: string;
  /** The value of the header Authorization, if there is a login. */
  authorization: Secret | null;
}

/** How to reach a schema registry; `lib/cli/registry_flags.ts` makes it from flags and properties. */
export interface RegistryConfig {
  /** Tried in turn; one at least. */
  urls: readonly RegistryUrl[];
  /** For `https` URLs: authorities to trust, none for those of the host, and a client certificate. */
  tls: TlsConfig;
  /** More headers of each request, such as Confluent Cloud's. */
  headers: Readonly<Record<string, string>>;
  /** How long one thing is tried, milliseconds. */
  timeout: number;
  /** Whether subjects are named by their topics: `TOPIC-value`. */
  namedByTopic: boolean;
  debug(line: string): void;
}

/** What a schema is written in, as a registry names it, in lower case; it may be of other kinds. */
export type SchemaKind = "avro" | "protobuf" | "json";

/** A schema that another one uses: an Avro type's full name, or a .proto file's import path. */
export interface Reference {
  name: string;
  subject: string;
  version: number;
}

/** A text with a name, by which other texts refer to it. */
export interface NamedText {
  name: string;
  text: string;
}

/** A schema with all that it needs. */
export interface RegistrySchema {
  id: number;
  kind: SchemaKind | string;
  text: string;
  /** What it uses, directly or not, each after what it uses itself. */
  references: readonly NamedText[];
}

/** The registry does not have it: why, for a message, such as `the registry has no schema 7`. */
export interface Missing {
  missing: string;
}
