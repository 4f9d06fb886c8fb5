/** What can be wrong with a source, and the one line that each is told by. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { schemaSql } from "../../lib/greenplum/schema_files.ts";
import { startPostgres } from "../../scripts/servers/postgres.ts";
import { gpdbKafka, text } from "../support/cli.ts";
import { dialect, runScript } from "../support/load.ts";
import { startRole } from "../support/role.ts";

const ignore = dialect !== "postgres";

/** A wrong source of table `orders`, unless another one is named. */
interface Wrong {
  args: string[];
  /** What the command says; or else the database, of what the command prints. */
  command?: RegExp;
  database?: RegExp;
  /** With it: where the database says that it is, by the text that begins there. */
  at?: string;
}

const merge = ["--fields", "id, name, op", "--merge", "id"];

const wrong: Record<string, Wrong> = {
  "a key that is not one of the fields": {
    args: ["--fields", "name", "--merge", "id"],
    command: /^gpdb-kafka sql: --merge: "id" is not one of the fields, .* — the fields are name\n$/,
  },
  "a key that is not a column": {
    args: ["--fields", "id, name, op", "--merge", "op"],
    command: /^gpdb-kafka sql: --merge: the table has no column "op" — its columns are id, name\n$/,
  },
  "an expression for a column that the table does not have": {
    args: ["--fields", "id, name", "--select", "nam = upper(name)"],
    command:
      /^gpdb-kafka sql: --select: the table has no column "nam" — its columns are id, name\n$/,
  },
  "a table that has none of the columns": {
    args: ["--table", "other", "--fields", "id, name"],
    command:
      /^gpdb-kafka sql: --fields: no field has the name of a column of the table — its columns are x\n$/,
  },
  "a table that does not exist": {
    args: ["--table", "nothing", "--fields", "id"],
    command:
      /^gpdb-kafka sql: cannot read the columns of "nothing": relation "nothing" does not exist/,
  },
  "a condition that does not parse": {
    args: [...merge, "--where", "name = 1 1"],
    database: /^syntax error at or near "1"$/,
    at: "1\n",
  },
  "a condition whose parenthesis is not closed": {
    args: [...merge, "--delete-when", "(op = 'd'"],
    database: /^syntax error at end of input$|^syntax error at or near "FROM"$|^syntax error/,
    at: "",
  },
  "an expression whose quote is not closed": {
    args: [...merge, "--select", "name = 'a"],
    database: /^unterminated quoted string at or near/,
    at: "'a",
  },
  "an expression over a field that does not exist": {
    args: [...merge, "--select", "name = upper(nam)"],
    database: /^column "nam" does not exist$/,
    at: "nam)",
  },
  "an expression with a function that does not exist": {
    args: [...merge, "--select", "name = nothing(name)"],
    database: /^function nothing\(text\) does not exist$/,
    at: "nothing(",
  },
  "a condition that is not true or false": {
    args: [...merge, "--where", "id + 1"],
    database: /must be type boolean, not type integer$/,
    at: "id + 1",
  },
  "a view": {
    args: ["--table", "view_of_orders", ...merge],
    database: /^cannot load into public\.view_of_orders: it is a view$/,
  },
  "a view, without a merge": {
    args: ["--table", "view_of_orders", "--fields", "id, name"],
    database: /^cannot load into public\.view_of_orders: it is a view$/,
  },
};

Deno.test({
  name: "wrong sources: each is named in one line, an expression with its place",
  ignore,
  async fn(t) {
    await using pg = await startPostgres();
    const { sql, dsn } = pg;
    await runScript(pg, await schemaSql("postgres"));
    await sql`CREATE TABLE orders (id int, name text)`;
    await sql`CREATE TABLE other (x int)`;
    await sql`CREATE VIEW view_of_orders AS SELECT * FROM orders`;
    const source = async (args: string[]) => {
      const table = args.includes("--table") ? [] : ["--table", "orders"];
      const all = ["sql", "source", "s", "--for", "postgres", "-b", "k:9092", "--value", "json"];
      return await gpdbKafka([...all, ...table, "--dsn", dsn, ...args]);
    };
    for (const [name, { args, command, database, at }] of Object.entries(wrong)) {
      await t.step(name, async () => {
        const run = await source(args);
        if (command) {
          assert.equal(run.code, 64, run.stderr);
          assert.match(run.stderr, command);
          assert.equal(run.stderr.trimEnd().split("\n").length, 1);
          return;
        }
        assert.equal(run.code, 0, run.stderr);
        await assert.rejects(runScript(pg, text(run.stdout)), (error: Answer) => {
          assert.match(error.message, database!);
          if (at !== undefined) {
            const { internal_query: query = "", internal_position: position } = error;
            assert.ok(Number(position) > 0, error.message);
            assert.ok(query.slice(Number(position) - 1).startsWith(at), query);
          }
          return true;
        });
        assert.equal((await sql`SELECT 1 FROM kafka.source`).length, 0);
      });
    }
    await t.step("a field that goes nowhere is a warning", async () => {
      const run = await source(["--fields", "id, nmae, op", "--where", "OP <> 'x'"]);
      assert.equal(run.code, 0);
      assert.equal(
        run.stderr,
        '--fields: "nmae" is not a column of the table, and no expression uses it — did you mean "name"?\n',
      );
      assert.equal((await source(["--fields", "id, name"])).stderr, "");
    });
    await t.step("a merge by a role that may not delete", async () => {
      await runScript(pg, text((await source(merge)).stdout));
      await using role = await startRole(pg, "no_delete");
      await sql.unsafe(
        `SELECT kafka.allow('${role.name}'); GRANT INSERT ON orders TO ${role.quoted}`,
      );
      const run = await gpdbKafka(["load", "s", "--once", "--dsn", role.dsn]);
      assert.equal(run.code, 77);
      assert.equal(
        run.stderr,
        'gpdb-kafka load: cannot load source "s": permission denied for source "s": ' +
          "INSERT and DELETE on public.orders is required (SQLSTATE 42501)\n",
      );
    });
  },
});

interface Answer {
  message: string;
  internal_query?: string;
  internal_position?: string;
}

Deno.test("wrong sources: a load file of GPSS with an unknown version is named in one line", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const path = join(folder, "job.yaml");
    const versions: [string, RegExp][] = [
      ["VERSION: 4", /VERSION is "4" — only 2 and 3 are known\n$/],
      ["VERSION: 2.5", /VERSION is "2\.5" — only 2 and 3 are known\n$/],
      ["VERSION: [2]", /VERSION/],
      ["VERSION: 1", /VERSION is 1 \(the default\) — bring the file to version 2 or 3 first\n$/],
      ["DATABASE: x", /VERSION is 1 \(the default\) — bring the file to version 2 or 3 first\n$/],
    ];
    for (const [line, message] of versions) {
      await Deno.writeTextFile(path, `${line}\n`);
      const run = await gpdbKafka(["sql", "source", "--from-gpss", path]);
      assert.equal(run.code, 64, line);
      assert.match(run.stderr, message);
      assert.equal(run.stderr.split("\n").length, 2);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
