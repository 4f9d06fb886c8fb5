/** Logins by tokens of an identity provider, by delegation tokens, and as Event Hubs has them. */
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import type { Broker } from "../../scripts/servers/broker.ts";
import { freePorts } from "../../scripts/servers/broker/ports.ts";
import { consumer, runProgram, start, text } from "../support/cli.ts";
import { encryptKey } from "../support/certificates.ts";
import { until } from "../support/group.ts";
import {
  clientSecret,
  type IdentityProvider,
  issuer,
  startIdentityProvider,
} from "../support/identity_provider.ts";
import { verified } from "../support/jwt.ts";
import { createTopic, produce, uniqueName } from "../support/kafka.ts";
import {
  connectionString,
  delegationToken,
  scramLogin,
  startLoginBroker,
} from "../support/login_broker.ts";
import { MARK } from "../support/planted_secrets.ts";

type Properties = Record<string, string>;

const handler =
  "org.apache.kafka.common.security.oauthbearer.secured.OAuthBearerLoginCallbackHandler";
const module = "org.apache.kafka.common.security";
const bearerModule = `${module}.oauthbearer.OAuthBearerLoginModule`;
const grant = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const assertion = "sasl.oauthbearer.assertion";

/** A properties file for these. */
async function propertiesFile(broker: Broker, properties: Properties): Promise<string> {
  const file = `${broker.folder}/${crypto.randomUUID()}.properties`;
  const all = { "security.protocol": "SASL_PLAINTEXT", ...properties };
  await Deno.writeTextFile(file, Object.entries(all).map((pair) => pair.join("=")).join("\n"));
  return file;
}

/** The properties of a client of the provider, as librdkafka has them. */
function oidc(idp: IdentityProvider, path = "/token"): Properties {
  return {
    "sasl.mechanism": "OAUTHBEARER",
    "sasl.oauthbearer.method": "oidc",
    "sasl.oauthbearer.client.id": "loader",
    "sasl.oauthbearer.client.secret": clientSecret,
    "sasl.oauthbearer.token.endpoint.url": idp.url + path,
  };
}

/** Without these of its members. */
function without(properties: Properties, ...names: string[]): Properties {
  return Object.fromEntries(Object.entries(properties).filter(([name]) => !names.includes(name)));
}

