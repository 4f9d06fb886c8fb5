/** What a producer does when a leader forgets it, or an answer is lost: no row twice, none claimed. */
import assert from "node:assert/strict";
import { producer, start, text } from "../support/cli.ts";
import { type Hook, type ScriptedBroker, scriptedBroker } from "../support/scripted_broker/mod.ts";

const FOUR = "a\nb\nc\nd\n";
const IN_DOUBT = "; 2 rows are known to be delivered, rows from stdin line 3 on are in doubt\n";

/** Rows a and b in one batch, c and d in the next one, which `hook` meets from request 1 on. */
async function produceTwice(kafka: ScriptedBroker) {
  const pace = ["--batch-rows", "2", "--pause", "100ms", "--timeout", "3s"];
  return await producer(["-b", kafka.bootstrap, "-t", "t", ...pace], { stdin: FOUR });
}

const sleep = (milliseconds: number) => new Promise((done) => setTimeout(done, milliseconds));

/** A broker with topic t of one partition, whose Produce answers are the hook's. */
function broker(produce: (kafka: ScriptedBroker, ...call: Parameters<Hook>) => unknown) {
  const opening = scriptedBroker({
    topics: { t: 1 },
    on: {
      async produce(call) {
        await produce(await opening, call);
      },
    },
  });
  return opening;
}

/** Epoch and first sequence number of each batch in the log. */
function sequences(kafka: ScriptedBroker): [number, number][] {
  return kafka.log("t").batches.map(({ bytes }) => {
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    return [view.getInt16(51), view.getInt32(53)];
  });
}

const strangers = [[45, "OUT_OF_ORDER_SEQUENCE_NUMBER"], [47, "INVALID_PRODUCER_EPOCH"], [
  59,
  "UNKNOWN_PRODUCER_ID",
]] as const;

for (const [code, name] of strangers) {
  Deno.test(`once: ${name} with nothing in doubt: the next rows have a higher epoch`, async () => {
    await using kafka = await broker((_, call) => {
      if (call.nth === 1) call.fail(code);
    });
    const run = await produceTwice(kafka);
    assert.equal(run.code, 0, run.stderr);
    assert.deepEqual(sequences(kafka), [[0, 0], [1, 0]]);
    assert.equal(kafka.log("t").end, 4);
  });

  Deno.test(`once: ${name} after a lost answer: exit 69, rows in doubt are named, nothing is sent again`, async () => {
    await using kafka = await broker((_, call) => {
      // The batch is in the log, and only the answer is lost.
      if (call.nth === 1) return [call.reply, call.close()];
      if (call.nth > 1) call.fail(code);
    });
    const run = await produceTwice(kafka);
    assert.equal(run.code, 69, run.stderr);
    assert.equal(
      run.stderr,
      `kafka_producer: cannot write topic "t" partition 0: ${name} (${code}): 2 rows, ` +
        `from stdin line 3 on, may or may not be in it — check the partition from ` +
        `offset 2 on before you send them again${IN_DOUBT}`,
    );
    assert.equal(kafka.log("t").end, 4);
    assert.equal(kafka.requestsOf("produce").length, 3);
  });
}

Deno.test("once: DUPLICATE_SEQUENCE_NUMBER for a batch that was never sent delivers nothing", async () => {
  await using kafka = await broker((kafka, call) => {
    // As where a batch after it was accepted, by a broker that had forgotten the producer.
    if (call.nth === 1) kafka.log("t").producers.set("1000/0", 10);
  });
  const run = await produceTwice(kafka);
  assert.equal(run.code, 0, run.stderr);
  assert.deepEqual(sequences(kafka), [[0, 0], [1, 0]]);
});

Deno.test("once: what an interrupted run leaves in doubt is reported", async () => {
  await using kafka = await broker((_, call) => {
    if (call.nth === 1) call.silent();
  });
  const child = start("producer", [
    ...["-b", kafka.bootstrap, "-t", "t", "--batch-rows", "2", "--pause", "100ms"],
  ]);
  const output = child.output();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(FOUR));
  for (let tries = 0; kafka.requestsOf("produce").length < 2 && tries < 400; tries++) {
    await sleep(25);
  }
  child.kill("SIGTERM");
  const { code, stderr } = await output;
  await writer.abort().catch(() => {});
  assert.equal(code, 143);
  const counts = "2 of 4 rows read were acknowledged, rows from stdin line 3 on are in doubt";
  assert.equal(text(stderr), `kafka_producer: stopped by SIGTERM before its end; ${counts}\n`);
});

Deno.test("once: a leader that steps down after it appended a batch leaves it in doubt", async () => {
  await using kafka = await broker((_, call) => {
    if (call.nth === 1) call.reply.topics[0].partitions[0].errorCode = 6;
    if (call.nth > 1) call.fail(45);
  });
  const run = await produceTwice(kafka);
  assert.equal(run.code, 69, run.stderr);
  assert.ok(run.stderr.endsWith(IN_DOUBT), run.stderr);
  assert.equal(kafka.log("t").end, 4);
});

