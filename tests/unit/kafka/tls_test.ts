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
  name: "tls: a name with an underscore, which Java's brokers reject, is named",
  permissions: "none",
  fn: () => {
    const error = new Deno.errors.InvalidData("received fatal alert: IllegalParameter");
    const at = { host: "kafka_1", port: 9093 };
    assert.match(
      String(explainTls(error, at, false)),
      /^Failure: kafka_1:9093 rejects "kafka_1" as its name: .* — connect by another name/,
    );
  },
});

Deno.test({
  name: "tls: what rustls says, in words that say what to do",
  permissions: "none",
  fn: () => {
    const at = { host: "kafka1", port: 9093 };
    const cases: [string, boolean, RegExp | null][] = [
      ["received fatal alert: CertificateRequired", false, /^denied: .*requires a client cert/],
      ["received fatal alert: BadCertificate", true, /^denied: .*rejects the client certificate/],
      ["received fatal alert: HandshakeFailure", true, /^broker: .*no TLS version and cipher/],
      ["received fatal alert: InternalError", false, null],
      ["received fatal alert: IllegalParameter", false, null],
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
