import type { BearerConfig, Env } from "../kafka/config.ts";
import { credentials, CredentialsKeeper } from "../kafka/aws/credentials.ts";
import { mskToken, regionFor, regionOf } from "../kafka/aws/msk.ts";
import { checkOptions, type LoginModule } from "./jaas.ts";
import { httpsAuthorities } from "./oidc.ts";
import type { Properties } from "./properties.ts";

/** The options of aws-msk-iam-auth's login module; the last ones say how it tries again and logs. */
const options = [
  ...["awsProfileName", "awsRoleArn", "awsRoleSessionName", "awsRoleExternalId", "awsStsRegion"],
  ...["awsRoleAccessKeyId", "awsRoleSecretAccessKey", "awsRoleSessionToken"],
  ...["awsAddDefaultProviders", "awsMaxRetries", "awsMaxBackOffTimeMs", "awsDebugCreds"],
];

/**
 * The login of Amazon MSK with IAM, by the properties of aws-msk-iam-auth. The brokers have two
 * mechanisms for it; this is OAUTHBEARER, which AWS's signers for other languages use. Throws Failure
 * (usage).
 */
export async function mskConfig(
  properties: Properties,
  login: LoginModule | null,
  env: Env,
): Promise<BearerConfig> {
  if (login) checkOptions(login, options);
  const get = (name: string) => login?.options.get(name) || null;
  const arn = get("awsRoleArn");
  const [id, secret] = [get("awsRoleAccessKeyId"), get("awsRoleSecretAccessKey")];
  const keeper = new CredentialsKeeper({
    profile: get("awsProfileName"),
    role: arn
      ? { arn, sessionName: get("awsRoleSessionName"), externalId: get("awsRoleExternalId") }
      : null,
    own: arn && id && secret
      ? credentials(id, secret, get("awsRoleSessionToken") ?? undefined)
      : null,
    stsRegion: get("awsStsRegion"),
    authorities: await httpsAuthorities(properties, null),
  }, env);
  return {
    mechanism: "OAUTHBEARER",
    from: "AWS IAM",
    token: async (host, limit) => {
      const region = regionFor(host, regionOf(host) ?? await keeper.region());
      return await mskToken(region, await keeper.get(region, limit));
    },
    extensions: {},
  };
}
