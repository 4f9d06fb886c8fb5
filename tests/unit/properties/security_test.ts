import assert from "node:assert/strict";
import { Failure } from "../../../lib/failure.ts";
import { securityConfig } from "../../../lib/properties/security.ts";

const tls = { "security.protocol": "SSL" };
const sasl = { "security.protocol": "SASL_PLAINTEXT" };
const plain = { ...sasl, "sasl.mechanism": "PLAIN" };
const user = { "sasl.username": "u", "sasl.password": "s3cret" };
const bearer = { ...sasl, "sasl.mechanism": "OAUTHBEARER" };
const endpoint = "sasl.oauthbearer.token.endpoint.url";
const metadata = "sasl.oauthbearer.metadata.authentication.type";
const oidc = { ...bearer, [endpoint]: "https://idp/token" };
const signed = {
  ...oidc,
  "sasl.oauthbearer.client.id": "x",
  "sasl.oauthbearer.assertion.private.key.file": "/no/key",
};
const jwtBearer = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const scram = { ...sasl, ...user, "sasl.mechanism": "SCRAM-SHA-256" };
const module = "org.apache.kafka.common.security.scram.ScramLoginModule";
const plainModule = "org.apache.kafka.common.security.plain.PlainLoginModule";
const bearerModule = "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule";

