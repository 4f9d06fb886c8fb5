import { Failure } from "../failure.ts";
import { pause } from "../waiting.ts";
import {
  type Described,
  MOST_REFERENCES,
  readNumber,
  readSchema,
  readVersions,
} from "./answers.ts";
import type { Missing, NamedText, Reference, RegistryConfig, RegistrySchema } from "./config.ts";
import { PassingError } from "../kafka/fetching.ts";
import { type Answer, type Call, Http } from "./http.ts";

const FIRST_WAIT = 50;
const LONGEST_WAIT = 1000;
/** A schema and all it refers to, characters at most. */
const LARGEST_SCHEMA = 16 * 1024 * 1024;
/** After this time an id that was unknown is asked for again, milliseconds. */
const MISSING_FOR = 60_000;
/** Unknown ids that are remembered: a topic of another registry has any number of them. */
const MOST_MISSING = 10_000;

const NO_SUBJECT = 40401;
const NO_VERSION = 40402;
const NO_SCHEMA = 40403;

/** A schema as a program that registers it gives it. */
export interface NewSchema {
  kind: string;
  text: string;
  references?: readonly Reference[];
}

/**
 * A schema registry with Confluent's API. A schema is fetched once; those who ask for it meanwhile
 * wait for the same answer. Each call tries the URLs in turn, again and again, until the config's
 * timeout is over; then, and where no further try helps, it throws Failure: (denied) for a login or
 * certificate that is rejected, else (broker). Whatever the registry answers is checked.
 */
export class Registry {
  readonly #config: RegistryConfig;
  readonly #http: Http;
  /** The URL that answered last, an index. */
  #current = 0;
  readonly #schemas = new Map<number, Promise<RegistrySchema | Missing>>();
  readonly #missing = new Map<number, { reason: string; until: number }>();
  readonly #referred = new Map<string, Promise<Described | Missing>>();

  constructor(config: RegistryConfig) {
    this.#config = config;
    this.#http = new Http(config);
  }

  close(): void {
    this.#http.close();
  }

  /** The schema of an id, with all it refers to, or why the registry does not have it. */
  async schema(id: number): Promise<RegistrySchema | Missing> {
    const missing = this.#missing.get(id);
    if (missing !== undefined && missing.until > performance.now()) {
      return { missing: missing.reason };
    }
    const known = this.#schemas.get(id);
    if (known !== undefined) return await known;
    const asked = this.#fetchSchema(id);
    this.#schemas.set(id, asked);
    try {
      const schema = await asked;
      if ("missing" in schema) this.#remember(id, schema.missing);
      return schema;
    } catch (error) {
      // The next to ask for it tries again.
      this.#schemas.delete(id);
      throw error;
    }
  }

  /** The numbers of a subject's versions, as the registry orders them; null: it has no such subject. */
  async versions(subject: string): Promise<number[] | null> {
    const failed = `cannot list the versions of subject "${subject}"`;
    const answer = await this.#call(failed, { path: `${subjectPath(subject)}/versions` });
    if (isMissing(answer, NO_SUBJECT)) return null;
    return readVersions(this.#result(answer, failed), failed);
  }

  /** A version of a subject, with all it refers to, or why the registry does not have it. */
  async version(subject: string, version: number | "latest"): Promise<RegistrySchema | Missing> {
    const failed = `cannot get version ${version} of subject "${subject}"`;
    const path = `${subjectPath(subject)}/versions/${version}`;
    const answer = await this.#call(failed, { path });
    if (isMissing(answer, NO_SUBJECT, NO_VERSION)) {
      return { missing: `the registry has no version ${version} of subject "${subject}"` };
    }
    const body = this.#result(answer, failed);
    const id = readNumber(body, "id", failed);
    const schema = await this.#complete(id, readSchema(body, failed), failed);
    if (!("missing" in schema) && !this.#schemas.has(id)) {
      this.#schemas.set(id, Promise.resolve(schema));
    }
    return schema;
  }

  /**
   * Registers a schema under a subject, unless it is, and returns its id. Throws Failure (usage) if
   * the registry finds it invalid, or not compatible with the versions before it.
   */
  async register(subject: string, schema: NewSchema): Promise<number> {
    const failed = `cannot register the schema under subject "${subject}"`;
    const path = `${subjectPath(subject)}/versions`;
    const answer = await this.#call(failed, { path, body: schemaBody(schema) });
    return readNumber(this.#result(answer, failed), "id", failed);
  }

  /** The id and version of a schema that is registered under a subject; null: it is not. */
  async lookUp(
    subject: string,
    schema: NewSchema,
  ): Promise<{ id: number; version: number } | null> {
    const failed = `cannot look the schema up under subject "${subject}"`;
    const call = { path: subjectPath(subject), body: schemaBody(schema) };
    const answer = await this.#call(failed, call);
    if (isMissing(answer, NO_SUBJECT, NO_SCHEMA)) return null;
    const body = this.#result(answer, failed);
    return {
      id: readNumber(body, "id", failed),
      version: readNumber(body, "version", failed),
    };
  }

  async #fetchSchema(id: number): Promise<RegistrySchema | Missing> {
    const failed = `cannot get schema ${id}`;
    const answer = await this.#call(failed, { path: `/schemas/ids/${id}` });
    // Some registries say of a schema's id what others say of a version or subject.
    if (isMissing(answer, NO_SCHEMA, NO_SUBJECT, NO_VERSION)) {
      return { missing: `the registry has no schema ${id}` };
    }
    return await this.#complete(id, readSchema(this.#result(answer, failed), failed), failed);
  }

  #remember(id: number, reason: string): void {
    this.#schemas.delete(id);
    this.#missing.delete(id);
    this.#missing.set(id, { reason, until: performance.now() + MISSING_FOR });
    if (this.#missing.size > MOST_MISSING) {
      const [oldest] = this.#missing.keys();
      this.#missing.delete(oldest);
    }
  }

