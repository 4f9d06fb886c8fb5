import { Failure, systemReason } from "../failure.ts";
import type { TlsConfig } from "../kafka/config.ts";
import { Secret, shownPath } from "../secret.ts";
import type { Properties } from "./properties.ts";

const toPem = {
  truststore: "make it PEM: keytool -list -rfc -keystore FILE > ca.pem",
  keystore: "make it PEM: keytool -importkeystore -srckeystore FILE -destkeystore client.p12 " +
    "-deststoretype PKCS12, then openssl pkcs12 -in client.p12 -nodes -out client.pem",
};

/** The certificates and key that properties name. Throws Failure (usage). */
export async function tlsConfig(
  properties: Properties,
  env: (name: string) => string | undefined,
): Promise<TlsConfig> {
  const verify = properties.get("enable.ssl.certificate.verification") || "true";
  if (verify !== "true") {
    throw usage(
      "enable.ssl.certificate.verification: certificates are always checked here; set " +
        "ssl.ca.location to the PEM of the authority (or of the broker's certificate itself)",
    );
  }
  checkVersions(properties);
  const authorities = await read(properties, "truststore", [
    ["ssl.ca.location", "file"],
    ["ssl.truststore.location", "file"],
    ["ssl.ca.pem", "text"],
    ["ssl.truststore.certificates", "text"],
  ]);
  return {
    authorities: authorities ? certificates(authorities) : [],
    identity: await identity(properties, env),
    checkHostname: checkHostname(properties),
  };
}

async function identity(
  properties: Properties,
  env: (name: string) => string | undefined,
): Promise<TlsConfig["identity"]> {
  const chain = await read(properties, "keystore", [
    ["ssl.certificate.location", "file"],
    ["ssl.keystore.location", "file"],
    ["ssl.certificate.pem", "text"],
    ["ssl.keystore.certificate.chain", "text"],
  ]);
  const key = await read(properties, "keystore", [
    ["ssl.key.location", "file"],
    ["ssl.keystore.location", "file"],
    ["ssl.key.pem", "text"],
    ["ssl.keystore.key", "text"],
  ]);
  if (!chain && !key) return null;
  if (!chain) throw usage("ssl.key.location needs ssl.certificate.location too");
  if (!key) throw usage(`${chain.name} needs ssl.key.location too`);
  const password = properties.get("ssl.key.password") || env("KAFKA_SSL_KEY_PASSWORD");
  const pem = certificates(chain).join("");
  return { certificates: pem, key: new Secret(await readKey(key, password, pem)) };
}

/**
 * The authorities that the first of these which has a value names, as PEM texts; empty if none has.
 * Throws Failure (usage).
 */
export async function authoritiesOf(
  sources: readonly (readonly [string, "file" | "text", string | undefined])[],
): Promise<string[]> {
  const found = sources.find(([, , value]) => value);
  if (!found) return [];
  const [name, kind, value] = found;
  return certificates(await pemOf(name, kind, value!, "truststore"));
}

/** PEM text and the property it comes from. */
interface Found {
  name: string;
  text: string;
}

/** What the first of these properties that is set holds, or the file it names. */
async function read(
  properties: Properties,
  store: "truststore" | "keystore",
  names: [string, "file" | "text"][],
): Promise<Found | null> {
  const [name, kind] = names.find(([name]) => properties.get(name)) ?? [];
  if (name === undefined) return null;
  const value = properties.get(name)!;
  const type = properties.get(`ssl.${store}.type`)?.toUpperCase() || "PEM";
  const isStore = name.startsWith(`ssl.${store}.`);
  if (isStore && type !== "PEM") {
    throw usage(`ssl.${store}.type can only be PEM here — ${toPem[store]}`);
  }
  return await pemOf(name, kind!, value, store);
}

async function pemOf(
  name: string,
  kind: "file" | "text",
  value: string,
  store: "truststore" | "keystore",
): Promise<Found> {
  // Java's programs have inline PEM in one line, with \n in it.
  if (kind === "text") return { name, text: value.replaceAll("\\n", "\n") };
  try {
    const text = await Deno.readTextFile(value);
    if (text.includes("-----BEGIN ")) return { name, text };
  } catch (error) {
    throw usage(`${name}: cannot read ${shownPath(value)}: ${systemReason(error)}`);
  }
  throw usage(`${name}: ${shownPath(value)} is not PEM — ${toPem[store]}`);
}

/**
 * The certificates in a text, which may say other things around them. Deno would ignore what it
 * cannot read, and hide the cause of the failure.
 */
function certificates({ name, text }: Found): string[] {
  const blocks = [...text.matchAll(
    /-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----/g,
  )];
  if (blocks.length === 0) throw usage(`${name}: no PEM certificate in it`);
  return blocks.map(([, base64]) => {
    // A line that lost its line ends on the way, as inline PEM does, gets them back.
    const lines = base64.replaceAll(/\s/g, "").match(/.{1,64}/g) ?? [];
    return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
  });
}

