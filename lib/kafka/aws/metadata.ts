/** Credentials that a container or a machine of AWS has. */
import { Failure, systemReason } from "../../failure.ts";
import { Secret, shownPath } from "../../secret.ts";
import { ConnectionError } from "../connection_error.ts";
import { type Answer, ask, jsonObject, shownUrl } from "../tokens/ask.ts";
import { askLocally } from "../tokens/ask_locally.ts";
import type { Env } from "../config.ts";
import type { AwsCredentials } from "./sigv4.ts";

const failed = "cannot get AWS credentials";

/** Where containers may ask without TLS: addresses that lead nowhere else. */
const LOCAL = /^(127\.\d+\.\d+\.\d+|localhost|\[::1\]|169\.254\.170\.(2|23)|\[fd00:ec2::23\])$/;

/**
 * Credentials of a task of ECS, or of a pod of EKS
 * (https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html); null if the
 * environment names none. Throws ConnectionError if another try may help, else Failure.
 */
export async function containerCredentials(
  env: Env,
  limit: number,
): Promise<AwsCredentials | null> {
  const relative = env("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
  const full = env("AWS_CONTAINER_CREDENTIALS_FULL_URI");
  const url = relative ? `http://169.254.170.2${relative}` : full;
  if (!url) return null;
  const { protocol, hostname } = URL.canParse(url) ? new URL(url) : { protocol: "", hostname: "" };
  const https = protocol === "https:";
  if (!https && !(protocol === "http:" && LOCAL.test(hostname))) {
    throw new Failure(
      "usage",
      "AWS_CONTAINER_CREDENTIALS_FULL_URI is not https://…, nor http:// on this machine",
    );
  }
  const authorization = await containerToken(env);
  const headers: Record<string, string> = authorization
    ? { authorization: authorization.reveal() }
    : {};
  const answer = https
    ? await ask({
      ...{ failed, url, method: "GET", headers, limit },
      authorities: [],
      authoritiesName: "env SSL_CERT_FILE",
    })
    : await askLocally({ failed, url, method: "GET", headers, limit });
  return credentialsIn(answer, shownUrl(url));
}

async function containerToken(env: Env): Promise<Secret | null> {
  const file = env("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
  const token = file ? await readToken(file) : env("AWS_CONTAINER_AUTHORIZATION_TOKEN");
  if (!token) return null;
  if (/^[\x20-\x7e]+$/.test(token)) return new Secret(token);
  throw new Failure("usage", "the container's authorization token is not valid");
}

async function readToken(file: string): Promise<string> {
  try {
    return (await Deno.readTextFile(file)).trim();
  } catch (error) {
    const name = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE";
    const why = systemReason(error);
    throw new Failure("usage", `${name}: cannot read ${shownPath(file)}: ${why}`);
  }
}

/** How long a machine's metadata service may take: on other machines nothing answers. */
const METADATA_LIMIT = 2000;
const ROLES = "/latest/meta-data/iam/security-credentials/";

/**
 * Credentials of the role of a machine of EC2, by version 2 of its metadata service
 * (https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html); null if it
 * has no role, or this is turned off. Throws ConnectionError, Failure.
 */
export async function instanceCredentials(
  env: Env,
  limit: number,
): Promise<AwsCredentials | null> {
  if (env("AWS_EC2_METADATA_DISABLED")?.toLowerCase() === "true") return null;
  const ipv6 = env("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE")?.toLowerCase() === "ipv6";
  const base = env("AWS_EC2_METADATA_SERVICE_ENDPOINT") ||
    (ipv6 ? "http://[fd00:ec2::254]" : "http://169.254.169.254");
  if (!/^http:\/\//i.test(base) || !URL.canParse(base)) {
    throw new Failure("usage", "AWS_EC2_METADATA_SERVICE_ENDPOINT is not http://…");
  }
  const url = base.replace(/\/+$/, "");
  const get = (path: string, method: "GET" | "PUT", headers: Record<string, string>) => {
    const options = { method, headers, limit: Math.min(limit, METADATA_LIMIT) };
    return askLocally({ failed, url: url + path, ...options });
  };
  const ttl = { "x-aws-ec2-metadata-token-ttl-seconds": "21600" };
  const token = await get("/latest/api/token", "PUT", ttl);
  if (token.status !== 200) throw unfit(token, url);
  const headers = { "x-aws-ec2-metadata-token": new Secret(token.text.trim()).reveal() };
  const roles = await get(ROLES, "GET", headers);
  const role = roles.text.trim().split("\n")[0];
  if (roles.status === 404 || role === "") return null;
  if (roles.status !== 200) throw unfit(roles, url);
  return credentialsIn(await get(ROLES + encodeURIComponent(role), "GET", headers), url);
}

function credentialsIn(answer: Answer, name: string): AwsCredentials {
  const found = jsonObject(answer.text);
  const { AccessKeyId: id, SecretAccessKey: secret, Token: token, Expiration: end } = found ?? {};
  const text = (value: unknown) => typeof value === "string" && value !== "";
  if (answer.status !== 200 || !text(id) || !text(secret)) throw unfit(answer, name);
  const expires = Date.parse(String(end));
  return {
    accessKeyId: id as string,
    secretAccessKey: new Secret(secret as string),
    sessionToken: text(token) ? new Secret(token as string) : null,
    expires: Number.isNaN(expires) ? null : expires,
  };
}

/** A service that is starting answers with errors, too: so another try may help. */
function unfit({ status, text }: Answer, name: string): ConnectionError {
  const code = jsonObject(text)?.Code ?? jsonObject(text)?.code;
  const said = typeof code === "string" && /^\w{1,60}$/.test(code) ? `: ${code}` : "";
  const what = status === 200 ? "without credentials" : `HTTP ${status}`;
  return new ConnectionError(`${failed}: ${name} answers ${what}${said}`);
}
