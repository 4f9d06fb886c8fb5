import assert from "node:assert/strict";
import { databaseTls } from "../../lib/load/database_tls.ts";
import type { Dsn } from "../../lib/load/dsn.ts";
import { Registry } from "../../lib/registry/registry.ts";
import { consumer, gpdbKafka, text } from "../support/cli.ts";
import { hasOpenssl, make, ofAuthority, serveTls } from "../support/openssl.ts";
import { closing, registryConfigOf } from "../support/registry.ts";
import { authorities, cases, san } from "./certificate_cases.ts";

const ignore = !hasOpenssl;
const name = (what: string) => `certificates: ${what}${ignore ? " (skipped: no openssl)" : ""}`;

/** What comes of connecting to a database there: PostgreSQL's SSLRequest, and then TLS. */
async function database(host: string, port: number, ca: string): Promise<string> {
  using front = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serving = (async () => {
    for await (const conn of front) {
      try {
        await conn.read(new Uint8Array(8));
        await conn.write(new TextEncoder().encode("S"));
        const back = await Deno.connect({ hostname: "127.0.0.1", port });
        const ways = [conn.readable.pipeTo(back.writable), back.readable.pipeTo(conn.writable)];
        Promise.allSettled(ways);
      } catch {
        // The client closed it.
      }
    }
  })();
  const dsn = { sslMode: "verify-full", sslRootCert: ca, at: "--dsn" } as Dsn;
  const address = { host, port: (front.addr as Deno.NetAddr).port };
  const tls = databaseTls(dsn, [address], () => null);
  assert.ok("socket" in tls);
  const stream = await tls.socket();
  const said = await new Promise<string>((resolve) => {
    stream.once("connect", () => resolve("ok"));
    stream.once("error", (error: Error) => resolve(error.message));
  });
  stream.destroy();
  front.close();
  await serving.catch(() => {});
  return said;
}

async function registry(host: string, port: number, ca: string, timeout = "30s"): Promise<string> {
  const config = registryConfigOf([`https://${host}:${port}`], {
    timeout: 1000 * parseInt(timeout),
    tls: { authorities: [await Deno.readTextFile(ca)], identity: null, checkHostname: true },
  });
  using registry = closing(new Registry(config));
  return await registry.schema(7).then(() => "ok", (error: Error) => error.message);
}

Deno.test({
  name: name("each that is not trusted has its own line, of a broker, a registry and a database"),
  ignore,
  fn: async (t) => {
    const folder = await Deno.makeTempDir();
    try {
      const made = await authorities(folder);
      for (const [i, one] of cases(made).entries()) {
        await t.step(one.what, async () => {
          const own = await make(folder, `own${i}`, one.own);
          await using server = await serveTls(own, one.chain?.map((name) => made[name]));
          const { port } = server;
          const { host = "localhost", trusted = "ca" } = one;
          const ca = made[trusted].certificate;
          // What is trusted is tried until the end, for nothing there speaks Kafka or HTTP.
          const timeout = one.broker === null ? "1s" : "30s";
          const args = ["-b", `${host}:${port}`, "-X", "security.protocol=SSL"];
          const run = await consumer(
            [...args, "-X", `ssl.ca.location=${ca}`, "-t", "x", "-o", "0", "--timeout", timeout],
          );
          const others = [await database(host, port, ca), await registry(host, port, ca, timeout)];
          if (one.broker === null) {
            assert.notEqual(run.code, 77, run.stderr);
            assert.equal(others[0], "ok");
            assert.doesNotMatch(others[1], /certificate/);
            return;
          }
          assert.equal(run.code, 77, run.stderr);
          assert.ok(run.ms < 20_000);
          const [line, ...more] = run.stderr.split("\n");
          assert.match(line, /cannot trust the certificate of (localhost|127\.0\.0\.1):\d+: /);
          assert.match(line, one.broker);
          assert.ok(line.length < 400, line);
          assert.deepEqual(more, [""]);
          assert.match(others[0], /^cannot trust the certificate of the database at /);
          assert.match(others[1], /: cannot trust the certificate of https:\/\//);
          for (const other of others) {
            assert.match(other, one.others ?? one.broker);
            assert.doesNotMatch(other, / ssl\./);
          }
        });
      }
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

Deno.test({
  name: name("what remedies say works, and doctor says the same"),
  ignore,
  fn: async () => {
    const folder = await Deno.makeTempDir();
    try {
      const ca = await make(folder, "ca", { cn: "ca", extensions: ofAuthority });
      const middle = await make(folder, "middle", {
        cn: "middle",
        by: ca,
        extensions: ofAuthority,
      });
      const own = await make(folder, "own", { by: middle, extensions: san });
      await using server = await serveTls(own);
      const run = await gpdbKafka([
        ...["doctor", "-b", `localhost:${server.port}`, "-X", "security.protocol=SSL"],
        ...["-X", `ssl.ca.location=${ca.certificate}`, "--timeout", "3s"],
      ]);
      assert.match(text(run.stdout), /"middle" has, and the server does not send the certificate/);
      // A certificate that signs itself, trusted as it is.
      const self = await make(folder, "self", { extensions: san });
      await using selfish = await serveTls(self);
      const untrusted = await registry("localhost", selfish.port, ca.certificate);
      assert.match(untrusted, /signed it: it is signed by itself — set \S+ to its own PEM$/);
      assert.equal(await database("localhost", selfish.port, self.certificate), "ok");
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

Deno.test({
  name: name("of a server with TLS 1.3 alone the line names the causes there may be"),
  ignore,
  fn: async () => {
    const folder = await Deno.makeTempDir();
    try {
      const ca = await make(folder, "ca", { cn: "ca", extensions: ofAuthority });
      const own = await make(folder, "own", { by: ca, extensions: san, key: "rsa:1024" });
      await using server = await serveTls(own, [], ["-tls1_3"]);
      const why = await database("localhost", server.port, ca.certificate);
      assert.match(why, /RSA with less than 2048 bits, or the authority has the name of a trusted/);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
