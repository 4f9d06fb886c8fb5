/** The judge of Java's property names for tokens: Java's own client, given the same file. */
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { consumer, text } from "../support/cli.ts";
import { type Asked, clientSecret, startIdentityProvider } from "../support/identity_provider.ts";
import { createTopic, produce, uniqueName } from "../support/kafka.ts";
import { startLoginBroker } from "../support/login_broker.ts";

const names = "org.apache.kafka.common.security.oauthbearer";

/** What was asked, without what differs from one time to another: times and signatures. */
function comparable({ path, authorization, form }: Asked) {
  const fields = Object.fromEntries(form);
  const { assertion } = fields;
  if (assertion === undefined) return { path, authorization, fields };
  const [header, payload] = assertion.split(".").slice(0, 2)
    .map((part) => JSON.parse(atob(part.replaceAll("-", "+").replaceAll("_", "/"))));
  for (const claim of ["iat", "nbf", "exp"]) assert.equal(typeof payload[claim], "number", claim);
  const { iat: _iat, nbf: _nbf, exp: _exp, ...claims } = payload;
  return { path, authorization, fields: { ...fields, assertion: "" }, header, claims };
}

Deno.test("logins: for the same file Java's client asks for a token in the same way", async (t) => {
  await using idp = await startIdentityProvider();
  await using broker = await startLoginBroker(idp);
  const topic = uniqueName("java");
  await createTopic(broker, topic);
  await produce(broker, topic, [{ value: "1,a" }]);
  const key = `${broker.folder}/key.pem`;
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  await Deno.writeTextFile(key, String(privateKey.export({ type: "pkcs8", format: "pem" })));
  const url = `${idp.url}/token`;
  const common = `security.protocol=SASL_PLAINTEXT
sasl.mechanism=OAUTHBEARER
sasl.login.callback.handler.class=${names}.OAuthBearerLoginCallbackHandler
sasl.oauthbearer.token.endpoint.url=${url}
`;
  const files: Record<string, string> = {
    "a client in JAAS": `sasl.jaas.config=${names}.OAuthBearerLoginModule required \\
  clientId="loader" clientSecret="${clientSecret}" scope="kafka read" \\
  extension_pool="p";
`,
    "a client in properties": `sasl.jaas.config=${names}.OAuthBearerLoginModule required;
sasl.oauthbearer.jwt.retriever.class=${names}.ClientCredentialsJwtRetriever
sasl.oauthbearer.client.credentials.client.id=loader
sasl.oauthbearer.client.credentials.client.secret=${clientSecret}
sasl.login.read.timeout.ms=20000
sasl.login.refresh.window.factor=0.7
`,
    "an assertion": `sasl.jaas.config=${names}.OAuthBearerLoginModule required;
sasl.oauthbearer.jwt.retriever.class=${names}.JwtBearerJwtRetriever
sasl.oauthbearer.assertion.private.key.file=${key}
sasl.oauthbearer.assertion.claim.iss=me
sasl.oauthbearer.assertion.claim.sub=service
sasl.oauthbearer.assertion.claim.aud=provider
sasl.oauthbearer.scope=kafka
`,
  };
  for (const [name, text_] of Object.entries(files)) {
    await t.step({
      name,
      // Kafka 3.9 has none of the newer names.
      ignore: broker.version.startsWith("3.") && text_.includes("jwt.retriever"),
      fn: async () => {
        const file = `${broker.folder}/${crypto.randomUUID()}.properties`;
        await Deno.writeTextFile(file, common + text_);
        const address = broker.listeners.OAUTH;
        idp.asked.length = 0;
        const run = await consumer(["-b", address, "-t", topic, "-o", "0", "-F", file]);
        assert.deepEqual([run.code, run.stderr, text(run.stdout)], [0, "", "1,a\n"]);
        const [ours] = idp.asked.splice(0);
        const java = await broker.run("org.apache.kafka.tools.consumer.ConsoleConsumer", [
          ...["--bootstrap-server", address, "--topic", topic, "--from-beginning"],
          ...["--max-messages", "1", "--timeout-ms", "30000", "--consumer.config", file],
        ], {
          jvm: [
            `-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls=${url}`,
            `-Dorg.apache.kafka.sasl.oauthbearer.allowed.files=${key}`,
          ],
        });
        assert.match(text(java.stdout), /^1,a$/m, java.stderr);
        assert.deepEqual(comparable(ours), comparable(idp.asked[0]));
      },
    });
  }
});
