/**
 * Logins by Kerberos, against a KDC and a broker with its tickets. They need Debian's krb5-kdc,
 * krb5-admin-server, krb5-user and libgssapi-krb5-2, and are skipped without them.
 */
import assert from "node:assert/strict";
import { ConnectionError } from "../../lib/kafka/connection_error.ts";
import { consumer, type Finished, gpdbKafka, producer, text } from "../support/cli.ts";
import { following } from "../support/following.ts";
import { hasKdc, startKdc, startKerberosBroker, startLogin, withEnv } from "../support/kerberos.ts";
import { S, search } from "../support/planted_secrets.ts";
import { createTopic, produce, uniqueName } from "../support/kafka.ts";
import { until } from "../support/group.ts";

const login = { "security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "GSSAPI" };

/** Properties as flags. */
function given(properties: Record<string, string>): string[] {
  return Object.entries({ ...login, ...properties }).flatMap(([key, value]) => [
    "-X",
    `${key}=${value}`,
  ]);
}

/** Asserts an exit status and a message of one line. */
function ended({ code, stderr, stdout }: Finished, status: number, message: RegExp): void {
  assert.equal(code, status, stderr);
  assert.match(stderr, message);
  assert.equal(stderr.split("\n").length, 2, stderr);
  search("stderr", stderr);
  assert.equal(text(stdout), "");
}

// A library stays open until the process ends, which Deno 2.4 takes for a leak.
const options = { ignore: !hasKdc, sanitizeResources: false };

Deno.test("kerberos: with a KDC and a broker", options, async (t) => {
  await using kdc = await startKdc();
  const { broker, ca } = await startKerberosBroker(kdc);
  await using _broker = broker;
  const keytab = await kdc.principal("loader");
  const { env } = kdc;
  const at = broker.listeners;
  const topic = uniqueName("kerberos");
  await createTopic(broker, topic);
  await produce(broker, topic, [{ value: "1,a" }]);
  const byKeytab = { "sasl.kerberos.keytab": keytab, "sasl.kerberos.principal": "loader" };
  const read = (
    properties: Record<string, string>,
    { listener = "KRB", env: more = {}, args = [] as string[] } = {},
  ) => {
    const flags = ["-b", at[listener], "-t", topic, "-o", "0", ...given(properties), ...args];
    return consumer(flags, { env: { ...env, ...more } });
  };
  const reads = async (...args: Parameters<typeof read>) => {
    const run = await read(...args);
    assert.equal(run.code, 0, run.stderr);
    assert.equal(text(run.stdout).split("\n")[0], "1,a");
    assert.equal(run.stderr, "");
  };

  await t.step("a keytab: librdkafka's properties, with and without the principal", async () => {
    await reads({ ...byKeytab, "sasl.kerberos.service.name": "kafka" });
    await reads({ "sasl.kerberos.keytab": `FILE:${keytab}` });
    await reads({ ...byKeytab, "sasl.kerberos.principal": "loader@TEST.EXAMPLE" });
  });

  await t.step("a keytab: Java's file, in which what renews tickets has no effect", async () => {
    const file = `${kdc.folder}/java.properties`;
    await Deno.writeTextFile(
      file,
      `security.protocol=SASL_PLAINTEXT
sasl.mechanism=GSSAPI
sasl.kerberos.service.name=kafka
sasl.kerberos.kinit.cmd=/usr/bin/kinit
sasl.kerberos.ticket.renew.jitter=0.05
sasl.jaas.config=com.sun.security.auth.module.Krb5LoginModule required useKeyTab=true \\
  storeKey=true keyTab="${keytab}" principal="loader@TEST.EXAMPLE" useTicketCache=false;
`,
    );
    const run = await consumer(["-b", at.KRB, "-t", topic, "-o", "0", "-F", file], { env });
    assert.equal(run.code, 0, run.stderr);
    assert.equal(text(run.stdout), "1,a\n");
  });

  await t.step("a ticket cache: that of KRB5CCNAME, and one that Java's way names", async () => {
    const cache = await kdc.ticket("loader");
    await reads({}, { env: { KRB5CCNAME: cache } });
    await reads({ "sasl.kerberos.principal": "loader" }, { env: { KRB5CCNAME: cache } });
    const module = "com.sun.security.auth.module.Krb5LoginModule required useTicketCache=true";
    await reads({ "sasl.jaas.config": `${module} ticketCache="${cache.slice(5)}";` });
  });

  await t.step("over TLS", async () => {
    const tls = { "security.protocol": "SASL_SSL", "ssl.ca.location": ca };
    await reads({ ...byKeytab, ...tls }, { listener: "KRBTLS" });
  });

  await t.step("the producer, a group, and the administration", async () => {
    const flags = ["-b", at.KRB, ...given(byKeytab)];
    const written = uniqueName("kerberos");
    const group = uniqueName("kerberos");
    const run = async (work: Promise<Finished>) => {
      const finished = await work;
      assert.equal(finished.code, 0, finished.stderr);
      return text(finished.stdout);
    };
    await run(gpdbKafka(["topics", "create", written, ...flags], { env }));
    await run(producer(["-t", written, ...flags], { env, stdin: "1,x\n2,y\n" }));
    assert.equal(
      await run(consumer(["-t", written, "-g", group, ...flags], { env })),
      "1,x\n2,y\n",
    );
    assert.match(
      await run(gpdbKafka(["lag", "-t", written, "-g", group, ...flags], { env })),
      / 0\b/,
    );
    await run(gpdbKafka(["topics", "delete", written, "--yes", ...flags], { env }));
  });

  await t.step("doctor says who is logged in, and why not", async () => {
    const flags = ["doctor", "-b", at.KRB, "-t", topic];
    const good = await gpdbKafka([...flags, ...given(byKeytab)], { env });
    assert.equal(good.code, 0, text(good.stdout));
    assert.match(
      text(good.stdout),
      /^ok +login: principal "loader" of the keytab is logged in with GSSAPI$/m,
    );
    const bad = await gpdbKafka([...flags, ...given({})], { env });
    assert.equal(bad.code, 1, text(bad.stdout));
    assert.match(
      text(bad.stdout),
      /^fail +login: .*the ticket cache has no valid ticket.* sasl\.kerberos\.principal$/m,
    );
  });

  await t.step("what is wrong is one line, and 77 unless it is a file: 64", async () => {
    const other = await kdc.principal("other");
    const gone = await kdc.principal("gone");
    await kdc.admin("delprinc -force gone");
    const stale = await kdc.principal("stale");
    await kdc.admin("cpw -randkey stale");
    const locked = await kdc.principal("locked", "-allow_tix");
    const noRealm = await kdc.config("no-realm.conf", (text) => text.replace("[realms]", "[none]"));
    const cases: [Parameters<typeof read>, number, RegExp][] = [
      [[{}], 77, /the ticket cache has no valid ticket \(.*\) — run kinit, name the cache/],
      [
        [{ "sasl.kerberos.keytab": other, "sasl.kerberos.principal": "loader" }],
        77,
        /"\S+" has no keys of principal "loader"; it has those of other@TEST\.EXAMPLE$/m,
      ],
      [
        [{ "sasl.kerberos.keytab": gone }],
        77,
        /the KDC does not know principal "gone@TEST\.EXAMPLE" — check/,
      ],
      [
        [{ "sasl.kerberos.keytab": stale }],
        77,
        /the keys of principal "stale@TEST\.EXAMPLE" are others by now — exp/,
      ],
      [
        [{ "sasl.kerberos.keytab": locked }],
        77,
        /principal "locked@TEST\.EXAMPLE" is locked or has expired/,
      ],
      [
        [{ "sasl.kerberos.keytab": `${kdc.folder}/none` }],
        64,
        /sasl\.kerberos\.keytab: cannot read "\S+\/none": No such file/,
      ],
      // A secret in the wrong place.
      [
        [{ "sasl.kerberos.keytab": S }],
        64,
        /sasl\.kerberos\.keytab: cannot read its file: No such/,
      ],
      [[{ "sasl.kerberos.keytab": ca }], 64, /sasl\.kerberos\.keytab: "\S+" is not a keytab$/m],
      [
        [{ ...byKeytab, "sasl.kerberos.service.name": "krafka" }],
        77,
        /the KDC does not know the broker's principal krafka\/127\.0\.0\.1 — check sasl\.kerb/,
      ],
      [[byKeytab, { env: { KRB5_CONFIG: noRealm } }], 77, /krb5\.conf names no KDC of the realm/],
      [
        [byKeytab, { listener: "OTHER" }],
        77,
        /rejects principal "loader@TEST\.EXAMPLE" with GSSAPI: .*the broker's log says why/,
      ],
      [
        [{ ...byKeytab, "sasl.mechanism": "PLAIN", "sasl.username": "u", "sasl.password": "p" }],
        77,
        /does not accept sasl\.mechanism PLAIN: .*; it accepts GSSAPI$/m,
      ],
    ];
    for (const [args, code, message] of cases) ended(await read(...args), code, message);
    // kafkajs says the same.
    const flags = ["-b", at.KRB, ...given({ ...byKeytab, "sasl.kerberos.keytab": other })];
    const group = await consumer(["-t", topic, "-g", uniqueName("g"), ...flags], { env });
    ended(group, 77, /has no keys of principal "loader"/);
    const deleted = await gpdbKafka(["topics", "delete", topic, "--yes", ...flags], { env });
    ended(deleted, 77, /has no keys of principal "loader"/);
  });

  await t.step("an expired ticket is 77; a keytab gets a new one", async () => {
    const short = await kdc.principal("short", "-maxlife 3sec");
    const cache = await kdc.ticket("short");
    await new Promise((resolve) => setTimeout(resolve, 4000));
    ended(await read({}, { env: { KRB5CCNAME: cache } }), 77, /the ticket has expired — run kinit/);
    await withEnv(env, async () => {
      await startLogin(short);
      await new Promise((resolve) => setTimeout(resolve, 4000));
      await startLogin(short);
      // It is not renewed while the KDC is down: then another try may help.
      await kdc.stop();
      await new Promise((resolve) => setTimeout(resolve, 4000));
      const failed = await startLogin(short).then(() => null, (error) => error);
      assert.ok(failed instanceof ConnectionError, String(failed));
      assert.match(failed.message, /no KDC can be reached/);
      await kdc.start();
      await startLogin(short);
    });
  });

  await t.step("a run without an end logs in again, with new tickets", async () => {
    const short = `${kdc.folder}/short.keytab`;
    const flags = ["-b", at.SESSION, ...given({ "sasl.kerberos.keytab": short })];
    const follow = ["-t", topic, "-o", "0", "--until", "forever", "-v", "--timeout", "20s"];
    const run = following([...follow, ...flags], env);
    for (let i = 2; i <= 4; i++) {
      await produce(broker, topic, [{ value: `${i},b` }]);
      await until(`row ${i} and another login`, 30_000, () => {
        const again = run.stderr.match(/logged in again, for [\d.]+ s/g) ?? [];
        return Promise.resolve(run.stdout.includes(`${i},b\n`) && again.length >= i - 1);
      });
    }
    await run.end();
    assert.equal(run.stdout, "1,a\n2,b\n3,b\n4,b\n");
    assert.doesNotMatch(run.stderr, /closed the connection|rejects|cannot/);
  });

  await t.step("a group outlives a KDC that is down for longer than a ticket is good", async () => {
    const short = `${kdc.folder}/short.keytab`;
    const own = uniqueName("kerberos");
    await createTopic(broker, own);
    const flags = ["-b", at.SESSION, ...given({ "sasl.kerberos.keytab": short })];
    const follow = ["-t", own, "-g", own, "--until", "forever", "-v", "--timeout", "30s"];
    const run = following([...follow, ...flags], env);
    await produce(broker, own, [{ value: "1,a" }]);
    await until("the first row", 30_000, () => Promise.resolve(run.stdout.includes("1,a\n")));
    await kdc.stop();
    await until(
      "a login that fails",
      30_000,
      () => Promise.resolve(/no KDC can be reached/.test(run.stderr)),
    );
    await new Promise((resolve) => setTimeout(resolve, 4000));
    await kdc.start();
    await produce(broker, own, [{ value: "2,b" }]);
    await until("the second row", 30_000, () => Promise.resolve(run.stdout.includes("2,b\n")));
    await run.end();
    assert.equal(run.stdout, "1,a\n2,b\n");
  });

  await t.step("1,000 logins leave no memory behind", async () => {
    await withEnv(env, async () => {
      for (let i = 0; i < 300; i++) await startLogin(keytab);
      const before = Deno.memoryUsage().rss;
      for (let i = 0; i < 1000; i++) await startLogin(keytab);
      const grown = Deno.memoryUsage().rss - before;
      // What a login holds is 12 KB.
      assert.ok(grown < 6_000_000, `${grown} bytes`);
    });
  });

  await t.step(
    "a ticket for the broker is enough while the KDC is down; a keytab is not",
    async () => {
      const cache = await kdc.ticket("loader");
      await reads({}, { env: { KRB5CCNAME: cache } });
      await kdc.stop();
      await reads({}, { env: { KRB5CCNAME: cache } });
      const down = await read(byKeytab, { args: ["--timeout", "2s"] });
      ended(down, 69, /no KDC can be reached — check .*krb5\.conf.* \(tried for 2 s\)$/m);
      await kdc.start();
      await reads(byKeytab);
    },
  );

  await t.step("a KDC that is silent is 69 at the deadline", async () => {
    kdc.pause();
    try {
      const run = await read(byKeytab, { args: ["--timeout", "2s"] });
      ended(
        run,
        69,
        /no answer of Kerberos within 1\.6 s — check that a KDC .* \(tried for 2 s\)$/m,
      );
      assert.ok(run.ms < 30_000, `${run.ms} ms`);
    } finally {
      kdc.resume();
    }
    await reads(byKeytab);
  });
});
