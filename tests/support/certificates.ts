/**
 * X.509 certificates for tests, made here: keytool and openssl take a second for what this does in
 * milliseconds, and a machine with Docker alone has neither. Java, OpenSSL and rustls read them, so
 * a mistake here can't hide one elsewhere. RFC 5280 for the fields, X.690 for DER.
 */
import { Buffer } from "node:buffer";
import {
  createCipheriv,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  pbkdf2Sync,
  randomBytes,
  sign,
} from "node:crypto";

export interface Certificate {
  /** PEM. */
  certificate: string;
  /** PEM, PKCS #8. */
  key: string;
}

/** A certificate authority. */
export interface Authority extends Certificate {
  issue(subject: Subject): Certificate;
}

export interface Subject {
  /** The common name. */
  name: string;
  /** IPv4 addresses and host names it is valid for. */
  hosts?: string[];
  /** Not valid any more since yesterday. */
  expired?: boolean;
}

/** A new authority, which signs its own certificate. */
export function authority(name: string): Authority {
  const keys = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const issue = (subject: Subject, own?: typeof keys) => {
    const { publicKey, privateKey } = own ?? generateKeyPairSync("ec", { namedCurve: "P-256" });
    return {
      certificate: signed(subject, publicKey, { name, key: keys.privateKey }, own !== undefined),
      key: String(privateKey.export({ type: "pkcs8", format: "pem" })),
    };
  };
  return { ...issue({ name }, keys), issue: (subject) => issue(subject) };
}

const DAY = 86_400_000;
const ecdsaWithSha256 = sequence(oid("1.2.840.10045.4.3.2"));

function signed(
  { name, hosts = [], expired = false }: Subject,
  publicKey: KeyObject,
  issuer: { name: string; key: KeyObject },
  isAuthority: boolean,
): string {
  const now = Date.now();
  const body = sequence(
    tagged(0, integer(Buffer.from([2]))), // version 3
    integer(Buffer.from([1, ...crypto.getRandomValues(new Uint8Array(8))])),
    ecdsaWithSha256,
    distinguishedName(issuer.name),
    sequence(time(now - 30 * DAY), time(expired ? now - DAY : now + 30 * DAY)),
    distinguishedName(name),
    Buffer.from(
      createPublicKey(publicKey.export({ type: "spki", format: "pem" }))
        .export({ type: "spki", format: "der" }),
    ),
    tagged(3, sequence(...extensions(hosts, isAuthority))),
  );
  const signature = sign("sha256", body, issuer.key);
  return pem("CERTIFICATE", sequence(body, ecdsaWithSha256, bitString(signature)));
}

/**
 * A key encrypted as `openssl pkcs8 -topk8` does it: PBES2 of RFC 8018. Deno 2.4 writes a key in
 * the clear when it is asked for this.
 */
export function encryptKey(key: string, password: string): string {
  const plain = createPrivateKey(key).export({ type: "pkcs8", format: "der" });
  const [salt, iv] = [randomBytes(16), randomBytes(16)];
  const cipher = createCipheriv("aes-256-cbc", pbkdf2Sync(password, salt, 2048, 32, "sha256"), iv);
  const hmac = sequence(oid("1.2.840.113549.2.9"), der(0x05, Buffer.alloc(0)));
  const pbkdf2 = sequence(octets(salt), integer(Buffer.from([0x08, 0x00])), hmac);
  const pbes2 = sequence(
    sequence(oid("1.2.840.113549.1.5.12"), pbkdf2),
    sequence(oid("2.16.840.1.101.3.4.1.42"), octets(iv)),
  );
  const encrypted = octets(Buffer.concat([cipher.update(plain), cipher.final()]));
  const algorithm = sequence(oid("1.2.840.113549.1.5.13"), pbes2);
  return pem("ENCRYPTED PRIVATE KEY", sequence(algorithm, encrypted));
}

function pem(label: string, bytes: Buffer): string {
  const lines = bytes.toString("base64").match(/.{1,64}/g)!;
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}

function extensions(hosts: string[], isAuthority: boolean): Buffer[] {
  const yes = der(0x01, Buffer.from([0xff]));
  if (isAuthority) {
    const basicConstraints = octets(sequence(yes));
    const keyCertSign = octets(der(0x03, Buffer.from([2, 0x04])));
    return [
      sequence(oid("2.5.29.19"), yes, basicConstraints),
      sequence(oid("2.5.29.15"), yes, keyCertSign),
    ];
  }
  if (hosts.length === 0) return [sequence(oid("2.5.29.19"), octets(sequence()))];
  const names = hosts.map((host) =>
    /^[\d.]+$/.test(host)
      ? der(0x87, Buffer.from(host.split(".").map(Number)))
      : der(0x82, Buffer.from(host))
  );
  return [sequence(oid("2.5.29.17"), octets(sequence(...names)))];
}

function distinguishedName(name: string): Buffer {
  return sequence(der(0x31, sequence(oid("2.5.4.3"), der(0x0c, Buffer.from(name)))));
}

function time(at: number): Buffer {
  return der(0x17, Buffer.from(new Date(at).toISOString().replace(/^..|[-:T]|\.\d+/g, "")));
}

function oid(text: string): Buffer {
  const [first, second, ...rest] = text.split(".").map(Number);
  const bytes = [40 * first + second, ...rest].flatMap((part) => {
    const digits = [part & 0x7f];
    for (let left = part >>> 7; left > 0; left >>>= 7) digits.unshift(0x80 | left & 0x7f);
    return digits;
  });
  return der(0x06, Buffer.from(bytes));
}

function sequence(...parts: Buffer[]): Buffer {
  return der(0x30, Buffer.concat(parts));
}

function tagged(number: number, content: Buffer): Buffer {
  return der(0xa0 + number, content);
}

function integer(bytes: Buffer): Buffer {
  return der(0x02, bytes);
}

function octets(content: Buffer): Buffer {
  return der(0x04, content);
}

function bitString(content: Buffer): Buffer {
  return der(0x03, Buffer.concat([Buffer.from([0]), content]));
}

function der(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const head = length < 0x80
    ? [tag, length]
    : length < 0x100
    ? [tag, 0x81, length]
    : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(head), content]);
}