Deno.test({
  name: "security: what is wrong or missing is a usage error that names the property",
  permissions: "none",
  fn: async () => {
    const cases: [Record<string, string>, RegExp][] = [
      [
        { "security.protocol": "TLS" },
        /^security\.protocol is not one of PLAINTEXT, SSL, SASL/,
      ],
      [
        { "sasl.username": "u" },
        /^sasl\.username is set, but security\.protocol is not — set it to/,
      ],
      [{ "ssl.ca.location": "x" }, /^ssl\.ca\.location is set, but security\.protocol is not/],
      [
        sasl,
        /^sasl\.mechanism is not set — use one of PLAIN, SCRAM-SHA-256, .*OAUTHBEARER, .*AWS_MSK_IAM$/,
      ],
      [{ ...sasl, "sasl.mechanism": "NTLM" }, /^sasl\.mechanism is not one of PLAIN/],
      [plain, /^sasl\.username is not set, nor is env KAFKA_SASL_USERNAME$/],
      [
        { ...plain, "sasl.username": "u" },
        /^sasl\.password is not set, nor is env KAFKA_SASL_PASS/,
      ],
      [{ ...plain, ...user, "sasl.username": "u\0" }, /cannot have a NUL character$/],
      [
        { ...plain, "sasl.jaas.config": `${module} required;` },
        /sasl\.mechanism PLAIN requires PlainLoginModule$/,
      ],
      [
        bearer,
        /^sasl\.oauthbearer\.token\.file is not set, nor .*url, nor is env KAFKA_OAUTHBEARER_T/,
      ],
      [{ ...bearer, "sasl.oauthbearer.method": "oidc" }, /token\.endpoint\.url is not set$/],
      [
        { ...bearer, [endpoint]: "ftp://idp/token" },
        /is not https:\/\/…, http:\/\/… or file:\/\/\/…$/,
      ],
      [{ ...bearer, [endpoint]: "https:///" }, /token\.endpoint\.url is not a URL$/],
      [
        { ...bearer, [endpoint]: "https://u:s3cret@idp/token" },
        /has a login in it — set sasl\.oauthb/,
      ],
      [oidc, /^sasl\.oauthbearer\.client\.id is not set, nor is env KAFKA_OAUTHBEARER_CLIENT_ID$/],
      [
        { ...oidc, "sasl.oauthbearer.client.id": "x" },
        /^sasl\.oauthbearer\.client\.secret is not set, nor is env KAFKA_OAUTHBEARER_CLIENT_SECRET$/,
      ],
      [
        { ...oidc, "sasl.oauthbearer.grant.type": jwtBearer },
        /requires .*assertion\.file or a key$/,
      ],
      [
        { ...signed, "sasl.oauthbearer.assertion.algorithm": "HS256" },
        /^sasl\.oauthbearer\.assertion\.algorithm is neither RS256 nor ES256$/,
      ],
      [
        { ...signed, "sasl.oauthbearer.assertion.claim.exp.seconds": "0" },
        /claim\.exp\.seconds is not a number from 1 to 2147483647$/,
      ],
      [
        { ...signed, "sasl.oauthbearer.assertion.claim.jti.include": "yes" },
        /claim\.jti\.include is neither true nor false$/,
      ],
      [
        { ...signed, "sasl.login.refresh.window.factor": "0.4" },
        /^sasl\.login\.refresh\.window\.factor is not a number from 0\.5 to 1$/,
      ],
      [
        { ...signed, "sasl.login.read.timeout.ms": "-1" },
        /read\.timeout\.ms is not a number from 1/,
      ],
      [
        { ...signed, "https.ca.location": "/no/ca" },
        /^https\.ca\.location: cannot read "\/no\/ca": /,
      ],
      [{ ...signed, "https.ca.pem": "x" }, /^https\.ca\.pem: no PEM certificate in it$/],
      [{ ...bearer, [metadata]: "aws_iam" }, /is neither none nor azure_imds — for Amazon MSK set/],
      [
        { ...bearer, "sasl.oauthbearer.config": "principal=x" },
        /^sasl\.oauthbearer\.config: unsecured tokens are not made here — set a token endpoint/,
      ],
      [{ ...bearer, [metadata]: "azure_imds" }, /^sasl\.oauthbearer\.config is not query=/],
      [
        { ...scram, "sasl.jaas.config": `${module} required tokenauth="yes";` },
        /^sasl\.jaas\.config: tokenauth is neither true nor false$/,
      ],
      [
        { ...plain, ...user, "sasl.jaas.config": `${plainModule} required tokenauth="true";` },
        /^sasl\.jaas\.config: option 1 is unknown/,
      ],
      [
        { ...bearer, "sasl.oauthbearer.token.file": "x", "sasl.oauthbearer.extensions": "auth=1" },
        /^sasl\.oauthbearer\.extensions is not NAME=VALUE,…$/,
      ],
      [{ ...tls, "enable.ssl.certificate.verification": "false" }, /are always checked here; set/],
      [
        { ...tls, "ssl.truststore.type": "JKS", "ssl.truststore.location": "x" },
        /keytool -list -rfc/,
      ],
      [{ ...tls, "ssl.keystore.type": "PKCS12", "ssl.keystore.location": "x" }, /openssl pkcs12/],
      [{ ...tls, "ssl.ca.pem": "x" }, /^ssl\.ca\.pem: no PEM certificate in it$/],
      [{ ...tls, "ssl.key.pem": "x" }, /^ssl\.key\.location needs ssl\.certificate\.location too$/],
      [{ ...tls, "ssl.certificate.pem": "x" }, /^ssl\.certificate\.pem needs ssl\.key\.location/],
      [
        { ...tls, "ssl.endpoint.identification.algorithm": "ldaps" },
        /^ssl\.endpoint\.identification\.algorithm is neither https nor none$/,
      ],
      [
        { ...tls, "ssl.enabled.protocols": "TLSv1.3" },
        /^ssl\.enabled\.protocols is not supported/,
      ],
      [{ ...tls, "ssl.enabled.protocols": "TLSv1,TLSv1.2" }, /allow both, and restrict it on the/],
      [
        { ...plain, ...user, "sasl.jaas.config": `${plainModule} required pasword="s3cret";` },
        /option 1 is unknown — did you mean "password"\?$/,
      ],
      [
        { ...bearer, "sasl.jaas.config": `${bearerModule} required clientSecrt="s3cret";` },
        /^sasl\.jaas\.config: option 1 is unknown — did you mean "clientSecret"\?$/,
      ],
    ];
    for (const [properties, message] of cases) {
      const failure = await securityConfig(new Map(Object.entries(properties)), () => undefined)
        .then(() => new Error(`taken: ${JSON.stringify(properties)}`), (error) => error);
      assert.ok(failure instanceof Failure, String(failure));
      assert.equal(failure.kind, "usage");
      assert.match(failure.message, message);
      assert.ok(!failure.message.includes("s3cret"));
    }
  },
});

