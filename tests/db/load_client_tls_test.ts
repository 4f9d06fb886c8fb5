/** Rows of a source that gpdb-kafka reads itself, over TLS to the database. */
import assert from "node:assert/strict";
import { schemaSql } from "../../lib/greenplum/schema_files.ts";
import { startBroker } from "../../scripts/servers/broker.ts";
import { startPostgres } from "../../scripts/servers/postgres.ts";
import { authority } from "../support/certificates.ts";
import { gpdbKafka, programDeno } from "../support/cli.ts";
import { useTls } from "../support/database_tls.ts";
import { createTopic, produce, uniqueName } from "../support/kafka.ts";
import { addSource, dialect, ownServer, runScript } from "../support/load.ts";

Deno.test({
  name: "client: rows are streamed over TLS, checked or not, and what is not trusted gets none",
  ignore: !ownServer || dialect === "greenplum",
  async fn() {
    await using pg = await startPostgres();
    await using broker = await startBroker();
    const { sql } = pg;
    const ours = authority("ours");
    const folder = await Deno.makeTempDir();
    try {
      const own = `${folder}/own.pem`;
      const others = `${folder}/others.pem`;
      await Deno.writeTextFile(own, ours.certificate);
      await Deno.writeTextFile(others, authority("another").certificate);
      const named = ours.issue({ name: "x", hosts: ["localhost"] });
      await useTls(pg, named.certificate, named.key);
      await runScript(pg, await schemaSql("postgres"));
      await sql`CREATE TABLE things (id int, name text)`;
      const topic = uniqueName("tls");
      await createTopic(broker, topic);
      await addSource(pg, broker, { name: "things", topic, table: "things", via: "client" });
      // More than what one write takes.
      const name = "x".repeat(10_000);
      const records = Array.from({ length: 400 }, (_, id) => ({ value: `${id},${name}` }));
      const load = async (query: string) => {
        for (let at = 0; at < 400; at += 80) {
          await produce(broker, topic, records.slice(at, at + 80));
        }
        const dsn = pg.dsn.replace("127.0.0.1", "localhost") + query;
        return await gpdbKafka(["load", "things", "--dsn", dsn, "--once"]);
      };
      const ways = [`?sslmode=verify-full&sslrootcert=${own}`];
      if (!programDeno().startsWith("2.4.")) ways.push("?sslmode=require");
      for (const [i, query] of ways.entries()) {
        const run = await load(query);
        assert.deepEqual([run.code, run.stderr], [0, ""], query);
        const [found] = await sql`
          SELECT count(*)::int AS rows, count(DISTINCT id)::int AS ids, min(length(name)) AS length
          FROM things`;
        assert.deepEqual({ ...found }, { rows: 400 * (i + 1), ids: 400, length: 10_000 });
      }
      const untrusted = await load(`?sslmode=verify-full&sslrootcert=${others}`);
      assert.equal(untrusted.code, 77, untrusted.stderr);
      assert.match(untrusted.stderr, /cannot trust the certificate of the database/);
      assert.equal((await sql`SELECT 1 FROM things`).length, 400 * ways.length);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
