import assert from "node:assert/strict";
import { Membership } from "../../../lib/kafka/kafkajs/group.ts";
import { clientConfig } from "../../support/scripted_broker/peer.ts";
import { closedPort } from "../../support/silence.ts";

// kafkajs' own timers go on for a moment after it was told to stop.
const left = { sanitizeOps: false, sanitizeResources: false };

Deno.test("joining a group has the timeout: kafkajs would try for minutes", left, async () => {
  const config = clientConfig({ brokers: [`127.0.0.1:${closedPort()}`], timeout: 300 });
  const started = performance.now();
  await assert.rejects(Membership.join(config, "g", ["t"], 60_000), {
    kind: "broker",
    message: 'cannot join group "g": no answer within 0.3 s',
  });
  assert.ok(performance.now() - started < 4000);
});