Deno.test({
  name: "security: the configuration that properties become",
  permissions: "none",
  fn: async () => {
    const env = (name: string) =>
      ({ KAFKA_SASL_PASSWORD: "from-env" } as Record<string, string>)[name];
    const config = (properties: Record<string, string>) =>
      securityConfig(new Map(Object.entries(properties)), env);
    assert.deepEqual(await config({ "client.id": "x" }), { tls: null, sasl: null });
    // As Java and librdkafka have it: what the protocol has no use for is not looked at.
    assert.deepEqual(await config({ ...user, "security.protocol": "plaintext" }), {
      tls: null,
      sasl: null,
    });
    const { sasl: jaas } = await config({
      ...sasl,
      "sasl.mechanism": "scram-sha-512",
      "sasl.jaas.config": `${module} required username="u" password="p";`,
    });
    assert.ok(jaas?.mechanism === "SCRAM-SHA-512");
    assert.deepEqual([jaas.username, jaas.password.reveal()], ["u", "p"]);
    const { sasl: fromEnv } = await config({ ...plain, "sasl.username": "u" });
    assert.ok(fromEnv?.mechanism === "PLAIN" && fromEnv.password.reveal() === "from-env");
    const body = "A".repeat(64) + "B".repeat(10);
    const { tls: secured } = await config({
      ...tls,
      // As inline PEM is in Java's files: in one line.
      "ssl.truststore.certificates":
        `-----BEGIN CERTIFICATE-----\\n${body}\\n-----END CERTIFICATE-----`.repeat(2),
    });
    const pem = `-----BEGIN CERTIFICATE-----\n${"A".repeat(64)}\n${"B".repeat(10)}\n` +
      "-----END CERTIFICATE-----\n";
    assert.deepEqual(secured, { authorities: [pem, pem], identity: null, checkHostname: true });
    await config({ ...tls, "ssl.enabled.protocols": "TLSv1.1, TLSv1.2,TLSv1.3" });
    const { sasl: token } = await config({
      ...bearer,
      "sasl.oauthbearer.token.file": "x",
      "sasl.jaas.config": `${bearerModule} required extension_pool="a" extension_b="c,d";`,
      "sasl.oauthbearer.extensions": "pool=b, z=1",
    });
    assert.ok(token?.mechanism === "OAUTHBEARER");
    assert.deepEqual(token.extensions, { pool: "b", b: "c,d", z: "1" });
    // What is given for the same thing in both is Java's order: properties override the login module.
    const { sasl: idp } = await config({
      ...oidc,
      "sasl.jaas.config": `${bearerModule} required clientId="a" clientSecret="p";`,
      "sasl.oauthbearer.client.credentials.client.id": "b",
    });
    assert.ok(idp?.mechanism === "OAUTHBEARER" && idp.from === "https://idp/token");
    const { sasl: delegated } = await config({
      ...scram,
      "sasl.jaas.config": `${module} required tokenauth="true";`,
    });
    assert.ok(delegated?.mechanism === "SCRAM-SHA-256" && delegated.tokenauth);
    const { sasl: msk } = await config({ ...sasl, "sasl.mechanism": "aws_msk_iam" });
    assert.ok(msk?.mechanism === "OAUTHBEARER" && msk.from === "AWS IAM");
  },
});

Deno.test("security: files that can't be used, and what to do with them", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const store = `${folder}/store`;
    await Deno.writeFile(store, new Uint8Array([0xfe, 0xed, 0xfe, 0xed, 0, 0, 0, 2]));
    const cases: [Record<string, string>, RegExp][] = [
      [{ "ssl.ca.location": `${folder}/none` }, /^ssl\.ca\.location: cannot read ".*\/none": /],
      [{ "ssl.ca.location": folder }, /^ssl\.ca\.location: cannot read /],
      [{ "ssl.truststore.location": store }, /^ssl\.truststore\.location: ".*" is not PEM — make/],
      [{ "ssl.keystore.location": store }, /^ssl\.keystore\.location: ".*" is not PEM — make it/],
    ];
    for (const [properties, message] of cases) {
      const all = new Map(Object.entries({ ...tls, ...properties }));
      await assert.rejects(securityConfig(all, () => undefined), (error: Error) => {
        assert.match(error.message, message);
        return error instanceof Failure;
      });
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
