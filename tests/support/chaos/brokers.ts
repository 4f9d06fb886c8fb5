/** What happens to the broker, and to the topic. */
import assert from "node:assert/strict";
import { sleep } from "../group.ts";
import { deleteRecords, deleteTopic, withAdmin } from "../kafka.ts";
import type { End } from "./attempt.ts";
import { type ChaosEvent, type Outcome, refused, struck, survived } from "./event.ts";
import type { ChaosSource } from "./source.ts";
import { sameTable } from "./tables.ts";
import type { ChaosWorld } from "./world.ts";

const MOST_PARTITIONS = 20;

/** What a load says while the broker is away: a program's exit status, or its own. */
const AWAY =
  /^(38000: the (planner|reader) of source ".*" failed: .*exit code (69|75)|(broker|incomplete): )/;

/** What a load says whose records are deleted while it reads them. */
const GONE =
  /^(38000: the (planner|reader) of source ".*" failed: .*exit code (65|69|75)|(record|broker|incomplete): |22000: topic )/;

/** The log is emptied while a load may read it: what the load did not get, nobody gets. */
async function emptied(
  world: ChaosWorld,
  source: ChaosSource,
  empty: () => Promise<void>,
): Promise<End> {
  await using attempt = world.attempt(source);
  await world.moment(source);
  await empty();
  const end = await attempt.ended;
  if (end.loaded === null) assert.match(end.failure, GONE);
  await world.quiet();
  const expected = end.loaded === null ? source.before : source.after;
  sameTable(await source.table(), expected, `${source.name}: ${end.failure || "loaded"}`);
  source.cut(end.loaded !== null);
  return end;
}

export const brokerEvents: readonly ChaosEvent[] = [
  {
    name: "broker killed -9 and restarted",
    greenplum: true,
    outcome:
      "the load waits for it, or fails with SQLSTATE 38000 or status 69; nothing of it stays then",
    async run(world, source): Promise<Outcome> {
      await using attempt = world.attempt(source);
      await world.moment(source);
      await world.node.kill();
      const wasRunning = !attempt.isOver;
      await sleep(world.random.int(0, 500));
      await world.node.start();
      // What ended without a broker needed none any more.
      const hit = wasRunning && !attempt.isOver;
      const end = await attempt.ended;
      return end.loaded === null ? struck(end, AWAY) : survived(end, hit);
    },
  },
  {
    name: "broker hangs (SIGSTOP) and goes on",
    greenplum: true,
    outcome: "the load waits for it",
    async run(world, source) {
      await using attempt = world.attempt(source);
      await world.moment(source);
      await world.node.pause();
      const wasRunning = !attempt.isOver;
      await sleep(world.random.int(100, 1500));
      const hit = wasRunning && !attempt.isOver;
      await world.node.resume();
      return survived(await attempt.ended, hit);
    },
  },
  {
    name: "partitions added",
    greenplum: true,
    outcome: "the load ends as planned; the next one reads the new partition from its start",
    async run(world, source) {
      await using attempt = world.attempt(source);
      await world.moment(source);
      let hit = false;
      if (source.ends.length < MOST_PARTITIONS) {
        source.starts.push(0);
        source.ends.push(0);
        const count = source.ends.length;
        await withAdmin(
          world.broker,
          (admin) => admin.createPartitions({ topicPartitions: [{ topic: source.name, count }] }),
        );
        hit = !attempt.isOver;
      }
      return survived(await attempt.ended, hit);
    },
  },
  {
    name: "topic deleted and created again",
    outcome: "SQLSTATE 22000, with both ids; only a seek accepts the new topic",
    async run(world, source) {
      await emptied(world, source, async () => {
        await deleteTopic(world.broker, source.name);
        await source.makeTopic();
      });
      await source.write(world.random);
      await using next = world.attempt(source);
      const outcome = refused(
        await next.ended,
        /^22000: topic ".*" was deleted and created again: its id is \S{22}, but source ".*" has loaded \S{22}$/,
      );
      await world.seek(source, "earliest");
      return outcome;
    },
  },
  {
    name: "records deleted before they are loaded",
    outcome: "SQLSTATE 22000, with the offsets; only a seek skips them",
    async run(world, source): Promise<Outcome> {
      const end = await emptied(world, source, async () => {
        const before = Object.fromEntries(source.ends.map((end, partition) => [partition, end]));
        await deleteRecords(world.broker, source.name, before);
        source.starts = [...source.ends];
      });
      await source.write(world.random);
      if (end.loaded !== null) return { hit: false, ended: "loaded", rows: "none" };
      await using next = world.attempt(source);
      const outcome = refused(
        await next.ended,
        /^22000: topic ".*" partition \d+ has the offsets \d+ to \d+, but source ".*" stands at \d+$/,
      );
      await world.seek(source, "earliest");
      return outcome;
    },
  },
];
