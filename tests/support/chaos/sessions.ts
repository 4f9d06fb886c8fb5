/** What happens to a load's session, and what sessions do to each other. */
import assert from "node:assert/strict";
import { sleep } from "../group.ts";
import { load } from "../load.ts";
import { type ChaosEvent, struck, survived } from "./event.ts";
import { LOST } from "./kills.ts";

export const sessionEvents: readonly ChaosEvent[] = [
  {
    name: "load cancelled",
    greenplum: true,
    outcome: "SQLSTATE 57014; nothing of the load stays",
    async run(world, source) {
      await using attempt = world.attempt(source);
      await world.moment(source);
      attempt.cancel();
      return struck(
        await attempt.ended,
        /^57014: canceling (the load|statement) due to user request$/,
      );
    },
  },
  {
    name: "statement cancelled (pg_cancel_backend)",
    greenplum: true,
    outcome: "SQLSTATE 57014; nothing of the load stays",
    async run(world, source) {
      await using attempt = world.attempt(source);
      const pid = await world.backend(source, attempt);
      await world.moment(source);
      await world.pg.sql`SELECT pg_cancel_backend(${pid})`;
      return struck(await attempt.ended, /^57014: canceling statement due to user request$/);
    },
  },
  {
    name: "backend ended (pg_terminate_backend)",
    greenplum: true,
    outcome: "SQLSTATE 57P01, or the loss of the connection; all of the load stays, or nothing",
    async run(world, source) {
      await using attempt = world.attempt(source);
      const pid = await world.backend(source, attempt);
      await world.moment(source);
      await world.pg.sql`SELECT pg_terminate_backend(${pid})`;
      return struck(await attempt.ended, LOST, "either");
    },
  },
  {
    name: "statement_timeout",
    greenplum: true,
    outcome: "SQLSTATE 57014; nothing of the load stays",
    async run(world, source) {
      const { random } = world;
      await using _ = random.int(0, 1) ? await world.hold(source, "table") : null;
      const limit = random.int(5, Math.ceil(source.typical));
      await using attempt = world.attempt(source, { statement_timeout: `${limit}` });
      return struck(await attempt.ended, /^57014: canceling statement due to statement timeout$/);
    },
  },
  {
    name: "transaction_timeout",
    outcome: "SQLSTATE 25P04, or the loss of the connection; all of the load stays, or nothing",
    async run(world, source) {
      const { random } = world;
      await using _ = random.int(0, 1) ? await world.hold(source, "table") : null;
      const limit = random.int(5, Math.ceil(source.typical));
      await using attempt = world.attempt(source, { transaction_timeout: `${limit}` });
      return struck(
        await attempt.ended,
        /^(25P04: terminating connection due to transaction timeout$|CONNECTION_|ECONNRESET)/,
        "either",
      );
    },
  },
  {
    name: "idle_in_transaction_session_timeout",
    outcome: "SQLSTATE 25P03, or the loss of the connection; all of the load stays, or nothing",
    way: "client",
    async run(world, source) {
      const settings = { idle_in_transaction_session_timeout: `${world.random.int(1, 40)}` };
      await using attempt = world.attempt(source, settings);
      return struck(
        await attempt.ended,
        /^(25P03: terminating connection due to idle-in-transaction timeout$|CONNECTION_|ECONNRESET|EPIPE)/,
        "either",
      );
    },
  },
  {
    name: "lock_timeout",
    outcome: "SQLSTATE 55P03; nothing of the load stays",
    async run(world, source) {
      const { random } = world;
      await using _ = await world.hold(source, random.int(0, 1) ? "table" : "source");
      const settings = { lock_timeout: `${random.int(10, 200)}` };
      await using attempt = world.attempt(source, settings);
      return struck(await attempt.ended, /^55P03: canceling statement due to lock timeout$/);
    },
  },
  {
    name: "deadlock",
    outcome: "SQLSTATE 40P01; nothing of the load stays",
    async run(world, source) {
      const { sql } = world.pg;
      const { name } = source;
      const other = await sql.reserve();
      try {
        // The load is the one that gives up.
        await other.unsafe(`
          BEGIN; SET LOCAL deadlock_timeout = '10s'; LOCK TABLE ${name} IN ACCESS EXCLUSIVE MODE`);
        await using attempt = world.attempt(source, { deadlock_timeout: "500ms" });
        const pid = await world.backend(source, attempt);
        const isWaiting = async () =>
          (await sql`
            SELECT 1 FROM pg_locks WHERE pid = ${pid} AND NOT granted`).length > 0;
        while (!attempt.isOver && !await isWaiting()) await sleep(5);
        const crossing = other`SELECT 1 FROM kafka.source WHERE name = ${name} FOR UPDATE`
          .then(() => {}, (error) => assert.equal(error.code, "40P01"))
          .then(() => other`ROLLBACK`);
        crossing.catch(() => {}); // met below
        const end = await attempt.ended;
        await crossing;
        return struck(end, /^40P01: deadlock detected$/);
      } finally {
        other.release();
      }
    },
  },
  {
    name: "two sessions at once",
    greenplum: true,
    outcome: "the second waits for the first, and loads the rest",
    async run(world, source) {
      await using first = world.attempt(source, {}, world.random.int(1, 30));
      await using second = world.attempt(source);
      const [one, two] = await Promise.all([first.ended, second.ended]);
      const hit = /in use by another session/.test(first.said + second.said);
      assert.ok(one.loaded, one.failure);
      return survived(two, hit);
    },
  },
  {
    name: "rolled back by its caller",
    greenplum: true,
    outcome: "nothing of the load stays",
    way: "program",
    async run({ pg }, { name }) {
      let rows = 0;
      const rolledBack = pg.sql.begin(async (sql) => {
        rows = (await load({ sql }, name)).rows;
        throw new Error("changed my mind");
      });
      await assert.rejects(rolledBack, /changed my mind/);
      return { hit: rows > 0, ended: "rolled back", rows: "none" };
    },
  },
  {
    name: "two loads in one transaction",
    greenplum: true,
    outcome: "the second goes on where the first ended",
    way: "program",
    async run({ pg, random }, { name }) {
      const records: number[] = [];
      await pg.sql.begin(async (sql) => {
        records.push((await load({ sql }, name, random.int(1, 10))).records);
        records.push((await load({ sql }, name)).records);
      });
      return { hit: records.every((count) => count > 0), ended: "loaded", rows: "all" };
    },
  },
  {
    name: "max_records",
    greenplum: true,
    outcome: "a part is loaded, and the next load goes on there",
    async run(world, source) {
      await using attempt = world.attempt(source, {}, world.random.int(1, 5));
      const end = await attempt.ended;
      const { ended } = survived(end, true);
      return end.loaded!.reason === "max_records"
        ? { hit: true, ended, rows: "some" }
        : { hit: false, ended, rows: "all" };
    },
  },
];
