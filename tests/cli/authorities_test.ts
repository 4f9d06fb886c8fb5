import assert from "node:assert/strict";
import { authority } from "../support/certificates.ts";
import { consumer, gpdbKafka } from "../support/cli.ts";

/**
 * Whether a program trusts a server that `signed` has signed: it says nothing of Kafka, so a
 * handshake that works ends in another error than one that does not.
 */
async function isTrusted(
  address: string,
  properties: Record<string, string>,
  env: Record<string, string>,
  command: string[] = [],
): Promise<boolean> {
  const all = { "security.protocol": "SSL", ...properties };
  const flags = Object.entries(all).flatMap(([key, value]) => ["-X", `${key}=${value}`]);
  const args = [...flags, "-b", address, "--timeout", "1s", "-t", "x"];
  const run =
    await (command.length > 0
      ? gpdbKafka([...command, ...args.slice(0, -2)], { env })
      : consumer([...args, "-o", "0"], { env }));
  if (run.code === 77) {
    assert.match(run.stderr, /cannot trust the certificate of .*: no trusted authority/);
    return false;
  }
  assert.equal(run.code, 69, run.stderr);
  return true;
}

/** A server that speaks TLS, and ends each connection after the handshake. */
function serve(cert: string, key: string) {
  const listener = Deno.listenTls({ hostname: "127.0.0.1", port: 0, cert, key });
  const serving = (async () => {
    for await (const conn of listener) {
      conn.handshake().catch(() => {}).finally(() => {
        try {
          conn.close();
        } catch {
          // The client was first.
        }
      });
    }
  })();
  const { port } = listener.addr as Deno.NetAddr;
  return {
    address: `127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      listener.close();
      await serving.catch(() => {});
    },
  };
}

Deno.test("tls: ssl.ca.location is all that is trusted; without it, what the host trusts", async (t) => {
  const folder = await Deno.makeTempDir();
  try {
    const ours = authority("ours");
    const other = authority("another");
    const { certificate, key } = ours.issue({ name: "x", hosts: ["127.0.0.1"] });
    await using server = serve(certificate, key);
    const file = async (name: string, text: string) => {
      await Deno.writeTextFile(`${folder}/${name}`, text);
      return `${folder}/${name}`;
    };
    const own = await file("ours.pem", ours.certificate);
    const others = await file("other.pem", other.certificate);
    const both = await file("both.pem", `# a bundle\n${other.certificate}${ours.certificate}`);
    const host = { SSL_CERT_FILE: own, SSL_CERT_DIR: "/nonexistent" };
    const { address } = server;
    const ca = (path: string) => ({ "ssl.ca.location": path });

    await t.step("the file of the right authority", async () => {
      assert.equal(await isTrusted(address, ca(own), {}), true);
      assert.equal(await isTrusted(address, ca(both), {}), true);
    });
    await t.step("no file: the host's authorities", async () => {
      assert.equal(await isTrusted(address, {}, host), true);
      assert.equal(await isTrusted(address, {}, { SSL_CERT_FILE: others }), false);
      assert.equal(await isTrusted(address, {}, {}), false);
    });
    await t.step(
      "another file: the host's authorities do not count, however they are named",
      async () => {
        const outside: Record<string, string>[] = [
          host,
          { ...host, DENO_TLS_CA_STORE: "system" },
          { ...host, DENO_TLS_CA_STORE: "system,mozilla", NODE_EXTRA_CA_CERTS: own },
        ];
        for (const env of outside) {
          assert.equal(await isTrusted(address, ca(others), env), false, JSON.stringify(env));
        }
      },
    );
    await t.step("kafkajs and doctor connect by the same authorities", async () => {
      const topics = ["topics", "list"];
      assert.equal(await isTrusted(address, ca(own), {}, topics), true);
      assert.equal(await isTrusted(address, ca(others), host, topics), false);
      const args = ["doctor", "-b", address, "-X", "security.protocol=SSL", "--timeout", "2s"];
      const run = await gpdbKafka([...args, "-X", `ssl.ca.location=${others}`], { env: host });
      assert.match(
        new TextDecoder().decode(run.stdout),
        /cannot trust the certificate of .*: no tr/,
      );
    });
    await t.step("HTTPS, such as of a token endpoint: the same function", async () => {
      const module = new URL("../../lib/kafka/authorities.ts", import.meta.url).href;
      await using https = Deno.serve({
        hostname: "127.0.0.1",
        port: 0,
        cert: certificate,
        key,
        onListen() {},
      }, () => new Response("ok"));
      const { port } = https.addr as Deno.NetAddr;
      const code = `import { trusted } from ${JSON.stringify(module)};
        const given = Deno.args[1] ? [Deno.readTextFileSync(Deno.args[1])] : [];
        using client = Deno.createHttpClient({ caCerts: trusted(given) });
        const text = await fetch(Deno.args[0], { client }).then((r) => r.text(), () => "refused");
        console.log(text);`;
      const script = await file("https.ts", code);
      const get = async (path: string, env: Record<string, string>) => {
        const { stdout } = await new Deno.Command(Deno.execPath(), {
          args: ["run", "-A", "--quiet", script, `https://127.0.0.1:${port}`, path],
          env: { DENO_TLS_CA_STORE: "system,mozilla", NODE_EXTRA_CA_CERTS: "", ...env },
        }).output();
        return new TextDecoder().decode(stdout);
      };
      assert.equal(await get(own, {}), "ok\n");
      assert.equal(await get("", host), "ok\n");
      assert.equal(await get(others, { ...host, NODE_EXTRA_CA_CERTS: own }), "refused\n");
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
