import assert from "node:assert/strict";
import { freePorts } from "../../scripts/servers/broker/ports.ts";
import { type Program, start, text } from "../support/cli.ts";
import { createTopic, produce, uniqueName } from "../support/kafka.ts";
import { addSource, dialect, installKafka, ownServer, startDatabase } from "../support/load.ts";
import { type Planted, runAll, S, search, withFolder } from "../support/planted_secrets.ts";
import { secrets, type SecureBroker, startSecureBroker } from "../support/secure_broker.ts";

Deno.test("secrets: a DSN that cannot be read is not shown, wherever it was given", () =>
  withFolder(async (folder) => {
    const shapes = [
      `postgres://u:${S}#x@h/d`,
      `postgres://u:${S}/x@h/d`,
      `postgres://u:${S}?x@h/d`,
      `postgres://u:${S}@h:x/d`,
      `postgres://u:${S}@h:1,h2:y/d`,
      `postgres://u:${S}%@h/d`,
      `postgres://u:12/${S}@h/d`,
      `postgres://u:${S}/d`,
      `postgres://${S}:x y@h/d`,
      `postgres:/u:${S}@h/d`,
      `mysql://u:${S}@h/d`,
      `host=h password=${S}`,
      S,
      `postgres://u:p@h/d?sslpassword=${S}`,
      `postgres://u:p@h/d?sslmode=${S}`,
      `postgres://u:p@h/d?${S}`,
    ];
    const table = ["--for", "postgres", "--table", "t"];
    await runAll([
      ...shapes.map((dsn) => ({ args: ["load", "x", "--dsn", dsn], codes: [64] })),
      ...shapes.slice(0, 5).flatMap((dsn): Planted[] => [
        { args: ["load", "x"], env: { DATABASE_URL: dsn }, codes: [64] },
        { args: ["lag", "--source", "x", "--dsn", dsn], codes: [64] },
        { args: ["doctor", "--source", "x", "--dsn", dsn], codes: [64] },
        { args: ["sql", "source", "x", ...table, "--dsn", dsn], codes: [64] },
      ]),
      { args: ["load", "x"], env: { DATABASE_URL: "postgres://h", PGSSLMODE: S }, codes: [64] },
    ], folder);
    // In the wrong place, where it is a word too many, and a flag's value.
    const whole = `postgres://u:${S}@h/d`;
    const words: [Program, string[]][] = [
      ["main", [whole]],
      ["consumer", ["-t", "x", whole]],
      ["main", ["load", "x", whole]],
      ["main", ["lag", "-g", "x", whole]],
      ["main", ["doctor", whole]],
      ["main", ["sql", whole]],
      ["main", ["sql", "schema", whole]],
      ["main", ["sql", "table", whole, "--value", "json"]],
      ["main", ["topics", whole]],
      ["main", ["topics", "list", whole]],
      ["main", ["offsets", whole]],
      ["consumer", ["-t", "x", `sasl.password=${S}`]],
      ["consumer", ["-t", whole]],
      ["consumer", ["-t", "x", "-b", whole]],
      ["consumer", ["-t", "x", "--until", whole]],
      ["consumer", ["-t", "x", `--sasl.password=${S}`]],
      ["main", ["load", "x", "--dsn", "postgres://h", "--listen", whole]],
    ];
    const to = ["-b", "127.0.0.1:1", "--timeout", "300ms"];
    await runAll([
      ...words.map(([program, args]) => ({ program, args, codes: [64] })),
      // Files are opened once the broker is there.
      { program: "producer", args: ["-t", "x", whole, ...to], codes: [69] },
    ], folder);
  }));

