/** A partition without a leader, beside others: administration commands say so, and go on. */
import assert from "node:assert/strict";
import { startBroker } from "../../scripts/servers/broker.ts";
import { gpdbKafka, text } from "../support/cli.ts";
import { until } from "../support/group.ts";
import { createTopic, produce, withAdmin } from "../support/kafka.ts";

Deno.test({
  name:
    "topics describe, offsets show and lag go on with a partition that has no leader, and name it",
  async fn() {
    await using broker = await startBroker({ nodes: 3 });
    // One replica of each: some of these partitions are of the broker that goes.
    await createTopic(broker, "led", { partitions: 6 });
    await createTopic(broker, "safe", { partitions: 1, replication: 3 });
    for (let p = 0; p < 6; p++) await produce(broker, "led", [{ value: "a" }], p);
    await produce(broker, "safe", [{ value: "a" }]);
    const partitions = Array.from({ length: 6 }, (_, partition) => ({ partition, offset: "1" }));
    await withAdmin(broker, async (admin) => {
      await admin.setOffsets({ groupId: "g", topic: "led", partitions });
    });
    await broker.nodes[2].kill();
    const at = ["-b", broker.bootstrap, "--timeout", "60s"];
    const describe = (topic: string) => gpdbKafka(["topics", "describe", ...at, topic]);
    let described = "";
    await until("it has lost its leaders", 90_000, async () => {
      described = text((await describe("led")).stdout);
      return / none /.test(described);
    });
    const lost = described.split("\n").filter((line) => / none /.test(line));
    assert.ok(lost.length >= 1 && lost.length <= 5, described);
    for (const line of lost) assert.match(line, /none +3 .* - +-\s*$/);
    assert.match(described, /retention\.ms/);

    // Each is given a minute, and none takes the half of it.
    for (
      const [args, pattern] of [
        [["topics", "describe", ...at, "safe"], /^safe: 1 partition/],
        [["offsets", "show", ...at, "-g", "g"], /^group "g": Empty, no members/],
        [["lag", ...at, "-g", "g"], /TOPIC +PARTITION/],
      ] as const
    ) {
      const started = performance.now();
      const run = await gpdbKafka([...args]);
      const took = performance.now() - started;
      assert.equal(run.code, 0, run.stderr);
      assert.match(text(run.stdout), pattern);
      if (args[0] !== "topics") {
        const found = text(run.stdout).match(/no leader: its log cannot be read/g) ?? [];
        assert.equal(found.length, lost.length, text(run.stdout));
      }
      assert.ok(took < 30_000, `${args[0]}: ${took} ms`);
    }
  },
});
