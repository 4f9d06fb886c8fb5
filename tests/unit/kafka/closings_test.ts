/** What a closed connection is explained by is what the port itself says. */
import assert from "node:assert/strict";
import { Cluster } from "../../../lib/kafka/cluster.ts";
import type { Hooks } from "../../support/scripted_broker/mod.ts";
import { scriptedBroker, type ScriptedOptions } from "../../support/scripted_broker/mod.ts";

const local: { permissions: Deno.PermissionOptions } = { permissions: { net: ["127.0.0.1"] } };

/** How the search for a topic fails, with the address as BROKER. */
async function failure(options: ScriptedOptions): Promise<string> {
  await using kafka = await scriptedBroker(options);
  const cluster = new Cluster(kafka.config({ timeout: 300 }), []);
  try {
    await cluster.topic("t");
  } catch (error) {
    return `${error}`.replaceAll(kafka.bootstrap, "BROKER");
  } finally {
    cluster.close();
  }
  assert.fail("the topic was found");
}

const closes: Record<string, Hooks> = {
  "before an answer": { metadata: (call) => call.close() },
  "in the middle of an answer": { metadata: (call) => call.close(20) },
  "before it answers anything": { apiVersions: (call) => call.close() },
  "whatever it is asked, a login too": {
    metadata: (call) => call.close(),
    saslHandshake: (call) => call.close(),
  },
};
for (const [when, on] of Object.entries(closes)) {
  Deno.test(`a broker that closes ${when}: no login is mentioned`, local, async () => {
    const expected = "Failure: BROKER closed the connection (tried for 0.3 s)";
    assert.equal(await failure({ on }), expected);
  });
}

Deno.test("a port that asks for a login says so, and is not asked again", local, async () => {
  const asked = new Map<string, number>();
  const sasl = { username: "u", password: "p" };
  const on: Hooks = { any: ({ api }) => void asked.set(api, (asked.get(api) ?? 0) + 1) };
  assert.equal(
    await failure({ sasl, on }),
    "Failure: BROKER requires a login on this port — set security.protocol to SASL_PLAINTEXT or " +
      "SASL_SSL, and sasl.mechanism to PLAIN",
  );
  assert.deepEqual([...asked], [["apiVersions", 2], ["saslHandshake", 1]]);
});
