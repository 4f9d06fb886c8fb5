/** What an administrator does to the table and the source of a load. */
import { type ChaosEvent, refused, struck, survived } from "./event.ts";

const PAUSED = /^55000: source ".*" is paused$/;

export const administrationEvents: readonly ChaosEvent[] = [
  {
    name: "constraint violated",
    outcome: "SQLSTATE 23514; nothing of the load stays",
    async run(world, source) {
      const { sql } = world.pg;
      await sql.unsafe(`ALTER TABLE ${source.name} ADD CONSTRAINT no CHECK (id < 0) NOT VALID`);
      await using attempt = world.attempt(source);
      const end = await attempt.ended;
      await sql.unsafe(`ALTER TABLE ${source.name} DROP CONSTRAINT no`);
      return refused(end, /^23514: .*violates check constraint "no"/);
    },
  },
  {
    name: "refused at the commit (deferred trigger)",
    outcome: "the trigger's SQLSTATE; nothing of the load stays",
    async run(world, source) {
      const { sql } = world.pg;
      await sql.unsafe(`
        CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON ${source.name}
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse()`);
      await using attempt = world.attempt(source);
      const end = await attempt.ended;
      await sql.unsafe(`DROP TRIGGER refuse ON ${source.name}`);
      return refused(end, /^P0001: refused at the commit$/);
    },
  },
  {
    name: "kafka.pause",
    outcome: "it waits for the load; SQLSTATE 55000 for the next ones, until kafka.resume",
    async run(world, source) {
      const { sql } = world.pg;
      await using running = world.attempt(source);
      await world.backend(source, running);
      await sql`SELECT kafka.pause(${source.name})`;
      // It may have been first.
      const { rows } = struck(await running.ended, PAUSED);
      await using next = world.attempt(source);
      const outcome = refused(await next.ended, PAUSED);
      await sql`SELECT kafka.resume(${source.name})`;
      return { ...outcome, rows };
    },
  },
  {
    name: "kafka.seek",
    outcome: "it waits for the load; the next one starts there",
    async run(world, source) {
      await using attempt = world.attempt(source);
      await world.backend(source, attempt);
      const said: string[] = [];
      await world.seek(source, source.start, (text) => said.push(text));
      const hit = said.some((line) =>
        line === `source "${source.name}" is in use by another session: waiting for it`
      );
      const outcome = survived(await attempt.ended, hit);
      // It may have been first; then the load was the one that waited.
      if (!hit) await world.seek(source, source.start);
      source.settle();
      await source.rewind();
      return { ...outcome, rows: "none" };
    },
  },
  {
    name: "kafka.prune",
    outcome: "it removes history only; the load ends as planned",
    async run(world, source) {
      await using attempt = world.attempt(source);
      await world.backend(source, attempt);
      await world.moment(source);
      await world.pg.sql`SELECT kafka.prune('0 s')`;
      const hit = !attempt.isOver;
      return survived(await attempt.ended, hit);
    },
  },
];
