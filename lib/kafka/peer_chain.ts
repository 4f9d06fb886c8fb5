import { randomBytes, X509Certificate } from "node:crypto";
import { isIP } from "node:net";

/** One certificate of those that a server shows. */
export interface ShownCertificate {
  subject: string;
  issuer: string;
  /** Validity, milliseconds since 1970. */
  from: number;
  until: number;
  /** Of an RSA key; null for other keys. */
  bits: number | null;
  /** The X.509 version: 1 or 3. */
  version: number;
  /** The hash that it is signed with, if that is one not accepted any more; else null. */
  oldHash: "SHA-1" | "MD5" | null;
}

/** What a server may send until its certificates, bytes: they have a few KiB. */
const LARGEST = 256 * 1024;

/**
 * The certificates that a server shows, its own first, trusted or not: to say why they are not
 * trusted, for a handshake that fails does not show them. It is the beginning of one of TLS 1.2
 * (RFC 5246), in which they are not encrypted; no secret is sent. `connect` opens the connection.
 * Null if the server shows none within `timeout` milliseconds, such as one with TLS 1.3 alone.
 */
export async function peerChain(
  connect: () => Promise<Deno.Conn>,
  host: string,
  timeout: number,
): Promise<ShownCertificate[] | null> {
  let conn: Deno.Conn | undefined;
  let late = false;
  const close = () => {
    try {
      conn?.close();
    } catch {
      // It is closed already.
    }
  };
  const asking = (async () => {
    conn = await connect();
    if (late) return null;
    const hello = clientHello(host);
    for (let at = 0; at < hello.length;) at += await conn.write(hello.subarray(at));
    const message = await readCertificates(conn);
    return message && certificates(message).map(read);
  })().catch(() => null).finally(close);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const ending = new Promise<null>((resolve) => {
    timer = setTimeout(() => {
      late = true;
      close();
      resolve(null);
    }, timeout);
  });
  try {
    return await Promise.race([asking, ending]);
  } finally {
    clearTimeout(timer);
  }
}

/** A certificate's fields. Throws if it is malformed. */
export function read(der: Uint8Array): ShownCertificate {
  const certificate = new X509Certificate(pem(der));
  const { asymmetricKeyType, asymmetricKeyDetails } = keyOf(certificate);
  const hex = [...der].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const is = (oid: string) => hex.includes(oid);
  return {
    subject: certificate.subject,
    issuer: certificate.issuer,
    from: Date.parse(certificate.validFrom),
    until: Date.parse(certificate.validTo),
    bits: asymmetricKeyType === "rsa" ? asymmetricKeyDetails?.modulusLength ?? null : null,
    // RFC 5280, 4.1: the version is the first field, and left out if it is 1.
    version: hex.slice(0, 32).includes("a003020102") ? 3 : 1,
    oldHash: is("06092a864886f70d010105") || is("06072a8648ce3d0401")
      ? "SHA-1"
      : is("06092a864886f70d010104")
      ? "MD5"
      : null,
  };
}

function keyOf(certificate: X509Certificate) {
  try {
    return certificate.publicKey;
  } catch {
    return { asymmetricKeyType: undefined, asymmetricKeyDetails: undefined };
  }
}

function pem(der: Uint8Array): string {
  const lines = btoa(String.fromCharCode(...der)).match(/.{1,64}/g)!;
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}

const HANDSHAKE = 22;
const CERTIFICATE = 11;

/** The body of the message Certificate; null if another end comes first. */
async function readCertificates(conn: Deno.Conn): Promise<Uint8Array | null> {
  let messages = new Uint8Array(0);
  for (let total = 0; total < LARGEST;) {
    const head = await readExactly(conn, 5);
    if (head === null || head[0] !== HANDSHAKE) return null;
    const record = await readExactly(conn, head[3] << 8 | head[4]);
    if (record === null) return null;
    total += record.length;
    messages = Uint8Array.from([...messages, ...record]);
    while (messages.length >= 4) {
      const end = 4 + uint24(messages, 1);
      if (messages.length < end) break;
      if (messages[0] === CERTIFICATE) return messages.subarray(4, end);
      messages = messages.slice(end);
    }
  }
  return null;
}

/** `opaque ASN.1Cert<1..2^24-1>; ASN.1Cert certificate_list<0..2^24-1>`. */
function certificates(body: Uint8Array): Uint8Array[] {
  const found: Uint8Array[] = [];
  for (let at = 3; at + 3 <= body.length;) {
    const end = at + 3 + uint24(body, at);
    found.push(body.subarray(at + 3, end));
    at = end;
  }
  return found;
}

function uint24(bytes: Uint8Array, at: number): number {
  return bytes[at] << 16 | bytes[at + 1] << 8 | bytes[at + 2];
}

async function readExactly(conn: Deno.Conn, size: number): Promise<Uint8Array | null> {
  const bytes = new Uint8Array(size);
  for (let at = 0; at < size;) {
    const count = await conn.read(bytes.subarray(at));
    if (count === null) return null;
    at += count;
  }
  return bytes;
}

const TLS_1_2 = 0x0303;
/** What servers with TLS 1.2 have: ECDHE and RSA, with AES-GCM, ChaCha20 and AES-CBC. */
const ciphers = [0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014, 0x9c, 0x9d, 0x2f];
const groups = [0x1d, 0x17, 0x18, 0x19];
/** Old ones too, so that a server with an old certificate shows it. */
const signatures = [0x403, 0x503, 0x603, 0x804, 0x805, 0x806, 0x807, 0x401, 0x501, 0x601];
const oldSignatures = [0x203, 0x201];

function clientHello(host: string): Uint8Array {
  const extension = (type: number, ...body: number[]) => [...uint16(type), ...sized(2, body)];
  const name = [...new TextEncoder().encode(host)];
  const extensions = [
    // A server's name is no address (RFC 6066).
    ...(isIP(host) ? [] : extension(0, ...sized(2, [0, ...sized(2, name)]))),
    ...extension(10, ...sized(2, groups.flatMap(uint16))),
    ...extension(11, ...sized(1, [0])),
    ...extension(13, ...sized(2, [...signatures, ...oldSignatures].flatMap(uint16))),
  ];
  const body = [
    ...uint16(TLS_1_2),
    ...randomBytes(32),
    ...sized(1, []), // no session
    ...sized(2, ciphers.flatMap(uint16)),
    ...sized(1, [0]), // no compression
    ...sized(2, extensions),
  ];
  return Uint8Array.from([HANDSHAKE, 3, 1, ...sized(2, [1, ...sized(3, body)])]);
}

function uint16(value: number): number[] {
  return [value >> 8, value & 0xff];
}

/** Bytes after their count, which has 1, 2 or 3 bytes. */
function sized(width: 1 | 2 | 3, bytes: number[]): number[] {
  const { length } = bytes;
  return [...[length >> 16, length >> 8 & 0xff, length & 0xff].slice(3 - width), ...bytes];
}
