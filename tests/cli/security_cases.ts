/** Every way of connecting to the secure broker, and what comes of it. */
import { programDeno } from "../support/cli.ts";
import { secrets, type SecureBroker } from "../support/secure_broker.ts";

export interface Case {
  name: string;
  /** Which listener. */
  at: string;
  properties?: Record<string, string>;
  /** The file of properties, if it is not made of these. */
  file?: string;
  env?: Record<string, string>;
  /** 0 unless told; then the rows must be there. */
  code?: number;
  stderr?: RegExp;
}

/** Deno 2.4 has no way to leave the host name unchecked. */
const canSkipHostname = !programDeno().startsWith("2.4.");

/** `token` is one that the broker takes. */
export function cases({ file }: SecureBroker, token: string): Case[] {
  const tls = { "security.protocol": "SSL", "ssl.ca.location": file("ca") };
  const sasl = { ...tls, "security.protocol": "SASL_SSL" };
  const login = (mechanism: string, password: string, username = "alice") => ({
    ...sasl,
    "sasl.mechanism": mechanism,
    "sasl.username": username,
    "sasl.password": password,
  });
  const scram = { ...login("SCRAM-SHA-256", secrets.scram256) };
  const plaintextScram = { ...scram, "security.protocol": "SASL_PLAINTEXT" };
  const client = {
    "ssl.certificate.location": file("client"),
    "ssl.key.location": file("client-key"),
  };
  const stranger = {
    "ssl.certificate.location": file("stranger"),
    "ssl.key.location": file("stranger-key"),
  };
  const untrusted = /cannot trust the certificate of .*: no trusted authority.* ssl\.ca\.location/;
  return [
    { name: "TLS", at: "TLS", properties: tls },
    {
      name: "Java's PEM truststore",
      at: "TLS",
      properties: {
        "security.protocol": "ssl",
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": file("ca"),
      },
    },
    {
      name: "a file that Java's Properties.store wrote",
      at: "SASL",
      file: "\ufeff#Thu Nov 26 10\\:00\\:00 UTC 2026\r\nsecurity.protocol=SASL_SSL\r\n" +
        `ssl.ca.location=${file("ca")}\r\nsasl.mechanism=PLAIN\r\nsasl.username=\\u0061lice\r\n` +
        `sasl.password=${secrets.plain.replace("=", "\\=")}\r\n`,
    },
    {
      name: "an authority nobody named",
      at: "TLS",
      properties: { "security.protocol": "SSL" },
      code: 77,
      stderr: untrusted,
    },
    {
      name: "another authority",
      at: "TLS",
      properties: { ...tls, "ssl.ca.location": file("other-ca") },
      code: 77,
      stderr: untrusted,
    },
    {
      name: "another host's certificate",
      at: "WRONG",
      properties: tls,
      code: 77,
      stderr: /it is not for "127\.0\.0\.1" but for broker\.example — .*advertised\.listeners/,
    },
    {
      name: "another host's certificate, unchecked",
      at: "WRONG",
      properties: { ...tls, "ssl.endpoint.identification.algorithm": "" },
      ...(canSkipHostname ? {} : { code: 64, stderr: /cannot leave the host name unchecked/ }),
    },
    {
      name: "an expired certificate",
      at: "EXPIRED",
      properties: tls,
      code: 77,
      stderr: /it expired on [\d-]+ — renew/,
    },
    {
      name: "no client certificate",
      at: "MUTUAL",
      properties: tls,
      code: 77,
      stderr: /requires a client certificate — set ssl\.certificate\.location and ssl\.key/,
    },
    { name: "a client certificate", at: "MUTUAL", properties: { ...tls, ...client } },
    {
      name: "Java's PEM keystore",
      at: "MUTUAL",
      properties: { ...tls, "ssl.keystore.type": "PEM", "ssl.keystore.location": file("store") },
    },
    {
      name: "an encrypted key",
      at: "MUTUAL",
      properties: { ...tls, ...client, "ssl.key.location": file("encrypted-key") },
      env: { KAFKA_SSL_KEY_PASSWORD: secrets.keyPassword },
    },
    {
      name: "a stranger's certificate",
      at: "MUTUAL",
      properties: { ...tls, ...stranger },
      code: 77,
      stderr: /rejects the client certificate of ssl\.certificate\.location/,
    },
    {
      name: "another certificate's key",
      at: "MUTUAL",
      properties: { ...tls, ...client, "ssl.key.location": file("stranger-key") },
      code: 64,
      stderr: /ssl\.key\.location: the key does not belong to the first certificate/,
    },
    {
      name: "plaintext to a TLS port",
      at: "TLS",
      code: 69,
      stderr: /requires TLS — set security\.protocol/,
    },
    {
      name: "TLS to a plaintext port",
      at: "PLAINTEXT",
      properties: tls,
      code: 69,
      stderr: /closed during the TLS handshake; .* security\.protocol \(tried for 1 s\)/,
    },
    {
      name: "no login where one is asked for",
      at: "SCRAM",
      code: 69,
      stderr: /requires a login on this port — set security\.protocol .* sasl\.mechanism to SCRAM/,
    },
    {
      name: "a login where none is asked for",
      at: "PLAINTEXT",
      properties: plaintextScram,
      code: 69,
      stderr: /does not use SASL on this port — set/,
    },
    { name: "PLAIN", at: "SASL", properties: login("PLAIN", secrets.plain) },
    {
      name: "PLAIN, secrets from the environment",
      at: "SASL",
      properties: { ...sasl, "sasl.mechanisms": "PLAIN" },
      env: { KAFKA_SASL_USERNAME: "alice", KAFKA_SASL_PASSWORD: secrets.plain },
    },
    {
      name: "PLAIN, Java's way",
      at: "SASL",
      properties: {
        ...sasl,
        "sasl.mechanism": "PLAIN",
        "sasl.jaas.config": "org.apache.kafka.common.security.plain.PlainLoginModule required " +
          `username="alice" password="${secrets.plain}";`,
      },
    },
    {
      name: "PLAIN, wrong password",
      at: "SASL",
      properties: login("PLAIN", secrets.scram256),
      code: 77,
      stderr: /rejects user "alice" with PLAIN: Authentication failed: Invalid username or pass/,
    },
    { name: "SCRAM-SHA-256", at: "SASL", properties: scram },
    { name: "SCRAM-SHA-256 without TLS", at: "SCRAM", properties: plaintextScram },
    { name: "SCRAM-SHA-512", at: "SASL", properties: login("SCRAM-SHA-512", secrets.scram512) },
    ...[["SCRAM-SHA-256", secrets.scram512], ["SCRAM-SHA-512", secrets.scram256]].map(
      ([mechanism, password]) => ({
        name: `${mechanism}, wrong password`,
        at: "SASL",
        properties: login(mechanism, password),
        code: 77,
        stderr: new RegExp(`rejects user "alice" with ${mechanism}: .*invalid credentials`),
      }),
    ),
    {
      name: "SCRAM, unknown user",
      at: "SASL",
      properties: login("SCRAM-SHA-256", secrets.scram256, "nobody"),
      code: 77,
      stderr: /rejects user "nobody" with SCRAM-SHA-256/,
    },
    {
      name: "a mechanism that is not enabled",
      at: "SCRAM",
      properties: { ...plaintextScram, "sasl.mechanism": "PLAIN" },
      code: 77,
      stderr: /does not accept sasl\.mechanism PLAIN: .*; it accepts SCRAM-SHA-256$/m,
    },
    {
      name: "OAUTHBEARER",
      at: "SASL",
      properties: { ...sasl, "sasl.mechanism": "OAUTHBEARER" },
      env: { KAFKA_OAUTHBEARER_TOKEN: token },
    },
    {
      name: "OAUTHBEARER, an expired token from a file",
      at: "SASL",
      properties: {
        ...sasl,
        "sasl.mechanism": "OAUTHBEARER",
        "sasl.oauthbearer.token.endpoint.url": `file://${file("expired-token")}`,
      },
      code: 77,
      stderr:
        /rejects the token of its file with OAUTHBEARER: .*invalid_token.* — it expired at \d/,
    },
  ];
}