/**
 * The private key, decrypted, as PKCS #8. That it belongs to the certificate is checked here,
 * because Deno 2.4 crashes if it does not.
 */
async function readKey(key: Found, password: string | undefined, chain: string): Promise<string> {
  const crypto = await import("node:crypto");
  const [block] = /-----BEGIN ([A-Z]+ )?PRIVATE KEY-----[^]+?-----END \1PRIVATE KEY-----/
    .exec(key.text) ?? [];
  if (!block) throw usage(`${key.name}: no PEM private key in it`);
  const encrypted = /ENCRYPTED/.test(block);
  if (encrypted && !password) {
    throw usage(
      `${key.name}: the key is encrypted: set ssl.key.password or env KAFKA_SSL_KEY_PASSWORD`,
    );
  }
  let privateKey: ReturnType<typeof crypto.createPrivateKey>;
  try {
    privateKey = crypto.createPrivateKey({ key: block, passphrase: password });
  } catch (error) {
    throw usage(
      `${key.name}: cannot read the private key${encrypted ? whyLocked(block, error) : ""}`,
    );
  }
  if (!belongsTo(crypto, privateKey, chain)) {
    throw usage(`${key.name}: the key does not belong to the first certificate`);
  }
  return String(privateKey.export({ type: "pkcs8", format: "pem" }));
}

/** DER of the ciphers and hashes that the runtime decrypts PKCS #8 with. */
const readable = {
  // aes128-CBC, aes192-CBC, aes256-CBC.
  cipher: /0609608648016503040(102|116|12a)/,
  // hmacWithSHA256 to 512, scrypt. PBKDF2 without any of them is with SHA-1 (RFC 8018).
  hash: /06082a864886f70d02(09|0a|0b)|06092b06010401da47040b/,
};

/** Why an encrypted key cannot be read, and what to do. Of a readable kind, the password is wrong. */
function whyLocked(block: string, error: unknown): string {
  const base64 = block.replaceAll(/-----[^-]+-----|\s/g, "");
  const isOld = /DEK-Info/.test(block);
  const hex = isOld ? "" : [...atobOrNothing(base64)]
    .map((char) => char.charCodeAt(0).toString(16).padStart(2, "0")).join("");
  const isReadable = isOld
    // Deno 2.4 reads no such key.
    ? /bad decrypt/.test(String(error))
    : readable.cipher.test(hex) && readable.hash.test(hex);
  return isReadable
    ? ": ssl.key.password is wrong"
    : ": its encryption is not supported — openssl pkcs8 -topk8 -v2 aes-256-cbc -v2prf " +
      "hmacWithSHA256 -in FILE -out key.pem makes a key that can be read";
}

function atobOrNothing(base64: string): string {
  try {
    return atob(base64);
  } catch {
    return "";
  }
}

function belongsTo(
  crypto: typeof import("node:crypto"),
  key: ReturnType<typeof crypto.createPrivateKey>,
  chain: string,
): boolean {
  const spki = { type: "spki", format: "pem" } as const;
  const ofKey = crypto.createPublicKey(key as unknown as string).export(spki);
  try {
    return new crypto.X509Certificate(chain).publicKey.export(spki) === ofKey;
  } catch {
    throw usage("ssl.certificate.location: cannot read the first certificate");
  }
}

function checkHostname(properties: Properties): boolean {
  const algorithm = properties.get("ssl.endpoint.identification.algorithm");
  if (algorithm === undefined || algorithm.toLowerCase() === "https") return true;
  if (algorithm !== "" && algorithm.toLowerCase() !== "none") {
    throw usage("ssl.endpoint.identification.algorithm is neither https nor none");
  }
  const [major, minor] = Deno.version.deno.split(".").map(Number);
  if (major === 2 && minor < 5) {
    throw usage(
      "ssl.endpoint.identification.algorithm: this build (Deno " + Deno.version.deno +
        ") cannot leave the host name unchecked — connect by a name in the certificate",
    );
  }
  return false;
}

/**
 * TLS 1.2 and 1.3 are used, whichever of them the broker has, and the runtime offers no choice.
 * So both must be allowed; older ones that are allowed too are never used.
 */
function checkVersions(properties: Properties): void {
  const given = properties.get("ssl.enabled.protocols");
  if (!given) return;
  const allowed = given.split(",").map((version) => version.trim().toLowerCase());
  if (allowed.includes("tlsv1.2") && allowed.includes("tlsv1.3")) return;
  throw usage(
    "ssl.enabled.protocols is not supported: this program uses both TLSv1.2 and TLSv1.3 — allow " +
      "both, and restrict it on the broker",
  );
}

function usage(message: string): Failure {
  return new Failure("usage", message);
}
