/** Tokens for Amazon MSK with IAM: a URL that AWS would let this client call, signed. */
import { Failure } from "../../failure.ts";
import { Secret } from "../../secret.ts";
import { base64url } from "../tokens/jwt.ts";
import { type AwsCredentials, presignedUrl } from "./sigv4.ts";

/** How long such a token is good, seconds: what AWS's own signers have. */
const LIFETIME = 900;

/**
 * The token for a region's brokers, as AWS's signers for OAUTHBEARER make it
 * (https://github.com/aws/aws-msk-iam-sasl-signer-python).
 */
export async function mskToken(
  region: string,
  credentials: AwsCredentials,
  at = new Date(),
): Promise<Secret> {
  const url = await presignedUrl({
    method: "GET",
    url: `https://kafka.${region}.amazonaws.com/?Action=kafka-cluster%3AConnect`,
    headers: {},
    body: "",
    region,
    service: "kafka-cluster",
    credentials,
    at,
  }, LIFETIME);
  return new Secret(base64url(new TextEncoder().encode(`${url}&User-Agent=gpdb-kafka`)));
}

/** The region in the name of an MSK broker; null if the name is another. */
export function regionOf(host: string): string | null {
  return /\.([a-z]{2}(?:-[a-z]+)+-\d+)\.amazonaws\.com(?:\.cn)?\.?$/i.exec(host)?.[1] ?? null;
}

/** The region of a broker, or the one that the environment names. Throws Failure (usage). */
export function regionFor(host: string, otherwise: string | null): string {
  const region = regionOf(host) ?? otherwise;
  if (region !== null) return region;
  throw new Failure(
    "usage",
    `cannot find the AWS region of broker ${host}: its name has none — set env AWS_REGION`,
  );
}
