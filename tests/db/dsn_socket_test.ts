import assert from "node:assert/strict";
import { dirname } from "node:path";
import { gpdbKafka, text } from "../support/cli.ts";
import { dialect, ownServer } from "../support/load.ts";
import { startPostgres } from "../../scripts/servers/postgres.ts";

Deno.test({
  name: "dsn: each command that reads a database reaches it over a Unix socket",
  ignore: !ownServer || dialect !== "postgres",
  async fn() {
    await using pg = await startPostgres();
    await pg.sql`CREATE TABLE things (name text)`;
    const { username, password, port } = new URL(pg.dsn);
    const socket = new URLSearchParams({ host: dirname(pg.dataDir!), port });
    const dsn = `postgres://${username}:${password}@/postgres?${socket}`;
    const broker = ["-b", "127.0.0.1:1"];
    const missing = /kafka.* does not exist/;
    const cases: [string[], number, RegExp][] = [
      [["sql", "source", "things", "--table", "things", ...broker], 0, /kafka\._?\w+/],
      [["lag", "--source", "things", ...broker], 64, missing],
      [["load", "things"], 64, missing],
      [["doctor", "--source", "things", ...broker], 1, missing],
    ];
    for (const [args, code, expected] of cases) {
      const run = await gpdbKafka([...args, "--dsn", dsn]);
      const all = text(run.stdout) + run.stderr;
      assert.equal(run.code, code, `${args[0]}: ${all}`);
      assert.match(all, expected);
      assert.doesNotMatch(all, /bug|NotCapable/);
    }
  },
});
