/**
 * Amazon MSK with IAM, to a scripted broker: no real one is within reach. That the token is what AWS
 * checks is tested against AWS's own signer (tests/unit/kafka/aws).
 */
import assert from "node:assert/strict";
import { consumer, text } from "../support/cli.ts";
import { MARK } from "../support/planted_secrets.ts";
import { scriptedBroker } from "../support/scripted_broker/mod.ts";

const jaas = "software.amazon.msk.auth.iam.IAMLoginModule required";
const handler = "software.amazon.msk.auth.iam.IAMOAuthBearerLoginCallbackHandler";
const bearer = "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required";

const keys = {
  AWS_ACCESS_KEY_ID: "AKIDENV",
  AWS_SECRET_ACCESS_KEY: `secret-${MARK}/x`,
  AWS_SESSION_TOKEN: `token-${MARK}/y`,
  AWS_REGION: "eu-west-1",
  AWS_EC2_METADATA_DISABLED: "true",
  HOME: "/no/home",
};

Deno.test("msk: a login with AWS's keys, by the names that Java's users write", async () => {
  await using kafka = await scriptedBroker({
    topics: { t: 1 },
    sasl: { username: "u", password: "p" },
  });
  const sent: string[] = [];
  const mechanisms: string[] = [];
  let errorCode = 0;
  kafka.on = {
    saslHandshake: (call) => {
      mechanisms.push(call.request.mechanism);
      call.reply.errorCode = 0;
    },
    saslAuthenticate: (call) => {
      sent.push(new TextDecoder().decode(call.request.authBytes as Uint8Array));
      call.reply.errorCode = errorCode;
      call.reply.errorMessage = errorCode === 0 ? null : `[req-1]: Access denied: ${sent.at(-1)}`;
    },
  };
  const read = async (properties: string[], env: Record<string, string> = keys) => {
    const all = ["security.protocol=SASL_PLAINTEXT", ...properties].flatMap((p) => ["-X", p]);
    const run = await consumer(["-b", kafka.bootstrap, "-t", "t", "-o", "0", ...all], { env });
    assert.ok(!(run.stderr + text(run.stdout)).includes(MARK), run.stderr);
    return run;
  };
  const ways = [
    ["sasl.mechanism=AWS_MSK_IAM"],
    [
      "sasl.mechanism=AWS_MSK_IAM",
      `sasl.jaas.config=${jaas} awsDebugCreds=true awsMaxRetries="3";`,
      "sasl.client.callback.handler.class=software.amazon.msk.auth.iam.IAMClientCallbackHandler",
    ],
    [
      "sasl.mechanism=OAUTHBEARER",
      `sasl.jaas.config=${bearer};`,
      `sasl.login.callback.handler.class=${handler}`,
      `sasl.client.callback.handler.class=${handler}`,
    ],
  ];
  for (const way of ways) {
    const run = await read(way);
    assert.deepEqual([run.code, run.stderr], [0, ""]);
    // deno-lint-ignore no-control-regex
    const [, token] = /^n,,\x01auth=Bearer ([\w-]+)\x01\x01$/.exec(sent.at(-1)!) ?? [];
    const url = new URL(atob(token.replaceAll("-", "+").replaceAll("_", "/")));
    assert.equal(url.origin, "https://kafka.eu-west-1.amazonaws.com");
    const credential = url.searchParams.get("X-Amz-Credential")!;
    assert.match(credential, /^AKIDENV\/\d{8}\/eu-west-1\/kafka-cluster\/aws4_request$/);
    assert.equal(url.searchParams.get("X-Amz-Security-Token"), keys.AWS_SESSION_TOKEN);
  }
  assert.deepEqual(new Set(mechanisms), new Set(["OAUTHBEARER"]));

  const msk = ["sasl.mechanism=AWS_MSK_IAM"];
  const profile = [...msk, `sasl.jaas.config=${jaas} awsProfileName="none";`];
  const cases: [string[], Record<string, string>, number, RegExp][] = [
    [profile, keys, 64, /AWS profile "none" has no credentials, or does not exist$/m],
    [
      [...msk, `sasl.jaas.config=${jaas} awsProfilName="x";`],
      keys,
      64,
      /sasl\.jaas\.config: option 1 is unknown — did you mean "awsProfileName"\?$/m,
    ],
    [
      [...msk, "sasl.jaas.config=a.PlainLoginModule required;"],
      keys,
      64,
      /sasl\.mechanism AWS_MSK_IAM requires IAMLoginModule$/m,
    ],
    [msk, { ...keys, AWS_REGION: "" }, 64, /cannot find the AWS region of broker 127\.0\.0\.1: /],
    [
      msk,
      { ...keys, AWS_ACCESS_KEY_ID: "" },
      77,
      /cannot find AWS credentials: not in env .*; the machine: it has no role$/m,
    ],
  ];
  for (const [properties, env, code, message] of cases) {
    const run = await read(properties, env);
    assert.equal(run.code, code, run.stderr);
    assert.match(run.stderr, message);
    assert.equal(run.stderr.split("\n").length, 2, run.stderr);
  }
  errorCode = 58;
  const denied = await read(msk);
  assert.equal(denied.code, 77);
  assert.match(
    denied.stderr,
    /rejects the token of AWS IAM with OAUTHBEARER: \[req-1\]: Access denied: .*Bearer \*\*\*/,
  );
});
