import assert from "node:assert/strict";
import { startBroker } from "../../scripts/servers/broker.ts";
import { consumer, gpdbKafka, producer, text } from "../support/cli.ts";
import { createTopic, produce, uniqueName } from "../support/kafka.ts";
import { scriptedBroker } from "../support/scripted_broker/mod.ts";

/** Listens at another address, and passes all on to a port of 127.0.0.1. */
function forward(hostname: string, to: number) {
  const listener = Deno.listen({ hostname, port: 0 });
  const serving = (async () => {
    for await (const conn of listener) {
      const back = await Deno.connect({ hostname: "127.0.0.1", port: to });
      Promise.allSettled([
        conn.readable.pipeTo(back.writable),
        back.readable.pipeTo(conn.writable),
      ]);
    }
  })();
  return {
    port: (listener.addr as Deno.NetAddr).port,
    async [Symbol.asyncDispose]() {
      listener.close();
      await serving.catch(() => {});
    },
  };
}

const portOf = (address: string) => Number(address.split(":").at(-1));

/** An address of one interface, if this host has one, such as `fe80::1%eth0`. */
const linkLocal = Deno.networkInterfaces().filter(({ address }) => /^fe80:/i.test(address))
  .map(({ address, name }) => `${address}%${name}`)[0];

Deno.test("addresses: brokers by IPv6, with a protocol, with commas and blanks, in every program", async () => {
  await using broker = await startBroker();
  await using six = forward("::1", portOf(broker.bootstrap));
  const topic = uniqueName("addresses");
  await createTopic(broker, topic);
  await produce(broker, topic, [{ value: "1,a" }]);
  const lists = [
    `[::1]:${six.port}`,
    ` PLAINTEXT://[::1]:${six.port} , ,${broker.bootstrap},`,
    `plaintext://${broker.bootstrap}`,
  ];
  for (const list of lists) {
    const at = ["-b", list, "--timeout", "30s"];
    const read = await consumer([...at, "-t", topic, "-o", "0"]);
    assert.deepEqual([text(read.stdout), read.stderr], ["1,a\n", ""]);
    const group = uniqueName("member");
    const member = await consumer([...at, "-t", topic, "-g", group, "--assign", "group"]);
    assert.deepEqual([member.code, text(member.stdout)], [0, "1,a\n"], member.stderr);
    const lag = await gpdbKafka(["lag", ...at, "-g", group]);
    assert.equal(lag.code, 0, lag.stderr);
    assert.match(text(lag.stdout), new RegExp(topic));
    const made = uniqueName("made");
    const create = await gpdbKafka(["topics", "create", made, ...at]);
    assert.equal(create.code, 0, create.stderr);
    const sent = await producer([...at, "-t", made], { stdin: "x\n" });
    assert.equal(sent.code, 0, sent.stderr);
    const doctor = await gpdbKafka(["doctor", ...at, "-t", made]);
    assert.match(text(doctor.stdout), /ok {4}brokers: /);
  }
});

Deno.test({
  name: "addresses: a broker that advertises an address of one interface (fe80::1%eth0)" +
    (linkLocal ? "" : " (skipped: no such address here)"),
  ignore: !linkLocal,
  fn: async () => {
    await using kafka = await scriptedBroker({ topics: { t: 1 } });
    const [bootstrap] = kafka.addresses;
    await using scoped = forward(linkLocal, portOf(bootstrap));
    kafka.log("t", 0).append(["1,a"]);
    kafka.brokers.set(1, { host: linkLocal, port: scoped.port });
    const run = await consumer(["-b", bootstrap, "-t", "t", "-o", "0", "-v", "--timeout", "30s"]);
    assert.deepEqual([run.code, text(run.stdout)], [0, "1,a\n"], run.stderr);
    const own = await consumer(["-b", `[${linkLocal}]:${scoped.port}`, "-t", "t", "-o", "0"]);
    assert.deepEqual([own.code, text(own.stdout)], [0, "1,a\n"], own.stderr);
  },
});
