import assert from "node:assert/strict";

/** Checks a JWT's signature by a foreign implementation, and its claims. */
export async function verified(
  jwt: string,
  key: { export(options: { format: "jwk" }): unknown },
  alg: "RS256" | "ES256",
  claims: Record<string, string>,
): Promise<void> {
  const [header, payload, signature] = jwt.split(".");
  const decode = (part: string) =>
    Uint8Array.from(
      atob(part.replaceAll("-", "+").replaceAll("_", "/")),
      (char) => char.charCodeAt(0),
    );
  const read = (part: string) => JSON.parse(new TextDecoder().decode(decode(part)));
  assert.deepEqual(read(header), { alg, typ: "JWT" });
  const { exp, nbf, iat, ...rest } = read(payload);
  for (const [name, value] of Object.entries(claims)) assert.equal(rest[name], value, name);
  assert.deepEqual([exp - iat, iat - nbf], [300, 60]);
  const parameters = alg === "RS256"
    ? { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" }
    : { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  const jwk = key.export({ format: "jwk" }) as JsonWebKey;
  const imported = await crypto.subtle.importKey("jwk", jwk, parameters, false, ["verify"]);
  const bytes = new TextEncoder().encode(`${header}.${payload}`);
  assert.ok(await crypto.subtle.verify(parameters, imported, decode(signature), bytes));
}
