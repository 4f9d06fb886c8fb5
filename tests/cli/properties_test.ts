import assert from "node:assert/strict";
import { checkOptions, parseJaas } from "../../lib/properties/jaas.ts";
import {
  mergeProperties,
  parseProperties,
  splitProperty,
} from "../../lib/properties/properties.ts";
import {
  accepted,
  fixed,
  ignored,
  refused,
  synonyms,
} from "../../lib/properties/property_names.ts";
import { securityConfig } from "../../lib/properties/security.ts";
import { Failure } from "../../lib/failure.ts";

const file = (text: string) => parseProperties(text, "kafka.conf");
const pairs = (text: string) => file(text).map(({ key, value }) => [key, value]);
const own = (text: string) => ({ ...splitProperty(text, "-X"), at: "-X", own: true });

function usage(run: () => unknown, message: RegExp): void {
  assert.throws(run, (error) => {
    assert.ok(error instanceof Failure, String(error));
    assert.equal(error.kind, "usage");
    assert.match(error.message, message);
    return true;
  });
}

Deno.test({
  name: "properties: a file as librdkafka's and Java's programs have it",
  permissions: "none",
  fn: () => {
    const text = "\ufeff# comment\r\n! comment\n\n  client.id =  a b = c  \ngroup.id=\n" +
      "sasl.password=#!\\n\\\\x\\u0041\nssl.ca.location=/a\\\\\nsasl.jaas.config=a.B required \\\n" +
      '   username="u" \\\n\tpassword="x\\\\"y\\u0041";\nmetadata.broker.list=x\\';
    assert.deepEqual(pairs(text), [
      ["client.id", "a b = c"],
      ["group.id", ""],
      ["sasl.password", "#!\\n\\\\x\\u0041"],
      ["ssl.ca.location", "/a\\\\"],
      ["sasl.jaas.config", 'a.B required username="u" password="x\\"yA";'],
      ["metadata.broker.list", "x\\"],
    ]);
  },
});

Deno.test({
  name: "properties: what is no property is named by its line, and never shown",
  permissions: "none",
  fn: () => {
    usage(() => file("client.id=a\n\ns3cret"), /^kafka\.conf line 3: not KEY=VALUE$/);
    usage(() => file("=s3cret"), /^kafka\.conf line 1: not KEY=VALUE$/);
    usage(() => file("two words=s3cret"), /^kafka\.conf line 1: not KEY=VALUE$/);
    usage(() => own("s3cret"), /^-X: not KEY=VALUE$/);
  },
});

Deno.test({
  name: "properties: the later overrides, also by another name for the same thing",
  permissions: "none",
  fn: () => {
    const merged = (...all: string[]) => Object.fromEntries(mergeProperties(all.map(own)));
    assert.deepEqual(merged("client.id=a", "client.id=b"), { "client.id": "b" });
    assert.deepEqual(merged("bootstrap.servers=a", "metadata.broker.list=b"), {
      "metadata.broker.list": "b",
    });
    assert.deepEqual(
      merged("ssl.truststore.certificates=a", "ssl.ca.location=b", "ssl.key.location=c"),
      { "ssl.ca.location": "b", "ssl.key.location": "c" },
    );
    assert.deepEqual(
      merged("ssl.keystore.location=a", "ssl.certificate.location=b", "ssl.key.location=c"),
      { "ssl.certificate.location": "b", "ssl.key.location": "c" },
    );
    assert.deepEqual(merged("sasl.username=a", "sasl.password=b", "sasl.jaas.config=c"), {
      "sasl.jaas.config": "c",
    });
  },
});

Deno.test({
  name: "properties: unknown, not to be followed, and without meaning here",
  permissions: "none",
  fn: () => {
    usage(
      () => mergeProperties(file("sasl.usrname=s3cret")),
      /^kafka\.conf line 1: unknown property "sasl\.usrname" — did you mean "sasl\.username"\?$/,
    );
    usage(() => mergeProperties([own("what.ever=1")]), /^-X: unknown property "what\.ever"$/);
    usage(
      () => mergeProperties(file("ssl.crl.location=x")),
      /is not supported: revocation lists/,
    );
    usage(
      () => mergeProperties(file("sasl.oauthbearer.client.secret=s3cret")),
      /tokens are read from a file, not fetched: set sasl\.oauthbearer\.token\.file$/,
    );
    usage(() => mergeProperties([own("acks=1")]), /^-X: acks has no effect here — use --acks$/);
    usage(() => mergeProperties([own("linger.ms=1")]), /^-X: linger\.ms has no effect here$/);
    const said: string[] = [];
    const merged = mergeProperties(file("acks=1\nclient.id=x"), (line) => said.push(line));
    assert.deepEqual([...merged], [["client.id", "x"]]);
    assert.deepEqual(said, ["kafka.conf line 1: acks has no effect here and is ignored"]);
  },
});

