/** What Kafka's protocol has no room for, and hosts that can't be: wrong flags, and said at once. */
import assert from "node:assert/strict";
import { consumer } from "../../support/cli.ts";
import { scriptedBroker } from "../../support/scripted_broker/mod.ts";

const long = "g".repeat(40_000);

Deno.test("a group or client id that is too long is exit 64, and nothing wrong is sent", async () => {
  await using kafka = await scriptedBroker({ topics: { t: 1 } });
  const to = ["-b", kafka.bootstrap, "-t", "t"];
  const cases: [args: string[], message: RegExp][] = [
    [["-g", long], /cannot send a request of FindCoordinator: "g+…" has 40000 bytes/],
    [["-g", long, "--assign", "group"], /: its name is too long|has 40000 bytes/],
    [["-X", `client.id=${long}`], /cannot send a request of ApiVersions: "g+…" has 40000 bytes/],
    [["-t", "t".repeat(250)], /cannot be the name of a topic/],
  ];
  for (const [args, message] of cases) {
    const { code, stderr, ms } = await consumer([...to, ...args]);
    assert.equal(code, 64, stderr.slice(0, 300));
    assert.match(stderr, message);
    assert.ok(ms < 5000);
  }
});

for (const host of ["*", "a;b", "-b", "$KAFKA", "1.2.3.4.5:9092"]) {
  Deno.test(`-b ${host} is exit 64 at once: no host can be called that`, async () => {
    const { code, stderr, ms } = await consumer(["-t", "t", "-b", host]);
    assert.equal(code, 64, stderr);
    assert.match(stderr, /^kafka_consumer: .*(is not HOST:PORT|requires a value).*\n$/);
    assert.ok(ms < 5000);
  });
}
