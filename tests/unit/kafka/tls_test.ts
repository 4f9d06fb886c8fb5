import assert from "node:assert/strict";
import type { TlsConfig } from "../../../lib/kafka/config.ts";
import { Secret } from "../../../lib/secret.ts";
import { Connection } from "../../../lib/kafka/connection.ts";
import { explainTls } from "../../../lib/kafka/tls.ts";
import { authority } from "../../support/certificates.ts";

const address = (listener: Deno.Listener) => ({
  host: "127.0.0.1",
  port: (listener.addr as Deno.NetAddr).port,
});

const config = (tls: TlsConfig) => ({
  brokers: [],
  clientId: "test",
  timeout: 300,
  debug: () => {},
  tls,
  sasl: null,
});

const trust = (...authorities: string[]): TlsConfig => ({
  authorities,
  identity: null,
  checkHostname: true,
});

Deno.test("tls: a port that accepts and says nothing is given up at the deadline", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const client = authority("a").issue({ name: "c" });
  const identity = { certificates: client.certificate, key: new Secret(client.key) };
  for (const tls of [trust(), { ...trust(), identity }]) {
    const accepting = listener.accept();
    const started = performance.now();
    await assert.rejects(
      Connection.open(address(listener), config(tls), []),
      /^ConnectionError: cannot connect to 127\.0\.0\.1:\d+: no connection within 0\.3 s$/,
    );
    assert.ok(performance.now() - started < 2000);
    (await accepting).close();
  }
});

Deno.test("tls: a broker that is silent after the handshake is given up at the deadline, too", async () => {
  const ca = authority("test");
  const { certificate: cert, key } = ca.issue({ name: "b", hosts: ["127.0.0.1"] });
  using listener = Deno.listenTls({ hostname: "127.0.0.1", port: 0, cert, key });
  const serving = listener.accept().then(async (conn) => {
    await (conn as Deno.TlsConn).handshake();
    return conn;
  });
  await assert.rejects(
    Connection.open(address(listener), config(trust(ca.certificate)), []),
    /did not answer ApiVersions within 0\.3 s$/,
  );
  (await serving).close();
});

Deno.test({
  name: "tls: what rustls says, in words that say what to do",
  permissions: "none",
  fn: () => {
    const at = { host: "kafka1", port: 9093 };
    const cases: [string, boolean, RegExp | null][] = [
      ["invalid peer certificate: UnknownIssuer", false, /^denied: .* — set ssl\.ca\.location/],
      [
        "invalid peer certificate: NotValidForName",
        false,
        /^denied: .*it is not for "kafka1" — connect/,
      ],
      [
        'invalid peer certificate: certificate not valid for name "kafka1"; certificate is only ' +
        'valid for DnsName("a.example"), DnsName("b.example") or IpAddress(10.0.0.1)',
        false,
        /^denied: .*not for "kafka1" but for a\.example, b\.example, 10\.0\.0\.1 — connect/,
      ],
      ["invalid peer certificate: Expired", false, /^denied: .*it has expired$/],
      [
        "invalid peer certificate: certificate expired: verification time 1 (UNIX), but …",
        false,
        /^denied: .*it has expired$/,
      ],
      [
        "invalid peer certificate: Other(CaUsedAsEndEntity)",
        false,
        /the certificate of an authority, not of a host/,
      ],
      ["invalid peer certificate: BadSignature", false, /kafka1:9093: BadSignature$/],
      ["received fatal alert: CertificateRequired", false, /^denied: .*requires a client cert/],
      ["received fatal alert: BadCertificate", true, /^denied: .*rejects the client certificate/],
      ["received fatal alert: HandshakeFailure", true, /^broker: .*no TLS version and cipher/],
      ["received fatal alert: InternalError", false, null],
      ["received corrupt message of type InvalidContentType", false, /^broker: .*not use TLS/],
      ["connection reset by peer", false, null],
    ];
    for (const [text, hasIdentity, expected] of cases) {
      const error = explainTls(new Deno.errors.InvalidData(text), at, hasIdentity);
      if (expected === null) assert.equal(error, null, text);
      else assert.match(`${(error as { kind?: string }).kind}: ${error?.message}`, expected);
    }
  },
});