Deno.test("secrets: a property that is wrong is not shown, in a file, by -X, in a variable", () =>
  withFolder(async (folder) => {
    const plain = "security.protocol=SASL_PLAINTEXT\nsasl.mechanism=PLAIN\n";
    const module = "org.apache.kafka.common.security.plain.PlainLoginModule required";
    const jaas = (text: string) => `${plain}sasl.jaas.config=${module} ${text}`;
    const files = [
      `sasl.password ${S}`,
      `sasl password=${S}`,
      `sasl.passwrd=${S}`,
      `ssl.keystore.password=${S}`,
      `sasl.oauthbearer.client.secret=${S}`,
      `security.protocol=${S}`,
      `security.protocol=SASL_SSL\nsasl.mechanism=${S}`,
      `${plain}sasl.password=${S}`,
      jaas(`username="u" password="${S}"`),
      jaas(`username="u" password "${S}";`),
      jaas(`username="u" pasword="${S}";`),
      jaas(`username="u" password="x"${S}="y";`),
      jaas(`username="u" password="${S}`),
      `${plain}sasl.jaas.config=${S}`,
      `${plain}sasl.jaas.config=a.${S} required username="u";`,
      `security.protocol=SSL\nssl.key.location=-----BEGIN ${S}`,
      `security.protocol=SSL\nssl.certificate.location=${S}\nssl.key.location=x`,
      `security.protocol=SSL\nssl.ca.pem=${S}`,
      `security.protocol=SSL\nssl.certificate.pem=${S}\nssl.key.pem=${S}`,
      `security.protocol=SSL\nssl.endpoint.identification.algorithm=${S}`,
      `security.protocol=SSL\nssl.keystore.type=${S}\nssl.keystore.location=x`,
      `security.protocol=SSL\nssl.enabled.protocols=${S}`,
      `ssl.protocol=${S}`,
      "security.protocol=SASL_PLAINTEXT\nsasl.mechanism=OAUTHBEARER\n" +
      `sasl.oauthbearer.token.file=${S}`,
      "security.protocol=SASL_PLAINTEXT\nsasl.mechanism=OAUTHBEARER\n" +
      `sasl.oauthbearer.token.endpoint.url=https://u:${S}@idp/token`,
      "security.protocol=SASL_PLAINTEXT\nsasl.mechanism=OAUTHBEARER\n" +
      `sasl.oauthbearer.token.file=x\nsasl.oauthbearer.extensions=${S}`,
      `bootstrap.servers=SASL_SSL://u:${S}@h:9092`,
      ...[
        `sasl.kerberos.keytab=${S}`,
        `sasl.kerberos.keytab=MEMORY:${S}`,
        `sasl.kerberos.service.name=x ${S}`,
        `sasl.kerberos.principal=u@r@${S}`,
        `sasl.jaas.config=a.Krb5LoginModule required password="${S}";`,
        `sasl.jaas.config=a.Krb5LoginModule required useKeyTab="${S}" keyTab="${S}";`,
      ].map((line) => `security.protocol=SASL_PLAINTEXT\nsasl.mechanism=GSSAPI\n${line}`),
    ];
    // Nobody listens there: what gets as far as that ends with 69.
    const to = ["-b", "127.0.0.1:1", "--timeout", "300ms"];
    const planted: Planted[] = [];
    for (const [i, lines] of files.entries()) {
      const path = `${folder}/${i}.conf`;
      await Deno.writeTextFile(path, lines + "\n");
      const brokers = lines.startsWith("bootstrap") ? to.slice(2) : to;
      const args = ["-t", "x", "-o", "0", "-F", path, ...brokers];
      planted.push({ program: "consumer", args, codes: [64, 69] });
    }
    for (const lines of [files[3], files[10], files[14], files[15], files[21]]) {
      const flags = lines.split("\n").flatMap((line) => ["-X", line]);
      planted.push({ program: "producer", args: ["-t", "x", ...flags, ...to], codes: [64, 69] });
      planted.push({ args: ["topics", "list", ...flags, ...to], codes: [64, 69] });
      planted.push({ args: ["doctor", ...flags, ...to], codes: [64, 1] });
    }
    const bearer = ["-X", "security.protocol=SASL_PLAINTEXT", "-X", "sasl.mechanism=OAUTHBEARER"];
    const at = (env: Record<string, string>, ...args: string[]) =>
      planted.push({ program: "consumer", args: ["-t", "x", ...args], env, codes: [64, 69] });
    at({ KAFKA_BROKERS: `kafka+ssl://u:${S}@h:9096` });
    at({ KAFKA_PEERS: `a:1,u:${S}@h:9096` });
    at({ KAFKA_CONFIG: `sasl.password=${S}` });
    at({ KAFKA_OAUTHBEARER_TOKEN: `${S} x` }, ...bearer, ...to);
    at({ KAFKA_OAUTHBEARER_TOKEN: S }, ...bearer, ...to);
    at({ KAFKA_SASL_PASSWORD: S }, "-X", "security.protocol=SASL_SSL", ...to);
    at({}, "-X", S);
    at({}, "-X", `linger.ms=${S}`);
    await runAll(planted, folder);
  }));

