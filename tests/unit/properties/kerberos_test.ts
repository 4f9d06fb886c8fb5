import assert from "node:assert/strict";
import { Failure } from "../../../lib/failure.ts";
import { mergeProperties, parseProperties } from "../../../lib/properties/properties.ts";
import { securityConfig } from "../../../lib/properties/security.ts";

const start = "security.protocol=SASL_SSL\nsasl.mechanism=GSSAPI\n";
const jaas = (options: string) =>
  `${start}sasl.jaas.config=com.sun.security.auth.module.Krb5LoginModule required ${options};`;

/** What a file of properties says of the login. */
async function login(text: string) {
  const properties = mergeProperties(parseProperties(text, "kafka.conf"));
  return (await securityConfig(properties, () => undefined)).sasl;
}

Deno.test({
  name: "kerberos: properties of librdkafka and Java's login module say the same",
  permissions: "none",
  fn: async () => {
    const nothing = {
      mechanism: "GSSAPI",
      service: "kafka",
      principal: null,
      keytab: null,
      ticketCache: null,
    };
    assert.deepEqual(await login(start), nothing);
    const keytab = { ...nothing, principal: "loader@EXAMPLE.COM", keytab: "/etc/loader.keytab" };
    assert.deepEqual(
      await login(
        start + "sasl.kerberos.service.name=kafka\nsasl.kerberos.principal=loader@EXAMPLE.COM\n" +
          "sasl.kerberos.keytab=FILE:/etc/loader.keytab\nsasl.kerberos.kinit.cmd=kinit -R\n" +
          "sasl.kerberos.min.time.before.relogin=60000\n",
      ),
      keytab,
    );
    assert.deepEqual(
      await login(jaas(
        'useKeyTab=true storeKey=true keyTab="/etc/loader.keytab" ' +
          'principal="loader@EXAMPLE.COM" useTicketCache=true serviceName="kafka"',
      )),
      { ...keytab },
    );
    assert.deepEqual(
      await login(jaas('useTicketCache=true ticketCache="/tmp/cc" renewTGT=true')),
      { ...nothing, ticketCache: "/tmp/cc" },
    );
    // Java looks at neither file if it is not said to use it.
    assert.deepEqual(await login(jaas('keyTab="/x" ticketCache="/y" doNotPrompt=true')), nothing);
    assert.deepEqual(
      await login(`${start}sasl.kerberos.service.name=streams`),
      { ...nothing, service: "streams" },
    );
    // The later one of the two overrides.
    assert.deepEqual(
      await login(`${jaas('useKeyTab=true keyTab="/x" principal="a"')}\nsasl.kerberos.keytab=/y`),
      { ...nothing, keytab: "/y" },
    );
  },
});

Deno.test({
  name: "kerberos: what is wrong is a usage error that names the property",
  permissions: "none",
  fn: async () => {
    const cases: [string, RegExp][] = [
      [
        `${start}sasl.kerberos.service.name=kafka/host`,
        /^sasl\.kerberos\.service\.name is not the/,
      ],
      [`${start}sasl.kerberos.service.name=a b`, /^sasl\.kerberos\.service\.name is not the/],
      [`${start}sasl.kerberos.principal=a@b@c`, /^sasl\.kerberos\.principal is not NAME or/],
      [`${start}sasl.kerberos.principal=@X`, /^sasl\.kerberos\.principal is not NAME or/],
      [`${start}sasl.kerberos.keytab=MEMORY:x`, /^sasl\.kerberos\.keytab can only be a file$/],
      [jaas("useKeyTab=true"), /^sasl\.jaas\.config: useKeyTab=true requires keyTab="…"$/],
      [jaas('password="s3cret"'), /^sasl\.jaas\.config: option 1 is unknown/],
      [
        `${jaas('serviceName="a"')}\nsasl.kerberos.service.name=b`,
        /^sasl\.kerberos\.service\.name and serviceName of sasl\.jaas\.config differ$/,
      ],
      [
        `${start}sasl.jaas.config=a.PlainLoginModule required username="u" password="s3cret";`,
        /^sasl\.jaas\.config: sasl\.mechanism GSSAPI requires Krb5LoginModule$/,
      ],
    ];
    for (const [text, message] of cases) {
      const failure = await login(text).then(() => new Error(`taken: ${text}`), (error) => error);
      assert.ok(failure instanceof Failure, String(failure));
      assert.equal(failure.kind, "usage");
      assert.match(failure.message, message);
      assert.ok(!failure.message.includes("s3cret"));
    }
  },
});
