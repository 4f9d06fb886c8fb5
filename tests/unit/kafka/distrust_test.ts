import assert from "node:assert/strict";
import { distrust, untrusted } from "../../../lib/kafka/distrust.ts";
import { peerChain } from "../../../lib/kafka/peer_chain.ts";
import { authority } from "../../support/certificates.ts";
import { Random } from "../../support/random.ts";

const server = {
  name: "kafka1:9093",
  host: "kafka1",
  trusted: [],
  setting: "ssl.ca.location",
  otherName: "connect by another name",
  noName: "leave it unchecked",
};

Deno.test({
  name: "distrust: without the server's certificates, each cause that there may be is named",
  permissions: "none",
  fn: () => {
    const cases: [string, RegExp][] = [
      ["UnknownIssuer", /^no trusted authority has signed it — set ssl\.ca\.location .* between$/],
      ["NotValidForName", /^it is not for "kafka1" — connect by another name$/],
      [
        'certificate not valid for name "kafka1"; certificate is only valid for DnsName("a.example"), ' +
        'DnsName("b.example") or IpAddress(10.0.0.1)',
        /^it is not for "kafka1" but for a\.example, b\.example, 10\.0\.0\.1 — connect/,
      ],
      [
        'certificate not valid for name "kafka1"; certificate is not valid for any names (according …',
        /^it names no host .* — have it issued with subjectAltName=DNS:kafka1, or leave it unchecked$/,
      ],
      ["Expired", /^it is expired, or the certificate of an authority .* — renew/],
      ["certificate expired: verification time 1 (UNIX), but …", /^it is expired, or/],
      ["NotValidYet", /^it is not valid yet — compare the clocks/],
      ["Other(CaUsedAsEndEntity)", /^it is the certificate of an authority, not of a host — let/],
      ["BadSignature", /^its signature is wrong: .* 2048 bits, .* — compare/],
      ["UnsupportedSignatureAlgorithm", /^it, or one that .*, such as SHA-1 — have it issued/],
      ["Other(OtherError(UnsupportedCertVersion))", /^it is of X\.509 version 1, /],
      ["Other(OtherError(SomethingNew))", /^SomethingNew — have a new one issued$/],
      ["x".repeat(1000) + "\nb", /^x{100}… — have a new one issued$/],
    ];
    for (const [problem, expected] of cases) {
      const { why, todo } = distrust(problem, server, null);
      assert.match(`${why} — ${todo}`, expected);
    }
  },
});

/** A server that does this with each connection; what the question for its certificates gives. */
async function ask(answer: (conn: Deno.Conn) => Promise<void>, timeout = 30_000) {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  const accepted: Deno.Conn[] = [];
  const serving = (async () => {
    for await (const conn of listener) {
      accepted.push(conn);
      await conn.read(new Uint8Array(1000));
      await answer(conn).catch(() => {});
    }
  })();
  const connect = () => Deno.connect({ hostname: "127.0.0.1", port });
  const found = await peerChain(connect, "localhost", timeout);
  listener.close();
  await serving.catch(() => {});
  for (const conn of accepted) {
    try {
      conn.close();
    } catch {
      // It was closed.
    }
  }
  return found;
}

Deno.test("distrust: a server that shows its certificates in a wrong way, or not, is no reason to wait", async () => {
  const random = new Random(5);
  const noise = (size: number) => Uint8Array.from({ length: size }, () => random.int(0, 255));
  assert.equal(await ask(() => Promise.resolve(), 200), null);
  const send = (...parts: Uint8Array[]) => async (conn: Deno.Conn) => {
    for (const part of parts) await conn.write(part as Uint8Array<ArrayBuffer>);
    conn.close();
  };
  assert.equal(await ask(send()), null);
  assert.equal(await ask(send(Uint8Array.of(21, 3, 3, 0, 2, 2, 40))), null);
  for (let i = 0; i < 50; i++) {
    assert.equal(await ask(send(noise(random.int(1, 300)))), null);
    // A record of the handshake, with a message Certificate of noise.
    const body = noise(random.int(3, 200));
    const message = Uint8Array.of(11, 0, 0, body.length, ...body);
    const record = Uint8Array.of(22, 3, 3, 0, message.length, ...message);
    const found = await ask(send(record));
    assert.ok(found === null || found.length === 0, JSON.stringify(found));
  }
  // Never the message, without an end.
  const endless = async (conn: Deno.Conn) => {
    const record = Uint8Array.of(22, 3, 3, 64, 0, ...new Uint8Array(64 * 256));
    while (true) await conn.write(record);
  };
  assert.equal(await ask(endless), null);
});

Deno.test("distrust: what is not about the certificate is another error's business", async () => {
  const connect = () => Promise.reject(new Error("not to be called"));
  assert.equal(await untrusted(new Error("connection reset"), { ...server, connect }), null);
  const found = await untrusted(
    new Deno.errors.InvalidData("invalid peer certificate: UnknownIssuer"),
    { ...server, connect },
  );
  assert.match(String(found), /^Failure: cannot trust the certificate of kafka1:9093: no trusted/);
});

Deno.test("distrust: texts of a server in a message are one short line", async () => {
  const ca = authority("ca\x1b[31m" + "x".repeat(200));
  const own = ca.issue({ name: "b", hosts: ["127.0.0.1"] });
  using listener = Deno.listenTls({
    hostname: "127.0.0.1",
    port: 0,
    cert: own.certificate,
    key: own.key,
  });
  const serving = listener.accept().then((conn) =>
    (conn as Deno.TlsConn).handshake().catch(() => {}).finally(() => conn.close())
  );
  const { port } = listener.addr as Deno.NetAddr;
  const found = await untrusted(
    new Error("invalid peer certificate: UnknownIssuer"),
    { ...server, connect: () => Deno.connect({ hostname: "127.0.0.1", port }) },
  );
  await serving;
  assert.match(found!.message, /: "ca \[31mx{70,80}…" has, and the server does not send/);
  // deno-lint-ignore no-control-regex
  assert.doesNotMatch(found!.message, /[\x00-\x1f]/);
});
