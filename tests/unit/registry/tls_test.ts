import assert from "node:assert/strict";
import { Failure } from "../../../lib/failure.ts";
import { Registry } from "../../../lib/registry/registry.ts";
import { Secret } from "../../../lib/secret.ts";
import { type Authority, authority, type Certificate } from "../../support/certificates.ts";
import {
  closing,
  json,
  registryConfigOf,
  ScriptedRegistry,
  startMutual,
} from "../../support/registry.ts";

const ours = authority("ours");
const good = ours.issue({ name: "registry", hosts: ["127.0.0.1"] });

/** What comes of asking such a server, with this authority trusted: `ok`, or the error. */
async function ask(
  server: Certificate | null,
  trusted: Authority | null,
  toUrl = (url: string) => url,
): Promise<string> {
  const tls = server ? { cert: server.certificate, key: server.key } : undefined;
  await using scripted = new ScriptedRegistry(() => json({ schema: '"long"' }), tls);
  const authorities = trusted ? [trusted.certificate] : [];
  using registry = closing(
    new Registry(registryConfigOf([toUrl(scripted.url)], {
      timeout: 400,
      tls: { authorities, identity: null, checkHostname: true },
    })),
  );
  return await registry.schema(7).then(() => "ok", (error) => {
    assert.ok(error instanceof Failure, String(error));
    return `${error.kind}: ${error.message}`;
  });
}

Deno.test("a registry whose authority is trusted answers", async () => {
  assert.equal(await ask(good, ours), "ok");
});

Deno.test("an authority that is not trusted is denied, with what to do", async () => {
  const why =
    /^denied: .*no trusted authority has signed it: "ours" has, .* — set schema.registry.ssl.ca.location/;
  assert.match(await ask(good, authority("other")), why);
  assert.match(await ask(good, null), why);
});

Deno.test("a certificate of another host, or an expired one, is denied", async () => {
  const named = ours.issue({ name: "registry", hosts: ["registry.example"] });
  assert.match(await ask(named, ours), /^denied: .*not for "127.0.0.1" but for registry.example —/);
  const expired = ours.issue({ name: "registry", hosts: ["127.0.0.1"], expired: true });
  assert.match(
    await ask(expired, ours),
    /^denied: .*it expired on [\d-]+ — renew it on the server$/,
  );
});

Deno.test("http and https mixed up are named", async () => {
  assert.match(
    await ask(good, ours, (url) => url.replace("https", "http")),
    /^broker: .*if it uses TLS, write https:\/\/ in its URL$/,
  );
  assert.match(
    await ask(null, ours, (url) => url.replace("http", "https")),
    /^broker: .*does not use TLS — write http:\/\/ in its URL$/,
  );
});

Deno.test("a client's certificate is shown to a registry that asks for one", async () => {
  const clients = authority("clients");
  await using server = await startMutual(good, clients.certificate);
  const askAs = async (certificate: Certificate | null) => {
    const identity = certificate &&
      { certificates: certificate.certificate, key: new Secret(certificate.key) };
    const tls = { authorities: [ours.certificate], identity, checkHostname: true };
    using registry = closing(
      new Registry(registryConfigOf([server.url], { tls, timeout: 2_000 })),
    );
    return await registry.schema(7).then(() => "ok", ({ kind, message }) => `${kind}: ${message}`);
  };
  assert.equal(await askAs(clients.issue({ name: "loader" })), "ok");
  assert.match(
    await askAs(null),
    /^denied: .* requires a client certificate — set schema\.registry\.ssl\.certificate\.location/,
  );
  // Node closes the connection, and sends no alert.
  assert.match(
    await askAs(authority("others").issue({ name: "loader" })),
    /^broker: .* closes the connection before it has answered; it may not accept the client certificate/,
  );
});
