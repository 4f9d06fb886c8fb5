/** JWTs that a client signs itself, to prove to a token endpoint who it is: RFC 7523, RFC 7515. */
import { createPrivateKey } from "node:crypto";
import { Failure, systemReason } from "../../failure.ts";
import { Secret, shownPath } from "../../secret.ts";
import { jsonObject } from "./ask.ts";
import { base64url, bearerToken } from "./jwt.ts";

/** What such a JWT says; times in seconds. */
export interface AssertionOptions {
  algorithm: "RS256" | "ES256";
  /** Its text, or where it is: read each time, for it may be replaced. */
  key: { pem: Secret } | { file: string };
  passphrase: Secret | null;
  /** JSON with `header` and `payload`, whose members are added. */
  template: string | null;
  claims: Record<string, string>;
  expires: number;
  notBefore: number;
  /** Whether each has an id of its own, `jti`. */
  id: boolean;
}

const PREFIX = "sasl.oauthbearer.assertion";

/** Reads a JWT that was signed elsewhere. Throws Failure (usage). */
export async function readAssertion(file: string): Promise<Secret> {
  return bearerToken(await read(`${PREFIX}.file`, file), `${PREFIX}.file`);
}

/** Signs a JWT. Throws Failure (usage). */
export async function signAssertion(options: AssertionOptions): Promise<Secret> {
  const { algorithm, template, claims, expires, notBefore, id } = options;
  const { header, payload } = template === null
    ? { header: {}, payload: {} }
    : await readTemplate(template);
  const now = Math.floor(Date.now() / 1000);
  const parts = [{ ...header, alg: algorithm, typ: "JWT" }, {
    ...payload,
    ...claims,
    ...(id ? { jti: crypto.randomUUID() } : {}),
    ...{ iat: now, exp: now + expires, nbf: now - notBefore },
  }];
  const utf8 = new TextEncoder();
  const unsigned = parts.map((part) => base64url(utf8.encode(JSON.stringify(part)))).join(".");
  const { key, parameters } = await signingKey(options);
  const signature = await crypto.subtle.sign(parameters, key, utf8.encode(unsigned));
  return new Secret(`${unsigned}.${base64url(new Uint8Array(signature))}`);
}

// WebCrypto, because node:crypto of Deno 2.4 signs ES256 in another form than RFC 7518 has it.
const parametersOf = {
  RS256: { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" },
  ES256: { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" },
};

async function signingKey({ key, passphrase, algorithm }: AssertionOptions) {
  const name = "pem" in key ? `${PREFIX}.private.key.pem` : `${PREFIX}.private.key.file`;
  const pem = "pem" in key
    // A PEM in one line has \n in it.
    ? key.pem.reveal().replaceAll("\\n", "\n")
    : await read(name, key.file);
  const parameters = parametersOf[algorithm];
  let der: Uint8Array<ArrayBuffer>;
  try {
    const read = createPrivateKey({ key: pem, passphrase: passphrase?.reveal() });
    der = Uint8Array.from(read.export({ type: "pkcs8", format: "der" }));
  } catch {
    const todo = /ENCRYPTED/.test(pem) ? ` — check ${PREFIX}.private.key.passphrase` : "";
    throw usage(`${name}: cannot read the private key as PEM${todo}`);
  }
  try {
    const imported = await crypto.subtle.importKey("pkcs8", der, parameters, false, ["sign"]);
    return { key: imported, parameters };
  } catch {
    const needed = algorithm === "RS256" ? "an RSA key" : "an EC key on P-256";
    throw usage(`${name}: ${PREFIX}.algorithm ${algorithm} requires ${needed}`);
  }
}

async function readTemplate(file: string) {
  const name = `${PREFIX}.template.file`;
  const template = jsonObject(await read(name, file));
  const part = (member: string) => {
    const value = template?.[member] ?? {};
    if (template && typeof value === "object") return value as Record<string, unknown>;
    throw usage(`${name}: ${shownPath(file)} is not JSON with objects "header" and "payload"`);
  };
  return { header: part("header"), payload: part("payload") };
}

async function read(name: string, file: string): Promise<string> {
  try {
    return await Deno.readTextFile(file);
  } catch (error) {
    throw usage(`${name}: cannot read ${shownPath(file)}: ${systemReason(error)}`);
  }
}

function usage(message: string): Failure {
  return new Failure("usage", message);
}
