/**
 * What happens to three brokers while their topic is loaded, by a program and by a client: no row is
 * lost, none comes twice, and each load that fails says why.
 */
import assert from "node:assert/strict";
import { start } from "../support/cli.ts";
import {
  controllerKilled,
  diskFull,
  faultSteps,
  leaderHangs,
  leaderKilled,
  reassigned,
  rollingRestart,
  uncleanElection,
  uncleanTopic,
} from "../support/faults.ts";
import { until } from "../support/group.ts";
import { createTopic, produce, uniqueName } from "../support/kafka.ts";
import { addSource, dialect, installKafka, ownServer, startDatabase } from "../support/load.ts";
import { clientSession } from "../support/load_client.ts";
import { rackCluster } from "../support/racks.ts";
import { Traffic } from "../support/traffic.ts";

/** Whose loads: a source for each. */
const ways = ["program", "client"] as const;

/** In the order in which they happen. */
const faults = [leaderKilled, controllerKilled, leaderHangs, diskFull, rollingRestart, reassigned];

/** What a load may fail with: a program's exit status, or what the client itself found. */
const PROMISED = new RegExp(
  'the (planner|reader) of source ".*" failed: .*exit code (69|75)|' +
    "cannot (reach|read|connect|find)|no answer|not available|leader|was closed|refused",
);

/** `gpdb-kafka load` with several sources, and what it says. */
class Loader implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #saying: Promise<unknown>;
  said = "";
  ended: Deno.CommandStatus | null = null;

  constructor(dsn: string, sources: readonly string[]) {
    const args = ["load", ...sources, "--jobs", "2", "--every", "1s", "--dsn", dsn];
    this.#child = start("main", args);
    this.#child.stdin.close();
    const { stdout, stderr, status } = this.#child;
    this.#saying = Promise.all([this.#hear(stdout), this.#hear(stderr)]);
    status.then((ended) => this.ended = ended);
  }

  async #hear(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<void> {
    for await (const part of stream.pipeThrough(new TextDecoderStream())) this.said += part;
  }

  /** Why loads failed. */
  get failures(): string[] {
    return this.said.split("\n").filter((line) => line.includes("; trying again in "));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.ended === null) this.#child.kill("SIGKILL");
    await Promise.all([this.#child.status, this.#saying]);
  }
}

Deno.test({
  name: "load faults: three brokers, loaded from by a program and by a client through all of them",
  ignore: !ownServer || dialect === "greenplum",
  async fn(t) {
    await using cluster = await rackCluster({ properties: { "min.insync.replicas": "1" } });
    await using pg = await startDatabase();
    await installKafka(pg);
    const { broker } = cluster;
    const { sql } = pg;
    const topic = uniqueName("faults");
    const unclean = uniqueName("unclean");
    await createTopic(broker, topic, { partitions: 6, replication: 3 });
    await uncleanTopic(cluster, unclean);
    for (const way of ways) {
      for (const [name, of] of [[way, topic], [`unclean_${way}`, unclean]]) {
        await sql.unsafe(`CREATE TABLE ${name} (partition_no int, offset_no bigint, n bigint)`);
        await addSource(pg, broker, {
          ...{ name, topic: of, table: name },
          ...(way === "client" ? { via: "client" } : {}),
          readerFlags: ["--columns", "partition,offset"],
        });
      }
    }
    const rowsOf = async (way: string) => {
      const [row] = await sql.unsafe<Record<string, number>[]>(`
        SELECT count(*)::int AS rows, count(DISTINCT n)::int AS numbers,
          count(DISTINCT (partition_no, offset_no))::int AS records,
          coalesce(max(n), -1)::int + 1 AS next FROM ${way}`);
      return { ...row };
    };

    await using loader = new Loader(pg.dsn, ways);
    await using traffic = new Traffic(cluster.bootstrap, topic, []);
    /** Waits until both have loaded all that was written up to now. */
    const goesOn = async () => {
      await traffic.goesOn();
      const { fed } = traffic;
      await until(`${fed} rows are loaded`, 90_000, async () => {
        assert.equal(loader.ended, null, loader.said);
        const counts = await Promise.all(ways.map(rowsOf));
        return counts.every(({ rows }) => rows >= fed);
      }).catch(async (error) => {
        const counts = await Promise.all(ways.map(rowsOf));
        throw new Error(`${error.message}: ${JSON.stringify(counts)}\n${loader.said.slice(-3000)}`);
      });
    };
    await goesOn();
    await faultSteps(t, cluster, topic, faults, goesOn);

    await t.step("each row was loaded once, and each failure says why", async () => {
      const count = await traffic.end();
      const whole = { rows: count, numbers: count, records: count, next: count };
      for (const way of ways) {
        await until(`${way}: all rows`, 60_000, async () => (await rowsOf(way)).rows >= count);
        assert.deepEqual(await rowsOf(way), whole, way);
      }
      const others = loader.failures.filter((line) => !PROMISED.test(line));
      assert.deepEqual(others, []);
    });

    await t.step(
      "an unclean election ends the loads with SQLSTATE 22000, until a seek",
      async () => {
        await using client = clientSession(pg.dsn);
        const sources = ways.map((way) => `unclean_${way}`);
        const load = async (rows: number) => {
          for (const source of sources) {
            assert.equal((await client.load(source)).rows, rows, source);
          }
        };
        const write = (...values: string[]) =>
          produce(broker, unclean, values.map((value) => ({ value })));
        await write("0");
        await load(1);
        await uncleanElection(cluster, async () => {
          await write("1", "2");
          await load(2);
        }, () => write("7", "8", "9"));
        for (const source of sources) {
          await assert.rejects(client.load(source), {
            code: "22000",
            message: new RegExp(
              `^topic "${unclean}" partition 0 was truncated: what it has of leader epoch \\d+ ends ` +
                `at offset 1, but source "${source}" stands at 3 in it$`,
            ),
          });
        }
      },
    );
  },
});
