/**
 * Where AWS's credentials come from, in the order of AWS's own programs
 * (https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html).
 */
import { Failure, systemReason } from "../../failure.ts";
import { Secret, shownPath } from "../../secret.ts";
import type { Env } from "../config.ts";
import { ConnectionError } from "../connection_error.ts";
import { containerCredentials, instanceCredentials } from "./metadata.ts";
import { type Profile, readProfiles } from "./profiles.ts";
import type { AwsCredentials } from "./sigv4.ts";
import { assumeRole, assumeRoleWithWebIdentity, type Role } from "./sts.ts";

/** What is chosen by properties; the environment says the rest. */
export interface AwsOptions {
  /** Of the shared files; null: AWS_PROFILE, else `default`. */
  profile: string | null;
  /** A role to assume with the credentials found. */
  role: { arn: string; sessionName: string | null; externalId: string | null } | null;
  /** Those to assume it with; null: found as always. */
  own: AwsCredentials | null;
  stsRegion: string | null;
  /** PEM, for STS; without any, those of the host. */
  authorities: readonly string[];
}

/** Credentials are replaced this long before their end, milliseconds. */
const MARGIN = 300_000;
/** Profiles that name each other end here. */
const MOST_PROFILES = 10;

/** One client's credentials, kept until shortly before their end. */
export class CredentialsKeeper {
  readonly #options: AwsOptions;
  readonly #env: Env;
  /** Of this process: brokers reject a login that is renewed under another name. */
  readonly #sessionName = `gpdb-kafka-${crypto.randomUUID().slice(0, 8)}`;
  #kept: AwsCredentials | null = null;

  constructor(options: AwsOptions, env: Env) {
    this.#options = options;
    this.#env = env;
  }

  /** Credentials for `region`. Throws ConnectionError if another try may help, else Failure. */
  async get(region: string, limit: number): Promise<AwsCredentials> {
    const end = this.#kept?.expires ?? 0;
    if (this.#kept && Date.now() < end - MARGIN) return this.#kept;
    try {
      this.#kept = await this.#find(region, limit);
    } catch (error) {
      if (!(error instanceof ConnectionError) || Date.now() >= end) throw error;
    }
    return this.#kept!;
  }

  /** The region that the environment or the profile names. */
  async region(): Promise<string | null> {
    const named = this.#env("AWS_REGION") || this.#env("AWS_DEFAULT_REGION");
    if (named) return named;
    return (await readProfiles(this.#env)).get(this.#profileName)?.get("region") ?? null;
  }

  get #profileName(): string {
    return this.#options.profile ?? (this.#env("AWS_PROFILE") || "default");
  }

  async #find(region: string, limit: number): Promise<AwsCredentials> {
    const { role, own } = this.#options;
    const base = own ?? await this.#base(region, limit);
    if (role === null) return base;
    return await assumeRole(this.#role(role, region, limit), base);
  }

  async #base(region: string, limit: number): Promise<AwsCredentials> {
    const env = this.#env;
    const { profile } = this.#options;
    if (profile === null) {
      const found = fromEnvironment(env) ?? await this.#webIdentity(
        ...[env("AWS_WEB_IDENTITY_TOKEN_FILE"), env("AWS_ROLE_ARN")] as const,
        ...[env("AWS_ROLE_SESSION_NAME"), region, limit] as const,
      );
      if (found) return found;
    }
    const inFiles = await this.#ofProfile(this.#profileName, region, limit);
    if (inFiles) return inFiles;
    const named = profile ?? env("AWS_PROFILE");
    if (named) {
      throw new Failure("usage", `AWS profile "${named}" has no credentials, or does not exist`);
    }
    return await containerCredentials(env, limit) ?? await this.#ofInstance(limit);
  }

  async #ofInstance(limit: number): Promise<AwsCredentials> {
    const failed =
      "cannot find AWS credentials: not in env AWS_ACCESS_KEY_ID, not by AWS_ROLE_ARN, not in " +
      'profile "default" of ~/.aws, not by AWS_CONTAINER_CREDENTIALS_…; the machine:';
    try {
      const found = await instanceCredentials(this.#env, limit);
      if (found) return found;
    } catch (error) {
      if (!(error instanceof ConnectionError)) throw error;
      const why = error.message.replace(/^cannot get AWS credentials: /, "");
      throw new ConnectionError(`${failed} ${why}`);
    }
    throw new Failure("denied", `${failed} it has no role`);
  }

