/** Credentials of a role, from AWS's Security Token Service. */
import { Failure } from "../../failure.ts";
import { Secret } from "../../secret.ts";
import { inLine } from "../fetching.ts";
import { ask, shownUrl } from "../tokens/ask.ts";
import { type AwsCredentials, signedHeaders } from "./sigv4.ts";

/** A role, and where it is asked for. */
export interface Role {
  arn: string;
  /** The same at each renewal: a broker rejects another one in the same connection. */
  sessionName: string;
  externalId: string | null;
  region: string;
  /** STS's URL; null: that of the region. */
  endpoint: string | null;
  authorities: readonly string[];
  limit: number;
}

/**
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html. Throws ConnectionError if
 * another try may help, else Failure.
 */
export async function assumeRole(role: Role, credentials: AwsCredentials): Promise<AwsCredentials> {
  const fields = {
    ...{ Action: "AssumeRole", RoleArn: role.arn, RoleSessionName: role.sessionName },
    ...(role.externalId ? { ExternalId: role.externalId } : {}),
  };
  return await call(role, fields, credentials);
}

/** https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html. */
export async function assumeRoleWithWebIdentity(
  role: Role,
  token: Secret,
): Promise<AwsCredentials> {
  const fields = {
    ...{ Action: "AssumeRoleWithWebIdentity", RoleArn: role.arn },
    ...{ RoleSessionName: role.sessionName, WebIdentityToken: token.reveal() },
  };
  return await call(role, fields, null);
}

async function call(
  { region, endpoint, authorities, limit }: Role,
  fields: Record<string, string>,
  credentials: AwsCredentials | null,
): Promise<AwsCredentials> {
  const suffix = region.startsWith("cn-") ? "amazonaws.com.cn" : "amazonaws.com";
  const url = endpoint ?? `https://sts.${region}.${suffix}/`;
  const failed = `cannot assume role "${fields.RoleArn}"`;
  const body = new URLSearchParams({ Version: "2011-06-15", ...fields }).toString();
  const headers = { "content-type": "application/x-www-form-urlencoded; charset=utf-8" };
  const { status, text } = await ask({
    ...{ failed, url, method: "POST", body, authorities, limit },
    authoritiesName: "https.ca.location",
    headers: credentials
      ? await signedHeaders({
        ...{ method: "POST", url, headers, body, region, credentials },
        service: "sts",
        at: new Date(),
      })
      : headers,
  });
  const element = (name: string) => new RegExp(`<${name}>([^<]*)</${name}>`).exec(text)?.[1];
  if (status !== 200) {
    const said = [element("Code"), element("Message")].filter((part) => part)
      .map((part) => `: ${inLine(unescape(part!))}`).join("");
    throw new Failure("denied", `${failed}: ${shownUrl(url)} answers HTTP ${status}${said}`);
  }
  const [id, secret, token] = ["AccessKeyId", "SecretAccessKey", "SessionToken"].map(element);
  const expires = Date.parse(element("Expiration") ?? "");
  if (!id || !secret || !token || Number.isNaN(expires)) {
    throw new Failure("broker", `${failed}: ${shownUrl(url)} does not answer as STS does`);
  }
  return {
    accessKeyId: id,
    secretAccessKey: new Secret(secret),
    sessionToken: new Secret(token),
    expires,
  };
}

function unescape(text: string): string {
  const entities: Record<string, string> = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };
  return text.replaceAll(/&(\w+);/g, (all, name) => entities[name] ?? all);
}
