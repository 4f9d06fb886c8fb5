/** Planted secrets: each way to log in, with each kind of program, when it works and when not. */
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { encryptKey } from "../support/certificates.ts";
import { clientSecret, startIdentityProvider } from "../support/identity_provider.ts";
import { createTopic, produce, uniqueName } from "../support/kafka.ts";
import { connectionString, owner, startLoginBroker } from "../support/login_broker.ts";
import { MARK, type Planted, runAll, S, withFolder } from "../support/planted_secrets.ts";

for (const secret of [clientSecret, owner.password, connectionString]) {
  assert.ok(secret.includes(MARK));
}

Deno.test("secrets: no way to log in shows one, whether it works or not", () =>
  withFolder(async (folder) => {
    await using idp = await startIdentityProvider();
    await using broker = await startLoginBroker(idp);
    const topic = uniqueName("secret");
    await createTopic(broker, topic);
    await produce(broker, topic, [{ value: "1" }]);
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const pem = String(privateKey.export({ type: "pkcs8", format: "pem" }));
    const key = `${folder}/key.pem`;
    await Deno.writeTextFile(key, encryptKey(pem, S));
    const oidc = (path: string, secret = clientSecret) => ({
      "sasl.mechanism": "OAUTHBEARER",
      "sasl.oauthbearer.method": "oidc",
      "sasl.oauthbearer.client.id": "loader",
      "sasl.oauthbearer.client.secret": secret,
      "sasl.oauthbearer.token.endpoint.url": idp.url + path,
      "sasl.oauthbearer.extensions": `pool=${S}`,
    });
    const assertion = (passphrase: string, path = "/token") => ({
      ...oidc(path),
      "sasl.oauthbearer.assertion.algorithm": "ES256",
      "sasl.oauthbearer.assertion.private.key.file": key,
      "sasl.oauthbearer.assertion.private.key.passphrase": passphrase,
    });
    const module = "org.apache.kafka.common.security";
    const jaas = (options: string) =>
      `${module}.oauthbearer.OAuthBearerLoginModule required ${options};`;
    const aws = {
      AWS_ACCESS_KEY_ID: "AKID",
      AWS_SECRET_ACCESS_KEY: S,
      AWS_SESSION_TOKEN: `${S}/token`,
      AWS_REGION: "eu-west-1",
    };
    // A listener, properties, the exit status, and the environment.
    const ways: [string, Record<string, string>, number, Record<string, string>?][] = [
      ["OAUTH", oidc("/token"), 0],
      ["OAUTH", oidc("/token", `wrong-${S}`), 77],
      ["OAUTH", oidc("/echo"), 77],
      ["OAUTH", oidc("/html"), 69],
      ["OAUTH", oidc("/redirect"), 69],
      ["OAUTH", oidc("/other-audience"), 77],
      ["OAUTH", assertion(S), 0],
      ["OAUTH", assertion(S, "/echo"), 77],
      ["OAUTH", assertion(`wrong-${S}`), 64],
      ["OAUTH", {
        "sasl.mechanism": "OAUTHBEARER",
        "sasl.jaas.config": jaas(`clientId="loader" clientSecret="${S}"`),
        "sasl.oauthbearer.token.endpoint.url": `${idp.url}/token`,
      }, 77],
      ["OAUTH", {
        "sasl.mechanism": "OAUTHBEARER",
        "sasl.jaas.config": jaas(`clientId="loader" "${S}"="x"`),
        "sasl.oauthbearer.token.endpoint.url": `${idp.url}/token`,
      }, 64],
      ["OAUTH", {
        ...oidc("/token"),
        "sasl.oauthbearer.token.endpoint.url": `https://user:${S}@idp.example/token`,
      }, 64],
      ["OAUTH", { ...oidc("/token"), "sasl.oauthbearer.assertion.file": S }, 64],
      ["OAUTH", { "sasl.mechanism": "AWS_MSK_IAM" }, 77, aws],
      ["OWNER", {
        "sasl.mechanism": "SCRAM-SHA-256",
        "sasl.jaas.config":
          `${module}.scram.ScramLoginModule required username="id" password="${S}" tokenauth="true";`,
      }, 77],
      ["HUBS", {
        "sasl.mechanism": "PLAIN",
        "sasl.username": "$ConnectionString",
        "sasl.password": connectionString,
      }, 0],
      ["HUBS", {
        "sasl.mechanism": "PLAIN",
        "sasl.username": "$ConnectionString",
        "sasl.password": connectionString.replace("/w==", `/${S}`),
      }, 77],
    ];
    const planted: Planted[] = [];
    for (const [i, [listener, properties, code, env = {}]] of ways.entries()) {
      const file = `${folder}/${i}.properties`;
      const all = { "security.protocol": "SASL_PLAINTEXT", ...properties };
      await Deno.writeTextFile(file, Object.entries(all).map((p) => p.join("=")).join("\n"));
      const at = ["-b", broker.listeners[listener], "-F", file, "--timeout", "20s"];
      const codes = [code];
      planted.push({ program: "consumer", args: ["-t", topic, "-o", "0", ...at], env, codes });
      // What is said is of the same code: one more program for each, in turn.
      const more: Planted[] = [
        { program: "producer", args: ["-t", topic, ...at], stdin: "2\n", env, codes },
        { args: ["topics", "list", ...at], env, codes },
        { args: ["doctor", "-t", topic, ...at], env, codes: [code === 0 ? 0 : 1] },
      ];
      planted.push(more[i % more.length]);
    }
    await runAll(planted, folder);
    // Nor is any token in a log, where -v says all that it has.
    assert.ok(idp.given.length > 5);
    for await (const { name } of Deno.readDir(folder)) {
      if (!name.endsWith(".log")) continue;
      const log = await Deno.readTextFile(`${folder}/${name}`);
      for (const token of idp.given) assert.ok(!log.includes(token), `${name}: ${log}`);
    }
  }));