  /** What a profile names; null if it does not exist, or names none. */
  async #ofProfile(
    name: string,
    region: string,
    limit: number,
    depth = 0,
  ): Promise<AwsCredentials | null> {
    const profile = (await readProfiles(this.#env)).get(name);
    if (!profile) return null;
    const get = (key: string) => profile.get(key) || undefined;
    const keys = fromProfile(profile);
    const arn = get("role_arn");
    const session = get("role_session_name");
    if (arn === undefined) {
      if (keys) return keys;
      const way = ["sso_session", "sso_start_url", "credential_process"].find((key) => get(key));
      if (way === undefined) return null;
      throw new Failure(
        "usage",
        `AWS profile "${name}": ${way} is not supported — use aws configure export-credentials, or ` +
          "a role",
      );
    }
    const identity = get("web_identity_token_file");
    if (identity) return await this.#webIdentity(identity, arn, session, region, limit);
    const { source_profile: source, credential_source: place } = Object.fromEntries(profile);
    if (depth >= MOST_PROFILES) throw new Failure("usage", `AWS profile "${name}" names itself`);
    const base = source === name
      ? keys
      : source
      ? await this.#ofProfile(source, region, limit, depth + 1)
      : await this.#ofPlace(place, limit);
    if (!base) {
      const what = source ? `source_profile "${source}"` : "credential_source";
      throw new Failure("usage", `AWS profile "${name}": its ${what} has no credentials`);
    }
    const externalId = get("external_id") ?? null;
    const role = { arn, sessionName: session ?? null, externalId };
    return await assumeRole(this.#role(role, get("region") ?? region, limit), base);
  }

  async #ofPlace(place: string | undefined, limit: number): Promise<AwsCredentials | null> {
    if (place === "Environment") return fromEnvironment(this.#env);
    if (place === "EcsContainer") return await containerCredentials(this.#env, limit);
    if (place === "Ec2InstanceMetadata") return await instanceCredentials(this.#env, limit);
    return null;
  }

  async #webIdentity(
    file: string | undefined,
    arn: string | undefined,
    session: string | undefined,
    region: string,
    limit: number,
  ): Promise<AwsCredentials | null> {
    if (!file || !arn) return null;
    let token: string;
    try {
      token = (await Deno.readTextFile(file)).trim();
    } catch (error) {
      const why = systemReason(error);
      throw new Failure("usage", `cannot read the web identity ${shownPath(file)}: ${why}`);
    }
    const role = { arn, sessionName: session ?? null, externalId: null };
    return await assumeRoleWithWebIdentity(this.#role(role, region, limit), new Secret(token));
  }

  #role(role: NonNullable<AwsOptions["role"]>, region: string, limit: number): Role {
    const env = this.#env;
    return {
      ...role,
      sessionName: role.sessionName ?? (env("AWS_ROLE_SESSION_NAME") || this.#sessionName),
      region: this.#options.stsRegion ?? region,
      endpoint: env("AWS_ENDPOINT_URL_STS") || env("AWS_ENDPOINT_URL") || null,
      ...{ authorities: this.#options.authorities, limit },
    };
  }
}

function fromEnvironment(env: Env): AwsCredentials | null {
  const [id, secret] = [env("AWS_ACCESS_KEY_ID"), env("AWS_SECRET_ACCESS_KEY")];
  if (!id || !secret) return null;
  return credentials(id, secret, env("AWS_SESSION_TOKEN"));
}

function fromProfile(profile: Profile): AwsCredentials | null {
  const [id, secret] = [profile.get("aws_access_key_id"), profile.get("aws_secret_access_key")];
  return id && secret ? credentials(id, secret, profile.get("aws_session_token")) : null;
}

/** Keys without an end. */
export function credentials(id: string, secret: string, token?: string): AwsCredentials {
  return {
    accessKeyId: id,
    secretAccessKey: new Secret(secret),
    sessionToken: token ? new Secret(token) : null,
    expires: null,
  };
}