Deno.test({
  name: "properties: each name is in one list",
  permissions: "none",
  fn: () => {
    const names = [...accepted, ...ignored];
    assert.equal(new Set(names).size, names.length);
    for (const [start] of refused) assert.ok(!names.some((name) => name.startsWith(start)), start);
    for (const name of [...synonyms.flat(), ...Object.keys(fixed)]) {
      assert.ok(accepted.includes(name), name);
    }
    // What protects is followed or rejected: Kafka 4.1's and librdkafka's names are all here.
    assert.deepEqual(ignored.filter((name) => /^(ssl|sasl|security|enable\.s)/.test(name)), []);
  },
});

Deno.test({
  name: "properties: of TLS and SASL each one is followed, or rejected by its name",
  permissions: "none",
  fn: () => {
    const rejected = [
      ...["ssl.provider=BCFIPS", "ssl.providers=legacy", "ssl.keymanager.algorithm=X"],
      ...["ssl.trustmanager.algorithm=X", "ssl.secure.random.implementation=X"],
      ...["ssl.truststore.password=x", "ssl.keystore.password=x", "ssl.protocol=TLSv1.2"],
      ...["ssl.ca.certificate.stores=Root", "security.providers=x", "sasl.login.class=x"],
      ...["sasl.kerberos.service.name=kafka", "sasl.login.callback.handler.class=a.B"],
      ...["sasl.login.refresh.window.factor=0.5", "sasl.oauthbearer.method=oidc"],
      ...["sasl.oauthbearer.scope=x", "sasl.oauthbearer.jwks.endpoint.url=x"],
      ...["sasl.client.callback.handler.class=x", "sasl.oauthbearer.expected.audience=x"],
    ];
    for (const line of rejected) {
      const [name] = line.split("=");
      const message = new RegExp(
        `^kafka\\.conf line 1: ${name} (is not supported: |can only be )`,
      );
      usage(() => mergeProperties(file(line)), message);
      mergeProperties(file(`${name}=`)); // Java's way to ask for nothing
    }
    mergeProperties(file(
      "ssl.protocol=TLSv1.3\nssl.trustmanager.algorithm=PKIX\nsasl.oauthbearer.method=default\n" +
        "sasl.login.callback.handler.class=" +
        "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginCallbackHandler",
    ));
  },
});

Deno.test({
  name: "properties: Java's login modules",
  permissions: "none",
  fn: () => {
    const { name, options } = parseJaas(
      "org.apache.kafka.common.security.plain.PlainLoginModule  required\n" +
        ` username="a\\"b;=c" password='x y\\\\' serviceName=kafka ;`,
    );
    assert.equal(name, "PlainLoginModule");
    assert.deepEqual([...options], [
      ["username", 'a"b;=c'],
      ["password", "x y\\"],
      ["serviceName", "kafka"],
    ]);
    assert.equal(parseJaas("a.B required;").options.size, 0);
    const wrong = [
      "",
      "a.B",
      "a.B required",
      'a.B s3cret username="x";',
      'a.B required password="s3cret"',
      'a.B required password="s3cret;',
      "a.B required password=;",
      'a.B required password "s3cret";',
      'a.B required password="s3cret"; c.D required;',
    ];
    for (const text of wrong) usage(() => parseJaas(text), /^sasl\.jaas\.config: [^3]*$/);
    const unknown: [string, RegExp][] = [
      ['username="u" pasword="s3cret"', /: option 2 is unknown — did you mean "password"\?$/],
      ['UserName="u"', /: option 1 is unknown — did you mean "username"\?$/],
      ['serviceName="kafka"', /: option 1 is unknown — known here: username, password$/],
      // A quote too many: what comes next is a part of the password.
      ['password="x"s3cret="y"', /: option 2 is unknown — known here: username, password$/],
    ];
    for (const [text, message] of unknown) {
      const login = parseJaas(`a.B required ${text};`);
      usage(() => checkOptions(login, ["username", "password"]), message);
    }
  },
});

const tls = { "security.protocol": "SSL" };
const sasl = { "security.protocol": "SASL_PLAINTEXT" };
const plain = { ...sasl, "sasl.mechanism": "PLAIN" };
const user = { "sasl.username": "u", "sasl.password": "s3cret" };
const bearer = { ...sasl, "sasl.mechanism": "OAUTHBEARER" };
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
      [sasl, /^sasl\.mechanism is not set — use one of PLAIN, SCRAM-SHA-256, .*OAUTHBEARER$/],
      [{ ...sasl, "sasl.mechanism": "GSSAPI" }, /^sasl\.mechanism is not one of PLAIN/],
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
      [bearer, /^sasl\.oauthbearer\.token\.file is not set, nor is env KAFKA_OAUTHBEARER_TOKEN$/],
      [
        { ...bearer, "sasl.oauthbearer.token.endpoint.url": "https://idp/token" },
        /tokens are read from a file, not fetched — set it to file:\/\/\/PATH/,
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
        { ...bearer, "sasl.jaas.config": `${bearerModule} required clientSecret="s3cret";` },
        /^sasl\.jaas\.config: option 1 is unknown — known here: none$/,
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
  name: "security: what the properties come to",
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