  /** Fetches what a schema refers to: depth first, each once, so that each comes after what it uses. */
  async #complete(
    id: number,
    { kind, text, references }: Described,
    failed: string,
  ): Promise<RegistrySchema | Missing> {
    const found: NamedText[] = [];
    const met = new Set<string>();
    let size = text.length;
    /** What is missing, if anything. */
    const follow = async (references: readonly Reference[]): Promise<Missing | null> => {
      for (const reference of references) {
        const { name } = reference;
        // By name, as those who refer to it do; one that refers to itself is met already.
        if (met.has(name)) continue;
        met.add(name);
        const schema = await this.#reference(reference);
        if ("missing" in schema) {
          return { missing: `schema ${id} refers to "${name}", and ${schema.missing}` };
        }
        size += schema.text.length;
        if (size > LARGEST_SCHEMA || met.size > MOST_REFERENCES) {
          throw new Failure("broker", `${failed}: it refers to too many or too large schemas`);
        }
        const missing = await follow(schema.references);
        if (missing !== null) return missing;
        found.push({ name, text: schema.text });
      }
      return null;
    };
    return await follow(references) ?? { id, kind, text, references: found };
  }

  #reference({ subject, version }: Reference): Promise<Described | Missing> {
    const key = `${version} ${subject}`;
    const known = this.#referred.get(key);
    if (known !== undefined) return known;
    const asked = this.#fetchReference(subject, version);
    this.#referred.set(key, asked);
    const forget = () => this.#referred.delete(key);
    asked.then((schema) => "missing" in schema && forget(), forget);
    return asked;
  }

  async #fetchReference(subject: string, version: number): Promise<Described | Missing> {
    const failed = `cannot get version ${version} of subject "${subject}"`;
    // A version that was deleted is still what the schema refers to.
    const path = `${subjectPath(subject)}/versions/${version}?deleted=true`;
    const answer = await this.#call(failed, { path });
    if (isMissing(answer, NO_SUBJECT, NO_VERSION)) {
      return { missing: `the registry has no version ${version} of subject "${subject}"` };
    }
    return readSchema(this.#result(answer, failed), failed);
  }

  /** The body of a result. Throws Failure (usage) with what the registry has against the request. */
  #result({ errorCode, message, body }: Answer, failed: string): unknown {
    if (errorCode === 0) return body;
    throw new Failure(
      "usage",
      `${failed}: ${message || "the registry gives no reason"} (${errorCode})`,
    );
  }

  async #call(failed: string, call: Call): Promise<Answer> {
    const { urls, timeout, debug } = this.#config;
    const until = performance.now() + timeout;
    const reasons = new Map<string, string>();
    let wait = FIRST_WAIT;
    while (true) {
      let delay = wait;
      const first = this.#current;
      for (let i = 0; i < urls.length; i++) {
        const left = until - performance.now();
        if (left <= 0) break;
        const index = (first + i) % urls.length;
        try {
          // A URL that is silent leaves time for the others.
          const answer = await this.#http.try(urls[index], call, left / (urls.length - i));
          this.#current = index;
          return answer;
        } catch (error) {
          if (error instanceof Failure) {
            throw new Failure(error.kind, `${failed}: ${error.message}`);
          }
          if (!(error instanceof PassingError)) throw error;
          reasons.set(urls[index].base, error.message);
          delay = Math.max(delay, error.retryAfter);
          debug(`${failed}: ${error.message}`);
        }
      }
      if (performance.now() + delay > until) {
        const why = [...reasons.values()].join("; ");
        throw new Failure("broker", `${failed}: ${why} (tried for ${timeout / 1000} s)`);
      }
      await pause(delay);
      wait = Math.min(2 * wait, LONGEST_WAIT);
    }
  }
}

function isMissing({ errorCode }: Answer, ...codes: number[]): boolean {
  return codes.includes(errorCode);
}

function subjectPath(subject: string): string {
  return `/subjects/${encodeURIComponent(subject)}`;
}

function schemaBody({ kind, text, references = [] }: NewSchema): Record<string, unknown> {
  return {
    // Avro is the default, and old registries know no other.
    ...(kind === "avro" ? {} : { schemaType: kind.toUpperCase() }),
    schema: text,
    ...(references.length > 0 ? { references } : {}),
  };
}
