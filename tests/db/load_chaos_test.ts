/**
 * Exactly once, whatever happens: rounds of loads from a real broker into a real PostgreSQL, by
 * kafka.load and by a client, in each of which something happens to the load; see
 * `tests/support/chaos/chaos.ts`. GPDB_KAFKA_CHAOS_ROUNDS is how many, GPDB_KAFKA_CHAOS_SEED which.
 */
import { chaos } from "../support/chaos/chaos.ts";
import { dialect, ownServer } from "../support/load.ts";

const rounds = Number(Deno.env.get("GPDB_KAFKA_CHAOS_ROUNDS") || 30);
const seed = Number(Deno.env.get("GPDB_KAFKA_CHAOS_SEED") || Date.now() % 1_000_000);

Deno.test({
  name: `load: ${rounds} rounds of trouble, and every record is there once`,
  ignore: !ownServer,
  async fn() {
    const ways = dialect === "greenplum" ? ["program"] as const : ["program", "client"] as const;
    await chaos({ rounds, seed, ways });
  },
});