Deno.test("logins: tokens of an identity provider, delegation tokens, Event Hubs", async (t) => {
  await using idp = await startIdentityProvider();
  await using broker = await startLoginBroker(idp);
  const topic = uniqueName("logins");
  await createTopic(broker, topic);
  await produce(broker, topic, [{ value: "1,a" }]);

  /** Reads the topic; fails if a secret is in what the program says. */
  const read = async (listener: string, properties: Properties, more: string[] = [], env = {}) => {
    const file = await propertiesFile(broker, properties);
    const args = ["-b", broker.listeners[listener], "-t", topic, "-o", "0", "-F", file, ...more];
    const run = await consumer(args, { env });
    assert.ok(!run.stderr.includes(MARK), run.stderr);
    return run;
  };
  const works = async (listener: string, properties: Properties, env = {}) => {
    const run = await read(listener, properties, [], env);
    assert.deepEqual([run.code, run.stderr, text(run.stdout)], [0, "", "1,a\n"]);
  };
  const fails = async (
    listener: string,
    properties: Properties,
    code: number,
    message: RegExp,
    more: string[] = ["--timeout", "20s"],
  ) => {
    const run = await read(listener, properties, more);
    assert.equal(run.code, code, run.stderr);
    assert.match(run.stderr, message);
    assert.equal(run.stderr.split("\n").length, 2, run.stderr);
  };

  await t.step("a client's id and secret, by the names of librdkafka and of Java", async () => {
    idp.asked.length = 0;
    const scoped = { ...oidc(idp), "sasl.oauthbearer.scope": "kafka read" };
    await works("OAUTH", scoped);
    const [{ authorization, form }] = idp.asked;
    assert.equal(authorization, `Basic ${btoa(`loader:${clientSecret}`)}`);
    assert.deepEqual([...form], [["grant_type", "client_credentials"], ["scope", "kafka read"]]);
    const url = "sasl.oauthbearer.token.endpoint.url";
    const java = {
      "sasl.mechanism": "OAUTHBEARER",
      [url]: `${idp.url}/token`,
      "sasl.login.callback.handler.class": handler,
    };
    await works("OAUTH", {
      ...java,
      "sasl.jaas.config":
        `${bearerModule} required clientId="loader" clientSecret="${clientSecret}" scope="s" ` +
        'extension_pool="p";',
    });
    assert.equal(idp.asked.at(-1)!.form.get("scope"), "s");
    const newest = "sasl.oauthbearer.client.credentials.client";
    await works("OAUTH", {
      ...java,
      "sasl.jaas.config": `${bearerModule} required;`,
      [`${newest}.id`]: "loader",
      [`${newest}.secret`]: clientSecret,
      "sasl.oauthbearer.extensions": "logicalCluster=lkc-1,pool=p",
    });
    await works("OAUTH", without(oidc(idp), "sasl.oauthbearer.client.secret"), {
      KAFKA_OAUTHBEARER_CLIENT_SECRET: clientSecret,
    });
  });

  await t.step("a token endpoint with TLS, by an authority of one's own", async () => {
    const secure = { ...oidc(idp), "sasl.oauthbearer.token.endpoint.url": `${idp.tlsUrl}/token` };
    const ca = `${broker.folder}/idp-ca.pem`;
    await Deno.writeTextFile(ca, idp.ca);
    await works("OAUTH", { ...secure, "https.ca.location": ca });
    await works("OAUTH", { ...secure, "https.ca.pem": idp.ca.replaceAll("\n", "\\n") });
    const untrusted = /cannot trust the certificate of https:.* — set https\.ca\.location to/;
    await fails("OAUTH", secure, 77, untrusted);
    // The authorities of the brokers are others.
    await fails("OAUTH", { ...secure, "ssl.ca.location": ca }, 77, untrusted);
  });

  await t.step("a signed assertion, for the client's login and as a grant of its own", async () => {
    const pem = { type: "pkcs8", format: "pem" } as const;
    const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const ec = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const keys = { rsa: `${broker.folder}/rsa.pem`, ec: `${broker.folder}/ec.pem` };
    await Deno.writeTextFile(keys.rsa, String(rsa.privateKey.export(pem)));
    const passphrase = `key-${MARK}`;
    await Deno.writeTextFile(keys.ec, encryptKey(String(ec.privateKey.export(pem)), passphrase));
    const signed = without(oidc(idp), "sasl.oauthbearer.client.secret");
    await works("OAUTH", {
      ...signed,
      [`${assertion}.private.key.file`]: keys.rsa,
      [`${assertion}.claim.jti.include`]: "true",
    });
    const { form, authorization } = idp.asked.at(-1)!;
    assert.equal(authorization, null);
    assert.equal(form.get("client_id"), "loader");
    await verified(form.get("client_assertion")!, rsa.publicKey, "RS256", {
      iss: "loader",
      sub: "loader",
      aud: `${idp.url}/token`,
    });
    await works("OAUTH", {
      ...without(signed, "sasl.oauthbearer.client.id"),
      "sasl.oauthbearer.grant.type": grant,
      [`${assertion}.algorithm`]: "ES256",
      [`${assertion}.private.key.file`]: keys.ec,
      [`${assertion}.private.key.passphrase`]: passphrase,
      [`${assertion}.claim.sub`]: "service-account",
      [`${assertion}.claim.aud`]: "the-provider",
      "sasl.oauthbearer.scope": "x",
    });
    const bearer = idp.asked.at(-1)!.form;
    assert.deepEqual([bearer.get("grant_type"), bearer.get("scope")], [grant, "x"]);
    await verified(bearer.get("assertion")!, ec.publicKey, "ES256", {
      sub: "service-account",
      aud: "the-provider",
    });
    const file = `${broker.folder}/assertion.jwt`;
    await Deno.writeTextFile(file, "aa.bb.cc\n");
    await works("OAUTH", { ...signed, [`${assertion}.file`]: file });
    assert.equal(idp.asked.at(-1)!.form.get("client_assertion"), "aa.bb.cc");
  });

  await t.step("what is wrong with a token or its endpoint is one clear line", async () => {
    const cases: [string, number, RegExp][] = [
      ["/html", 69, /cannot get a token: http:.*\/html answers with text\/html, not JSON — check/],
      ["/none", 69, /cannot get a token: http:.*\/none answers without an access_token — check/],
      ["/missing", 69, /http:.*\/missing answers HTTP 404 — check sasl\.oauthbearer\.token\.end/],
      ["/redirect", 69, /\/redirect redirects to http:.*\/token — give its own URL$/m],
      ["/expired", 77, /the token of http:.*\/expired expired at \d.*Z — check the clock of this/],
      [
        "/other-audience",
        77,
        new RegExp(
          `rejects the token of http:.*/other-audience with OAUTHBEARER: .*invalid_token.* — its ` +
            `audience is "another-service", its issuer is "${issuer}", it expires at \\d`,
        ),
      ],
    ];
    for (const [path, code, message] of cases) await fails("OAUTH", oidc(idp, path), code, message);
    const wrong = { ...oidc(idp), "sasl.oauthbearer.client.secret": `other-${MARK}` };
    await fails(
      "OAUTH",
      wrong,
      77,
      /\/token rejects the client \(HTTP 401\): invalid_client: Invalid client.* — check the client's/,
    );
    const tried = ["--timeout", "2s"];
    const slow = /\/slow does not answer: no answer within [\d.]+ s \(tried for 2 s\)/;
    await fails("OAUTH", oidc(idp, "/slow"), 69, slow, tried);
    const busy = /\/unavailable answers HTTP 503: temporarily_unavailable \(tried for 2 s\)/;
    await fails("OAUTH", oidc(idp, "/unavailable"), 69, busy, tried);
    const closed = {
      ...oidc(idp),
      "sasl.oauthbearer.token.endpoint.url": `http://127.0.0.1:${freePorts(1)[0]}/token`,
    };
    const refused =
      /cannot get a token: http:\/\/127\.0\.0\.1:\d+\/token does not answer: .*refused/i;
    await fails("OAUTH", closed, 69, refused, tried);
  });

  await t.step("commands of kafkajs, and doctor, log in by the same tokens", async () => {
    for (const [path, code] of [["/token", 0], ["/other-audience", 77]] as const) {
      const file = await propertiesFile(broker, oidc(idp, path));
      const at = ["-b", broker.listeners.OAUTH, "-F", file];
      const listed = await runProgram("main", ["topics", "list", ...at]);
      assert.equal(listed.code, code, listed.stderr);
      assert.match(code === 0 ? text(listed.stdout) : listed.stderr, code === 0 ? /^/ : /audience/);
      const doctor = await runProgram("main", ["doctor", "-t", topic, ...at]);
      const said = text(doctor.stdout);
      assert.ok(!said.includes(MARK), said);
      assert.match(
        said,
        code === 0 ? /the token of http:\S+\/token is accepted/ : /its audience is "another-/,
      );
    }
  });

  await t.step(
    "a run without an end logs in again on its connections, with new tokens",
    async () => {
      idp.asked.length = 0;
      idp.lifetime = 8;
      const file = await propertiesFile(broker, oidc(idp));
      const follow = ["--until", "forever", "-v", "--timeout", "20s"];
      const args = ["-b", broker.listeners.SHORT, "-t", topic, "-o", "0", "-F", file, ...follow];
      const child = start("consumer", args);
      try {
        child.stdin.close();
        let stdout = "";
        let stderr = "";
        const collect = async (stream: ReadableStream<Uint8Array>, add: (text: string) => void) => {
          for await (const piece of stream) add(text(piece as Uint8Array<ArrayBuffer>));
        };
        const collected = [
          collect(child.stdout, (piece) => stdout += piece),
          collect(child.stderr, (piece) => stderr += piece),
        ];
        for (let i = 2; i <= 5; i++) {
          await produce(broker, topic, [{ value: `${i},b` }]);
          await until(`the row ${i}`, 30_000, () => Promise.resolve(stdout.includes(`${i},b\n`)));
          const again = () => (stderr.match(/logged in again, for [\d.]+ s/g) ?? []).length;
          await until("the next login", 30_000, () => Promise.resolve(again() >= i - 1));
        }
        child.kill("SIGTERM");
        await child.status;
        await Promise.all(collected);
        assert.equal(stdout, "1,a\n2,b\n3,b\n4,b\n5,b\n");
        assert.doesNotMatch(stderr, /closed the connection|rejects|trying again/);
        // Tokens that live for 8 seconds: the first one was not enough.
        assert.ok(idp.asked.length >= 2, `${idp.asked.length} tokens`);
        assert.ok(!stderr.includes(MARK));
      } finally {
        idp.lifetime = 300;
        try {
          child.kill("SIGKILL");
        } catch {
          // It has ended.
        }
      }
    },
  );

  await t.step("a delegation token, by tokenauth", async () => {
    const { id, hmac } = await delegationToken(broker);
    const user = `username="${id}" password="${hmac}"`;
    // The broker hears of it a moment after it has made it.
    await until("the token works", 30_000, async () => {
      const run = await read("OWNER", scramLogin(`${user} tokenauth="true"`));
      return run.code === 0 && run.stderr === "";
    });
    // Without it, there is no such user.
    await fails("OWNER", scramLogin(user), 77, new RegExp(`rejects user "${id}" with SCRAM`));
    const wrong = scramLogin(`username="${id}" password="other-${MARK}" tokenauth=true`);
    await fails("OWNER", wrong, 77, new RegExp(`rejects delegation token "${id}" with SCRAM`));
  });

  await t.step("Event Hubs' user and connection string survive a properties file", async () => {
    const plain = { "sasl.mechanism": "PLAIN" };
    const user = "$ConnectionString";
    for (
      const properties of [
        { ...plain, "sasl.username": user, "sasl.password": connectionString },
        {
          ...plain,
          "sasl.jaas.config": `${module}.plain.PlainLoginModule required ` +
            `username="${user}" password="${connectionString}";`,
        },
      ]
    ) {
      const run = await read("HUBS", properties);
      assert.equal(run.code, 0, run.stderr);
    }
    const wrong = connectionString.replace("/w==", "/x==");
    const refused = /rejects user "\$ConnectionString" with PLAIN/;
    await fails("HUBS", { ...plain, "sasl.username": user, "sasl.password": wrong }, 77, refused);
  });
});