Deno.test("once: a lost answer is asked for again: DUPLICATE_SEQUENCE_NUMBER is success", async () => {
  await using kafka = await broker((_, call) => {
    if (call.nth === 1) return [call.reply, call.close()];
  });
  const run = await produceTwice(kafka);
  assert.equal(run.code, 0, run.stderr);
  assert.match(run.stderr, /^4 rows, 4 bytes delivered/);
  assert.deepEqual(sequences(kafka), [[0, 0], [0, 2]]);
});

Deno.test("once: a broker that may have forgotten a batch in doubt is not sent it again", async () => {
  await using kafka = await broker(async (kafka, call) => {
    if (call.nth !== 1) return;
    void call.reply;
    await call.delay(700);
    // From here on it would accept the batch a second time, as Kafka does since 2.5.
    kafka.log("t").producers.clear();
    call.close();
  });
  kafka.configs.set("producer.id.expiration.ms", "1000");
  const run = await produceTwice(kafka);
  assert.equal(run.code, 69, run.stderr);
  assert.match(run.stderr, /remembers what it has only for 1 s \(producer\.id\.expiration\.ms\)/);
  assert.ok(run.stderr.endsWith(IN_DOUBT), run.stderr);
  assert.equal(kafka.log("t").end, 4);
});

Deno.test("once: rows that a leader lost after they counted as delivered are named", async () => {
  await using kafka = await broker((kafka, call) => {
    if (call.nth !== 1) return;
    kafka.log("t").highWatermark = 1;
    call.fail(45);
  });
  const run = await produceTwice(kafka);
  assert.equal(run.code, 69, run.stderr);
  assert.match(run.stderr, /has lost rows that counted as delivered, at the offsets 1 to 1;/);
});

Deno.test("once: a leader that rejects the new epoch, too, ends the run", async () => {
  await using kafka = await broker((_, call) => {
    if (call.nth >= 1) call.fail(59);
  });
  const run = await produceTwice(kafka);
  assert.equal(run.code, 69, run.stderr);
  assert.match(run.stderr, /UNKNOWN_PRODUCER_ID \(59\), though the producer began a new epoch;/);
  assert.equal(kafka.requestsOf("produce").length, 3);
});

Deno.test("once: answers that leave the partition out deliver nothing", async () => {
  await using kafka = await broker((_, call) => {
    if (call.nth >= 1) call.reply.topics = [];
  });
  const run = await produceTwice(kafka);
  assert.equal(run.code, 69, run.stderr);
  assert.match(run.stderr, /topic "t" partition 0: \S+ left partition 0 out of its answer \(tried/);
  assert.ok(run.stderr.endsWith(IN_DOUBT), run.stderr);
});

Deno.test("once: a leader that is silent for the whole timeout is tried once more", async () => {
  await using kafka = await broker((_, call) => {
    if (call.nth === 1) call.silent();
  });
  const run = await produceTwice(kafka);
  assert.equal(run.code, 0, run.stderr);
  assert.equal(kafka.log("t").end, 4);
});

Deno.test("once: after a long pause one batch is sent first: the broker may have forgotten the producer", async () => {
  const meanwhile: number[] = [];
  await using kafka = await broker(async (kafka, call) => {
    await call.delay(300);
    meanwhile.push(kafka.requestsOf("produce").length - call.nth - 1);
  });
  const child = start("producer", ["-b", kafka.bootstrap, "-t", "t"]);
  const output = child.output();
  const writer = child.stdin.getWriter();
  const write = (rows: string) => writer.write(new TextEncoder().encode(rows));
  const large = `${"x".repeat(600_000)}\n`;
  // Of each three the first one goes alone; then two are under way at once.
  await write(large.repeat(3));
  for (let tries = 0; meanwhile.length < 3 && tries < 400; tries++) await sleep(50);
  await sleep(6_000);
  await write(large.repeat(3));
  await writer.close();
  const { code, stderr } = await output;
  assert.equal(code, 0, text(stderr));
  assert.deepEqual(meanwhile, [0, 1, 0, 0, 1, 0]);
});

Deno.test("once: input that pauses for longer than --timeout does not end the run", async () => {
  await using kafka = await scriptedBroker({ topics: { t: 1 } });
  const child = start("producer", ["-b", kafka.bootstrap, "-t", "t", "--timeout", "1s"]);
  const output = child.output();
  const writer = child.stdin.getWriter();
  const write = (rows: string) => writer.write(new TextEncoder().encode(rows));
  await write("a\n");
  await sleep(2_500);
  // As a broker does to a connection that was idle for long.
  kafka.disconnect(1);
  await write("b\n");
  await writer.close();
  const { code, stderr } = await output;
  assert.equal(code, 0, text(stderr));
  assert.equal(kafka.log("t").end, 2);
});