/** Files of properties for a login that works and one that does not, with every kind of secret. */
async function logins({ file }: SecureBroker, folder: string): Promise<[string, string]> {
  const lines = (password: string) =>
    [
      ...["security.protocol=SASL_SSL", `ssl.ca.location=${file("ca")}`],
      ...["sasl.mechanism=PLAIN", "sasl.username=alice", `sasl.password=${password}`],
      ...[`ssl.certificate.location=${file("client")}`, `ssl.key.password=${secrets.keyPassword}`],
      `ssl.key.location=${file("encrypted-key")}`,
    ].map((line) => line + "\n").join("");
  const paths: [string, string] = [`${folder}/right.conf`, `${folder}/wrong.conf`];
  await Deno.writeTextFile(paths[0], lines(secrets.plain));
  await Deno.writeTextFile(paths[1], lines(S));
  // The server of the database reads them too.
  for (const path of [folder, ...paths, ...["ca", "client", "encrypted-key"].map(file)]) {
    await Deno.chmod(path, path === folder ? 0o755 : 0o644);
  }
  return paths;
}

Deno.test({
  name: "secrets: no output of a command has one, whether it works or not",
  ignore: !ownServer || dialect === "greenplum",
  async fn(t) {
    await withFolder(async (folder) => {
      await using secure = await startSecureBroker();
      await using pg = await startDatabase();
      const { broker, at } = secure;
      await Deno.chmod(broker.folder, 0o755);
      const [right, wrong] = await logins(secure, folder);
      await installKafka(pg);
      const topic = uniqueName("secret");
      await createTopic(broker, topic);
      await produce(broker, topic, [{ value: "1" }]);
      await pg.sql`CREATE TABLE things (id int)`;
      await pg.sql.unsafe(`CREATE ROLE etl LOGIN SUPERUSER PASSWORD '${S}'`);
      const url = new URL(pg.dsn);
      const dsn = (password: string) =>
        `postgres://etl:${password}@${url.host}${url.pathname}?application_name=a`;
      const source = { topic, table: "things", brokers: at.SASL };
      await addSource(pg, broker, { ...source, name: "good", configFile: right });
      await addSource(pg, broker, { ...source, name: "bad", configFile: wrong });

      const connect = (config: string) => ["-b", at.SASL, "-F", config, "--timeout", "30s"];
      await t.step("commands of Kafka", async () => {
        const planted = [right, wrong].flatMap((config): Planted[] => {
          const codes = config === right ? [0] : [77];
          const flags = connect(config);
          const group = ["-g", `${topic}-${codes[0]}`];
          return [
            { program: "consumer", args: ["-t", topic, "-o", "0", ...flags], codes },
            { program: "consumer", args: ["-t", topic, ...group, ...flags], codes },
            {
              program: "consumer",
              // A group of its own: the reader above may run at the same time.
              args: ["-t", topic, "-g", `${group[1]}-members`, "--assign", "group", ...flags],
              codes,
            },
            { program: "consumer", args: ["plan", "-t", topic, ...flags], codes },
            { program: "producer", args: ["-t", topic, ...flags], stdin: "2\n", codes },
            { args: ["topics", "list", ...flags], codes },
            { args: ["topics", "describe", topic, ...flags], codes },
            { args: ["topics", "create", `${topic}-${codes[0]}`, ...flags], codes },
            { args: ["offsets", "show", ...group, ...flags], codes },
            { args: ["lag", ...group, ...flags], codes },
            { args: ["sql", "table", topic, "--value", "json", ...flags], codes },
            { args: ["doctor", "-t", topic, ...flags], codes: [codes[0] === 0 ? 0 : 1] },
          ];
        });
        await runAll(planted, folder);
        const key = ["-X", `ssl.key.password=${S}`];
        await runAll([
          { program: "consumer", args: ["-t", topic, ...connect(right), ...key], codes: [64] },
          { args: ["doctor", ...connect(right), ...key], codes: [1] },
        ], folder);
      });

      await t.step("commands of the database", async () => {
        const others = [dsn("x" + S), dsn(S).replace("/postgres", "/none"), dsn(S)];
        const env = { PGPASSWORD: S, KAFKA_CONFIG: right };
        const open = dsn(S).replace(`:${S}`, "");
        const table = ["--for", "postgres", "--table", "things", "--config", right];
        await runAll([
          ...others.flatMap((dsn, i): Planted[] => {
            const codes = i === 2 ? [0] : i === 1 ? [64] : [77];
            return [
              { args: ["load", "good", "--dsn", dsn], codes },
              { args: ["load", "good"], env: { DATABASE_URL: dsn }, codes },
              { args: ["sql", "source", "s", ...table, "--dsn", dsn], codes },
              { args: ["lag", "--source", "good", "--dsn", dsn, "-F", right], codes },
              {
                args: ["doctor", "--source", "good", "--dsn", dsn, ...connect(right).slice(2)],
                codes: [0, 1],
              },
            ];
          }),
          { args: ["load", "good", "--dsn", open], env, codes: [0] },
          { args: ["load", "bad", "--dsn", open, "--timeout", "1s"], env, codes: [69, 77] },
          { args: ["load", "none", "--dsn", open], env, codes: [64] },
        ], folder);
      });

      await t.step(
        "a server of metrics and of the page, a process, a session, and what psql shows",
        async () => {
          const [port] = freePorts(1);
          const listen = ["--listen", `127.0.0.1:${port}`];
          const child = start("main", ["load", "good", "--every", "200ms", ...listen], {
            env: { DATABASE_URL: dsn(S).replace("?application_name=a", "") },
          });
          const ask = async (path: string, pattern: RegExp) => {
            const deadline = performance.now() + 30_000;
            for (let seen = ""; !pattern.test(seen);) {
              assert.ok(performance.now() < deadline, `no ${pattern} in ${seen}`);
              await new Promise((resolve) => setTimeout(resolve, 100));
              seen = await fetch(`http://127.0.0.1:${port}${path}`).then((r) => r.text(), String);
              search(path, seen);
            }
          };
          try {
            child.stdin.close();
            // Once a load has worked, one that fails does not end it.
            await ask("/metrics", /^gpdb_kafka_up\{source="good"\} 1$/m);
            await Deno.copyFile(wrong, right);
            await ask(
              "/healthz",
              /^the last load failed; loads have failed since \S+; see the log\n$/,
            );
            await ask("/metrics", /^gpdb_kafka_up\{source="good"\} 0$/m);
            await ask("/", /<b>good<\/b>: .*exit code 77/);
            for (const name of ["cmdline", "comm"]) {
              search(name, await Deno.readTextFile(`/proc/${child.pid}/${name}`));
            }
            const sessions = await pg.sql`
            SELECT application_name, query FROM pg_stat_activity
            WHERE application_name LIKE 'gpdb-kafka%'`;
            assert.ok(sessions.length > 0);
            search("pg_stat_activity", JSON.stringify(sessions));
            child.kill("SIGTERM");
            const { stdout, stderr } = await child.output();
            assert.match(text(stdout), /good: .*exit code 77: .*trying again/);
            search("load's stdout", text(stdout));
            search("load's stderr", text(stderr));
          } finally {
            try {
              child.kill("SIGKILL");
            } catch {
              // It has ended.
            }
          }
          for (const table of ["source", "status", "load_history", "load_offset"]) {
            const rows = await pg.sql.unsafe(`SELECT t::text FROM kafka.${table} t`);
            search(`kafka.${table}`, JSON.stringify(rows));
          }
          const error = await pg.sql`SELECT kafka.load('bad')`.then(() => null, (error) => error);
          assert.ok(error);
          search("an error of SQL", JSON.stringify({ ...error, message: error.message }));
          search(
            "what \\d shows",
            JSON.stringify(await pg.sql`SELECT ftoptions FROM pg_foreign_table`),
          );
          // The statement of this test that sets the password is not one of ours.
          const log = await Deno.readTextFile(`${pg.home}/../log`);
          search("the database's log", log.replaceAll(/.*CREATE ROLE.*/g, ""));
        },
      );
    });
  },
});
