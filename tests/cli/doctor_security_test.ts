import assert from "node:assert/strict";
import { programDeno } from "../support/cli.ts";
import { assertLine, examine } from "../support/doctor.ts";
import { secrets, startSecureBroker } from "../support/secure_broker.ts";

Deno.test("doctor: TLS and SASL, and what goes wrong with them, without a secret", async (t) => {
  await using secure = await startSecureBroker();
  const { at, file } = secure;
  const look = async (listener: string, code: number, properties: Record<string, string>) => {
    const args = Object.entries(properties).flatMap(([key, value]) => ["-X", `${key}=${value}`]);
    // The password on the command line is for tests: users keep it in a file.
    const { lines } = await examine(["-b", at[listener], ...args, "--timeout", "5s"], code);
    for (const secret of Object.values(secrets)) assert.ok(!lines.join("\n").includes(secret));
    return lines;
  };
  const tls = { "security.protocol": "SSL", "ssl.ca.location": file("ca") };
  const dates = programDeno().startsWith("2.4.") ? "cannot be read" : "expires in ";
  await t.step("valid TLS, with the end of the certificate", async () => {
    const lines = await look("TLS", 0, tls);
    assertLine(lines, /^ok {4}security: TLS, 1 authorities given; no login/);
    assertLine(lines, /^ok {4}brokers: .* answers over TLS/);
    assertLine(lines, new RegExp(`^(ok  |warn)  certificate: .*${dates}`));
  });
  await t.step("a CA that can't be read", async () => {
    const lines = await look("TLS", 1, { ...tls, "ssl.ca.location": "/nowhere/ca.pem" });
    assertLine(
      lines,
      /^fail {2}security: ssl\.ca\.location: cannot read "\/nowhere\/ca\.pem": No such file or directory$/,
    );
    assertLine(lines, /^skip {2}brokers: needs security/);
  });
  await t.step("an authority that did not sign it", async () => {
    const lines = await look("TLS", 1, { ...tls, "ssl.ca.location": file("other-ca") });
    assertLine(lines, /^fail {2}brokers: cannot trust .*: no trusted authority has signed it/);
  });
  await t.step("an expired certificate", async () => {
    const lines = await look("EXPIRED", 1, tls);
    assertLine(lines, /^fail {2}brokers: cannot trust .*: it expired on/);
    if (dates === "cannot be read") return;
    assertLine(lines, /^fail {2}certificate: .* expired 1 days ago, on \d{4}-.* — renew it/);
  });
  await t.step("plaintext to a TLS port", async () => {
    assertLine(
      await look("TLS", 1, {}),
      /^fail {2}brokers: .* requires TLS — set security\.protocol/,
    );
  });
  const scram = {
    "security.protocol": "SASL_PLAINTEXT",
    "sasl.mechanism": "SCRAM-SHA-256",
    "sasl.username": "alice",
  };
  await t.step("a login", async () => {
    const lines = await look("SCRAM", 0, { ...scram, "sasl.password": secrets.scram256 });
    assertLine(lines, /^ok {4}login: user "alice" is logged in with SCRAM-SHA-256/);
  });
  await t.step("a wrong password", async () => {
    const lines = await look("SCRAM", 1, { ...scram, "sasl.password": secrets.plain });
    assertLine(
      lines,
      /^fail {2}login: .* rejects user "alice" with SCRAM-SHA-256: .* — check sasl/,
    );
    assertLine(lines, /^skip {2}listeners: needs login/);
  });
  await t.step("no login, but one is required", async () => {
    const lines = await look("SCRAM", 1, {});
    assertLine(lines, /^fail {2}login: .* requires a login on this port — set security\.protocol/);
  });
});
