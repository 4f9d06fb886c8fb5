import assert from "node:assert/strict";
import { checkOptions, parseJaas } from "../../../lib/properties/jaas.ts";
import {
  mergeProperties,
  parseProperties,
  splitProperty,
} from "../../../lib/properties/properties.ts";
import {
  accepted,
  fixed,
  ignored,
  refused,
  synonyms,
} from "../../../lib/properties/property_names.ts";
import { Failure } from "../../../lib/failure.ts";

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
  name: "properties: a file, by Java's rules",
  permissions: "none",
  fn: () => {
    const text = "# comment\r\n! comment\n\n  client.id =  a b = c  \ngroup.id=\n" +
      "sasl.password=#!;,=\\=\\\\x\\u0041 \nssl.ca.location:/a\\\\\nsasl.username \\u00fc\n" +
      'sasl.jaas.config=a.B required \\\n   username="u" \\\n\tpassword="x\\\\"y\\u0041";\n' +
      "metadata.broker.list=127.0.0.1\\:9092,\\\n x\\";
    assert.deepEqual(pairs(text), [
      ["client.id", "a b = c  "],
      ["group.id", ""],
      ["sasl.password", "#!;,==\\xA "],
      ["ssl.ca.location", "/a\\"],
      ["sasl.username", "ü"],
      ["sasl.jaas.config", 'a.B required username="u" password="x\\"yA";'],
      ["metadata.broker.list", "127.0.0.1:9092,x"],
    ]);
  },
});

Deno.test({
  name: "properties: blanks at the end are a part of a user and a password, as in librdkafka, only",
  permissions: "none",
  fn: () => {
    const merged = mergeProperties(file("client.id=a \t\nsasl.username=b \nsasl.password= c \t"));
    assert.deepEqual(Object.fromEntries(merged), {
      "client.id": "a",
      "sasl.username": "b ",
      "sasl.password": "c \t",
    });
    assert.deepEqual(splitProperty("sasl.password = a ", "-X").value, "a ");
  },
});

Deno.test({
  name: "properties: what kcat reads in another way is warned of, without the value",
  permissions: "none",
  fn: () => {
    const warnings = (text: string) => {
      const lines: string[] = [];
      parseProperties(text, "kafka.conf", (line) => lines.push(line));
      return lines;
    };
    const escape =
      /^kafka\.conf line 2: a backslash in \S+ is an escape, .* — write \\\\ if it is one$/;
    for (const value of ["s3\\cret", "s3\\tcret", 's3\\"cret', "s3\\\\\\cret", "\\s3cret"]) {
      for (const key of ["sasl.password", "ssl.key.password", "client.id"]) {
        const [line, ...more] = warnings(`acks=1\n${key}=${value}`);
        assert.match(line, escape);
        assert.deepEqual([more, /s3|cret/.test(line)], [[], false]);
      }
    }
    assert.match(
      warnings("sasl.password=s3cret ")[0],
      /^kafka\.conf line 1: sasl\.password ends in a blank, .* write it as \\u0020$/,
    );
    const same = [
      "bootstrap.servers=127.0.0.1\\:9092",
      "sasl.password=\\ \\=\\:\\#\\!\\\\\\u0020",
      "ssl.ca.pem=a\\nb",
      'sasl.jaas.config=a.B required username="a\\"";',
      "client.id=a ",
      "acks=a\\b",
      "sasl.password=a b",
    ];
    for (const text of same) assert.deepEqual(warnings(text), [], text);
  },
});

Deno.test({
  name: "properties: a line that is not a property is named by its number, and never shown",
  permissions: "none",
  fn: () => {
    usage(() => file("client.id=a\n\ns3cret"), /^kafka\.conf line 3: not KEY=VALUE$/);
    usage(() => file("=s3cret"), /^kafka\.conf line 1: not KEY=VALUE$/);
    usage(() => file("two words=s3cret"), /^kafka\.conf line 1: not KEY=VALUE$/);
    usage(() => file("s3cret\\\n two"), /^kafka\.conf line 1: not KEY=VALUE$/);
    usage(() => file("a=\0"), /^kafka\.conf line 1: a NUL character in it — use a text file$/);
    usage(
      () => file("# \n\nsasl.username=s3c\\\n\\user"),
      /^kafka\.conf line 3: \\u without four hexadecimal digits after it — write \\\\ for a backslash$/,
    );
    for (const line of ["MIIEvQIBADANBgkqhkiG9w0BAQEF==", "s3cret:", "eyJh.eyJz.c2ln=x"]) {
      usage(() => mergeProperties(file(line)), /^kafka\.conf line 1: unknown property$/);
    }
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
  name: "properties: unknown names, unsupported ones, and those without meaning here",
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
      () => mergeProperties(file("sasl.oauthbearer.sub.claim.name=s3cret")),
      /is not supported: the broker checks the token$/,
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
    // Of Kerberos only when and by which command others renew their tickets has no effect.
    const renewal = /^sasl\.kerberos\.(kinit\.cmd|min\.time\.before\.relogin|ticket\.renew\..+)$/;
    assert.deepEqual(
      ignored.filter((name) => /^(ssl|sasl|security|enable\.s)/.test(name) && !renewal.test(name)),
      [],
    );
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
      ...["sasl.kerberos.principal.to.local.rules=x", "sasl.login.callback.handler.class=a.B"],
      ...["sasl.login.retry.backoff.ms=1", "sasl.oauthbearer.method=x"],
      ...["sasl.oauthbearer.grant.type=password", "sasl.oauthbearer.jwks.endpoint.url=x"],
      ...["sasl.oauthbearer.jwt.retriever.class=a.B", "sasl.oauthbearer.jwt.validator.class=a.B"],
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
