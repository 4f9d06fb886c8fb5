/** Sources that gpdb-kafka reads itself, beside the same ones read by a program of the server. */
import assert from "node:assert/strict";
import { gpdbKafka, text } from "../support/cli.ts";
import { createTopic, produce, type TestRecord, uniqueName } from "../support/kafka.ts";
import { dialect, ownServer, runScript } from "../support/load.ts";
import { clientSession } from "../support/load_client.ts";
import { canReject, loadCounts } from "../support/load_shaped.ts";
import { startWorld, type World } from "../support/load_world.ts";
import { Random } from "../support/random.ts";

/** Runs what `gpdb-kafka sql source` prints. */
async function add({ broker, dsn, sql }: World, name: string, flags: readonly string[]) {
  const source = ["sql", "source", name, "--for", "postgres", "--dsn", dsn];
  const run = await gpdbKafka([...source, "-b", broker.bootstrap, ...flags]);
  assert.equal(run.code, 0, run.stderr);
  await runScript({ sql }, text(run.stdout));
}

interface Case {
  name: string;
  table: string;
  flags: string[];
  /** A record of random content; some of them fit nothing. */
  record(random: Random): TestRecord;
  needsReject?: boolean;
}

const json = (value: unknown) => value === null ? null : JSON.stringify(value);

const cases: Case[] = [
  {
    name: "rows as they come, with quotes, line ends in quotes, and text of many bytes",
    table: "(id int, name text)",
    flags: ["--csv", "delimiter=;"],
    record: (random) => ({
      value: `${random.int(0, 99)};"a ""quoted""\nÄ€𝄞 ${"x".repeat(random.int(0, 3000))}"`,
    }),
  },
  {
    name: "columns of the record, values as fields, tombstones as rows",
    table: "(p int, o bigint, k text, value text)",
    flags: ["--columns", "partition,offset,key", "--value", "field", "--tombstones", "empty"],
    record: (random) => ({
      key: `k${random.int(0, 9)}`,
      value: random.int(0, 4) === 0 ? null : `any "text", \\. of ${random.int(0, 99)}`,
    }),
  },
  {
    name: "records of several rows, in hexadecimal beside it",
    table: "(id int, name text)",
    flags: ["--value", "rows"],
    record: (random) => ({
      value: Array.from({ length: random.int(1, 4) }, (_, i) => `${i},"n${i}"`).join("\n"),
    }),
  },
  {
    name: "fields of JSON, mapped, computed and filtered",
    table: "(id int, name text, total numeric, tags jsonb)",
    flags: [
      ...["--value", "json", "--fields", "id, name=who.name, amount:numeric, tags"],
      ...["--select", "total = amount * 2", "--where", "name IS DISTINCT FROM 'x'"],
    ],
    record: (random) => ({
      value: json({
        id: random.int(0, 99),
        who: { name: random.int(0, 3) === 0 ? "x" : `n ${random.int(0, 9)}` },
        amount: random.int(0, 999) / 8,
        tags: ["a", { b: null }],
      }),
    }),
  },
  {
    name: "merges of JSON by key, with deletes",
    table: "(id int PRIMARY KEY, name text, note text DEFAULT 'kept')",
    flags: [
      ...["--value", "json", "--key", "json", "--key-fields", "id", "--fields", "name, op"],
      ...["--merge", "id", "--tombstones", "delete", "--delete-when", "op = 'd'"],
    ],
    record: (random) => ({
      key: json({ id: random.int(0, 20) }),
      value: random.int(0, 6) === 0
        ? null
        : json({ name: `n${random.int(0, 99)}`, op: random.int(0, 6) === 0 ? "d" : "u" }),
    }),
  },
  {
    name: "rows that do not fit, up to the limit",
    table: "(id int, name varchar(3))",
    flags: ["--reject-limit", "90%", "--columns", "partition,offset", "--fields", "id, name"],
    needsReject: true,
    record: (random) => ({
      value: `${random.int(0, 4) === 0 ? "x" : random.int(0, 9)},${"abcd".slice(random.int(0, 2))}`,
    }),
  },
];

Deno.test({
  name: "client: tables, counts and rejected rows are those of a source that a program reads",
  ignore: !ownServer || dialect === "greenplum",
  async fn(t) {
    await using world = await startWorld();
    await using client = clientSession(world.dsn);
    for (const [no, { name, table, flags, record, needsReject = false }] of cases.entries()) {
      await t.step(name, async () => {
        const { sql, broker } = world;
        if (needsReject && !await canReject(world)) return;
        const topic = uniqueName("equal");
        await createTopic(broker, topic, { partitions: 3 });
        const named = (via: string) => `by_${via}_${no}`;
        for (const via of ["program", "client"]) {
          await sql.unsafe(`CREATE TABLE ${named(via)} ${table}`);
          await add(world, named(via), ["-t", topic, "--via", via, ...flags]);
        }
        const random = new Random(11);
        for (let load = 0; load < 2; load++) {
          for (const partition of [0, 1, 2]) {
            const records = Array.from({ length: random.int(1, 150) }, () => record(random));
            // All records of a key are in one partition.
            if (flags.includes("--merge")) {
              for (const one of records) one.key = json({ id: random.int(0, 6) * 3 + partition });
            }
            await produce(broker, topic, records, partition);
          }
          const expected = await loadCounts(world, named("program"));
          const got = await client.load(named("client"));
          assert.deepEqual({
            ...{ rows: got.rows, inserted: got.rows - got.updated, updated: got.updated },
            ...{ deleted: got.deleted, filtered: got.filtered, rejected: got.rejected },
            ...{ records: got.records, rows_read: got.rowsRead },
          }, expected);
          const content = async (via: string) =>
            (await sql.unsafe(`SELECT t::text AS row FROM ${named(via)} t ORDER BY 1`))
              .map(({ row }) => row);
          assert.deepEqual(await content("client"), await content("program"));
        }
        const kept = async (via: string) => {
          const source = named(via);
          return [
            await sql`
              SELECT load_no, reason, rows, inserted, updated, deleted, filtered, rejected, rows_read,
                records, lag, lost, ranges, next_offsets, cluster_id, topics,
                topic_ids, topic_starts, leader_epochs, loaded_by
              FROM kafka.load_history WHERE source = ${source} ORDER BY load_no`,
            await sql`
              SELECT load_no, topic, partition_no, "offset", column_name, reason FROM kafka.rejected
              WHERE source = ${source} ORDER BY partition_no, "offset"`,
          ].map((rows) => rows.map((row) => ({ ...row })));
        };
        assert.deepEqual(await kept("client"), await kept("program"));
        if (needsReject) assert.ok((await kept("client"))[1].length > 3);
      });
    }
  },
});
