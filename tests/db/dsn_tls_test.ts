import assert from "node:assert/strict";
import { startPostgres } from "../../scripts/servers/postgres.ts";
import { authority } from "../support/certificates.ts";
import { gpdbKafka, programDeno } from "../support/cli.ts";
import { useTls } from "../support/database_tls.ts";
import { dialect, ownServer } from "../support/load.ts";

Deno.test({
  name: "dsn: sslmode and sslrootcert, with the authorities that everything else trusts",
  ignore: !ownServer || dialect === "greenplum",
  async fn() {
    await using pg = await startPostgres();
    const ours = authority("ours");
    const other = authority("another");
    const folder = await Deno.makeTempDir();
    try {
      const file = async (name: string, text: string) => {
        await Deno.writeTextFile(`${folder}/${name}`, text);
        return `${folder}/${name}`;
      };
      const own = await file("own.pem", ours.certificate);
      const others = await file("others.pem", other.certificate);
      const named = ours.issue({ name: "x", hosts: ["localhost"] });
      await useTls(pg, named.certificate, named.key);
      await pg.sql`CREATE TABLE things (id int)`;

      const host = { SSL_CERT_FILE: own, SSL_CERT_DIR: "/nonexistent" };
      const at = (name: string) => pg.dsn.replace("127.0.0.1", name);
      const untrusted =
        /^gpdb-kafka sql: .*cannot trust the certificate of the database at localhost:\d+: no trusted authority has signed it: "ours" has, .* — set ssl/;
      const cases: [string, string, Record<string, string>, number, RegExp][] = [
        ["the right authority", `?sslmode=verify-full&sslrootcert=${own}`, {}, 0, /^$/],
        ["from variables", "", { PGSSLMODE: "verify-full", PGSSLROOTCERT: own }, 0, /^$/],
        ["the host's", "?sslmode=verify-full", host, 0, /^$/],
        ["system is the host's", "?sslrootcert=system", host, 0, /^$/],
        ["another authority", `?sslmode=verify-full&sslrootcert=${others}`, {}, 77, untrusted],
        [
          "another, not the host's",
          `?sslmode=verify-ca&sslrootcert=${others}`,
          host,
          77,
          untrusted,
        ],
        [
          "another, nor the runtime's",
          `?sslmode=verify-full&sslrootcert=${others}`,
          { ...host, DENO_TLS_CA_STORE: "system", NODE_EXTRA_CA_CERTS: own },
          77,
          untrusted,
        ],
        ["a file is there to be used", `?sslmode=require&sslrootcert=${others}`, {}, 77, untrusted],
        ["nobody's", "?sslmode=verify-full", { SSL_CERT_FILE: others }, 77, untrusted],
        [
          "unchecked",
          "?sslmode=require",
          {},
          ...(programDeno().startsWith("2.4.")
            ? [64, /cannot use TLS without checking the certificate — use verify-full/] as const
            : [0, /^$/] as const),
        ],
        [
          "no file",
          "?sslmode=verify-full&sslrootcert=/none",
          {},
          64,
          /sslrootcert: cannot read its/,
        ],
        ["no mode", "", { PGSSLMODE: "s3cret" }, 64, /env PGSSLMODE is not a mode of libpq/],
      ];
      for (const [name, query, env, code, stderr] of cases) {
        const dsn = at("localhost") + query;
        const args = ["sql", "source", "things", "--for", "postgres", "--dsn", dsn];
        const run = await gpdbKafka(args, { env });
        assert.equal(run.code, code, `${name}: ${run.stderr}`);
        assert.match(run.stderr, stderr, name);
      }
      // An address is not a name that the certificate holds.
      const query = `?sslmode=verify-full&sslrootcert=${own}`;
      const run = await gpdbKafka(
        ["sql", "source", "things", "--for", "postgres", "--dsn", at("127.0.0.1") + query],
      );
      assert.equal(run.code, 77, run.stderr);
      assert.match(
        run.stderr,
        /at 127\.0\.0\.1:\d+: it is not for "127\.0\.0\.1" but for localhost —/,
      );
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
