/**
 * Exactly once, whatever happens, for sources that gpdb-kafka reads itself: rounds of loads from a real
 * broker into a real PostgreSQL, in each of which something happens to the load; see
 * `tests/support/chaos/chaos.ts`. GPDB_KAFKA_CHAOS_ROUNDS is how many, GPDB_KAFKA_CHAOS_SEED which.
 */
import { chaos } from "../support/chaos/chaos.ts";
import { dialect, ownServer } from "../support/load.ts";

const rounds = Number(Deno.env.get("GPDB_KAFKA_CHAOS_ROUNDS") || 20);
const seed = Number(Deno.env.get("GPDB_KAFKA_CHAOS_SEED") || Date.now() % 1_000_000);

Deno.test({
  name: `client: ${rounds} rounds of trouble, and every record is there once`,
  ignore: !ownServer || dialect === "greenplum",
  async fn() {
    await chaos({ rounds, seed, ways: ["client"] });
  },
});
