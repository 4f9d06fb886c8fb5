/**
 * An identity provider in this process: a token endpoint, and the keys that a broker checks its
 * tokens with. No real one can be reached from everywhere; what it answers is RFC 6749's and RFC
 * 7517's, and the brokers of the tests check its tokens as they check those of a real one.
 */
import { authority } from "./certificates.ts";

export const clientSecret = "oidc-Pa55=word/5";

/** What one request to the token endpoint held. */
export interface Asked {
  path: string;
  authorization: string | null;
  form: URLSearchParams;
}

export interface IdentityProvider extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`. */
  url: string;
  /** The same with TLS, by a certificate of `ca`. */
  tlsUrl: string;
  /** PEM. */
  ca: string;
  jwks: string;
  /** Requests for tokens so far. */
  asked: Asked[];
  /** Tokens given so far. */
  given: string[];
  /** Seconds that a token lives; changed by a test. */
  lifetime: number;
  /** A token of another kind than those that it gives. */
  token(claims: Record<string, unknown>): Promise<string>;
}

export const issuer = "https://idp.example/realms/kafka";
export const audience = "kafka-brokers";

const algorithm = {
  ...{ name: "RSASSA-PKCS1-v1_5", hash: "SHA-256", modulusLength: 2048 },
  publicExponent: new Uint8Array([1, 0, 1]),
};

const local = { hostname: "127.0.0.1", port: 0, onListen: () => {} };

/**
 * `/token` gives tokens to client `loader` for its secret or an assertion; other paths have the
 * faults that their names say, or are AWS's: `/sts` repeats a web identity, `/container` has keys.
 */
export async function startIdentityProvider(): Promise<IdentityProvider> {
  const keys = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const { n, e } = await crypto.subtle.exportKey("jwk", keys.publicKey);
  const key = { kty: "RSA", use: "sig", alg: "RS256", kid: "key-1", n, e };
  const sign = async (claims: Record<string, unknown>) => {
    const now = Math.floor(Date.now() / 1000);
    const standard = { iss: issuer, aud: audience, sub: "loader", scope: "kafka" };
    const payload = { ...standard, iat: now, exp: now + provider.lifetime, ...claims };
    const unsigned = [{ alg: "RS256", kid: "key-1", typ: "JWT" }, payload].map(encoded).join(".");
    const bytes = new TextEncoder().encode(unsigned);
    const signature = await crypto.subtle.sign(algorithm.name, keys.privateKey, bytes);
    return `${unsigned}.${base64url(new Uint8Array(signature))}`;
  };
  const json = (body: unknown, status = 200) => Response.json(body, { status });
  const answer = async (request: Request): Promise<Response> => {
    const { pathname: path } = new URL(request.url);
    if (path === "/jwks") return json({ keys: [key] });
    const form = new URLSearchParams(await request.text());
    const authorization = request.headers.get("authorization");
    provider.asked.push({ path, authorization, form });
    if (path === "/html") {
      return new Response("<html>", { headers: { "content-type": "text/html" } });
    }
    if (path === "/slow") {
      await new Promise((resolve) => stop.signal.addEventListener("abort", resolve));
    }
    if (path === "/none") return json({ token_type: "Bearer" });
    if (path === "/redirect") return Response.redirect(`${provider.url}/token?x=${clientSecret}`);
    if (path === "/unavailable") return json({ error: "temporarily_unavailable" }, 503);
    if (path === "/missing") return new Response("no", { status: 404 });
    const expires_in = provider.lifetime;
    const given = (access_token: string) => {
      provider.given.push(access_token);
      return json({ access_token, expires_in, token_type: "Bearer" });
    };
    if (path === "/echo") {
      const secret = atob(authorization?.replace("Basic ", "") ?? "");
      const said = [authorization, secret, ...form.values()].join(" ");
      return json({ error: "invalid_client", error_description: `who is ${said}?` }, 401);
    }
    if (path === "/sts") {
      const said = `<Error><Message>who is ${form.get("WebIdentityToken")}?</Message></Error>`;
      return new Response(said, { status: 403 });
    }
    if (path === "/container") {
      return json({ AccessKeyId: "C", SecretAccessKey: clientSecret, Token: clientSecret });
    }
    if (path === "/expired") {
      const exp = Math.floor(Date.now() / 1000) - 3600;
      return given(await sign({ iat: exp - 60, exp }));
    }
    if (path === "/other-audience") return given(await sign({ aud: "another-service" }));
    const basic = `Basic ${btoa(`loader:${clientSecret}`)}`;
    if (authorization !== basic && !form.get("client_assertion") && !form.get("assertion")) {
      const why = { error: "invalid_client", error_description: "Invalid client or credentials" };
      return json({ ...why, secret: authorization }, 401);
    }
    return given(await sign({}));
  };
  const stop = new AbortController();
  const ca = authority("the identity provider's authority");
  const { certificate: cert, key: tlsKey } = ca.issue({ name: "idp", hosts: ["127.0.0.1"] });
  const plain = Deno.serve(local, answer);
  const secure = Deno.serve({ ...local, cert, key: tlsKey }, answer);
  const url = `http://127.0.0.1:${plain.addr.port}`;
  const provider: IdentityProvider = {
    url,
    tlsUrl: `https://127.0.0.1:${secure.addr.port}`,
    ca: ca.certificate,
    jwks: `${url}/jwks`,
    asked: [],
    given: [],
    lifetime: 300,
    token: sign,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await Promise.all([plain.shutdown(), secure.shutdown()]);
    },
  };
  return provider;
}

function encoded(part: unknown): string {
  return base64url(new TextEncoder().encode(JSON.stringify(part)));
}

function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
