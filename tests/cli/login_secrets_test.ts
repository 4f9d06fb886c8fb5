/** Planted secrets: each way to log in, with each kind of program, when it works and when not. */
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { encryptKey } from "../support/certificates.ts";
import { clientSecret, startIdentityProvider } from "../support/identity_provider.ts";
import { createTopic, produce, uniqueName } from "../support/kafka.ts";
import {
  connectionString,
  delegationToken,
  owner,
  scramLogin,
  startLoginBroker,
} from "../support/login_broker.ts";
import { MARK, type Planted, runAll, S, withFolder } from "../support/planted_secrets.ts";

for (const secret of [clientSecret, owner.password, connectionString]) {
  assert.ok(secret.includes(MARK));
}

Deno.test("secrets: no way to log in shows one, whether it works or not", () =>
  withFolder(async (folder) => {
    await using idp = await startIdentityProvider();
    await using broker = await startLoginBroker(idp);
    const delegated = await delegationToken(broker);
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
    const granted = {
      "sasl.oauthbearer.grant.type": "urn:ietf:params:oauth:grant-type:jwt-bearer",
    };
    const { "sasl.oauthbearer.client.secret": _, ...noSecret } = oidc("/token");
    const jaas = (options: string) =>
      "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required " +
      `${options};`;
    const scram = (password: string) => ({
      "sasl.mechanism": "SCRAM-SHA-256",
      "sasl.username": owner.name,
      "sasl.password": password,
    });
    const byToken = (password: string) =>
      scramLogin(`username="${delegated.id}" password="${password}" tokenauth="true"`);
    const token = await idp.token({});
    const file = async (name: string, text: string) => {
      await Deno.writeTextFile(`${folder}/${name}`, text);
      return `${folder}/${name}`;
    };
    const bearer = { "sasl.mechanism": "OAUTHBEARER" };
    const msk = { "sasl.mechanism": "AWS_MSK_IAM" };
    const region = { AWS_REGION: "eu-west-1" };
    const aws = { AWS_ACCESS_KEY_ID: "AKID", AWS_SECRET_ACCESS_KEY: S, AWS_SESSION_TOKEN: S };
    const profile = `[default]\naws_access_key_id=A\naws_secret_access_key=${S}\n`;
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
      ["OAUTH", { ...assertion(S, "/echo"), ...granted }, 77],
      ["OAUTH", {
        ...oidc("/echo"),
        "sasl.oauthbearer.assertion.file": await file("assertion.jwt", `${S}.${token}`),
      }, 77],
      ["OAUTH", noSecret, 0, { KAFKA_OAUTHBEARER_CLIENT_SECRET: clientSecret }],
      ["OAUTH", { ...bearer, "sasl.oauthbearer.token.file": await file("token.jwt", token) }, 0],
      ["OAUTH", bearer, 0, { KAFKA_OAUTHBEARER_TOKEN: token }],
      ["OAUTH", bearer, 77, { KAFKA_OAUTHBEARER_TOKEN: `${S}.${token}` }],
      ["OAUTH", msk, 77, { ...region, ...aws }],
      ["OAUTH", msk, 77, {
        ...region,
        AWS_SHARED_CREDENTIALS_FILE: await file("aws-credentials", profile),
      }],
      ["OAUTH", msk, 77, {
        ...region,
        AWS_ROLE_ARN: "arn:aws:iam::1:role/load",
        AWS_WEB_IDENTITY_TOKEN_FILE: await file("web.jwt", `${S}.${token}`),
        AWS_ENDPOINT_URL_STS: `${idp.url}/sts`,
      }],
      ["OAUTH", msk, 77, {
        ...region,
        AWS_SHARED_CREDENTIALS_FILE: "/no/file",
        AWS_CONTAINER_CREDENTIALS_FULL_URI: `${idp.url}/container`,
        AWS_CONTAINER_AUTHORIZATION_TOKEN: S,
      }],
      ["OWNER", scram(owner.password), 0],
      ["OWNER", scram(S), 77],
      ["OWNER", byToken(delegated.hmac), 0],
      ["OWNER", byToken(S), 77],
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
      const all = { "security.protocol": "SASL_PLAINTEXT", ...properties };
      const config = Object.entries(all).map((pair) => pair.join("=")).join("\n");
      const from = ["-F", await file(`${i}.properties`, config)];
      const at = ["-b", broker.listeners[listener], ...from, "--timeout", "20s"];
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
    // Tokens, too, whatever the servers repeat of them, and where -v says all that it has.
    await runAll(planted, folder, () => [
      ...[token, delegated.hmac, ...idp.given],
      ...idp.asked.flatMap(({ authorization, form }) =>
        [authorization?.replace("Basic ", ""), form.get("assertion"), form.get("client_assertion")]
          .filter((one) => typeof one === "string")
      ),
    ]);
    assert.ok(idp.given.length > 5);
  }));
