import type { Duplex } from "node:stream";
import { Failure, systemReason } from "../failure.ts";
import { trusted, trustHostByDefault } from "../kafka/authorities.ts";
import { type Address, addressName } from "../kafka/config.ts";
import { dial } from "../kafka/dial.ts";
import type { Socket } from "../kafka/socket.ts";
import { SocketStream } from "../kafka/socket_stream.ts";
import type { Dsn } from "./dsn.ts";

/** TLS as options of the postgres package: its own, which checks nothing, or a socket of ours. */
export type DatabaseTls = { ssl: false | "allow" | "prefer" | "require" } | {
  ssl: false;
  socket: () => Promise<Duplex>;
};

/**
 * How TLS is used with a database, by sslmode and sslrootcert or PGSSLMODE and PGSSLROOTCERT, as
 * libpq has them. What is checked is checked against that file alone, else against what the host
 * trusts; `verify-ca` checks the host's name too. Without sslmode there is no TLS. Throws Failure
 * (usage) if that cannot be.
 */
export function databaseTls(
  dsn: Dsn,
  addresses: readonly Address[],
  env: (name: string) => string | null,
): DatabaseTls {
  const file = dsn.sslRootCert ?? env("PGSSLROOTCERT");
  const asked = dsn.sslMode ?? env("PGSSLMODE");
  // Two of libpq's rules: only the strictest mode goes with `system`, and a file is there to be
  // used.
  const mode = file === "system"
    ? "verify-full"
    : asked === "require" && file
    ? "verify-ca"
    : asked;
  switch (mode) {
    case null:
    case "disable":
      return { ssl: false };
    case "allow":
    case "prefer":
      return unchecked(canSkipChecks() ? mode : false);
    case "require":
      if (canSkipChecks()) return unchecked(mode);
      throw new Failure(
        "usage",
        `sslmode=require: this build (Deno ${Deno.version.deno}) cannot use TLS without checking ` +
          "the certificate — use verify-full, with sslrootcert",
      );
    case "verify-ca":
    case "verify-full": {
      const own = file === null || file === "system" ? [] : [readAuthorities(file, dsn)];
      let attempt = 0;
      return {
        ssl: false,
        // Each attempt begins with the next host: the one before may be one to be left out.
        socket: () => Promise.resolve(connect(addresses, trusted(own), attempt++)),
      };
    }
    default:
      throw new Failure("usage", "env PGSSLMODE is not a mode of libpq such as verify-full");
  }
}

/** TLS of the postgres package: it is encrypted, and nothing is checked. */
function unchecked(ssl: false | "allow" | "prefer" | "require"): DatabaseTls {
  if (ssl !== false) trustHostByDefault();
  return { ssl };
}

/** Deno before 2.5 has no TLS in its node:tls over a connection that exists. */
function canSkipChecks(): boolean {
  const [major, minor] = Deno.version.deno.split(".").map(Number);
  return major > 2 || minor >= 5;
}

function readAuthorities(file: string, dsn: Dsn): string {
  const what = dsn.sslRootCert === null ? "env PGSSLROOTCERT" : `${dsn.at}: sslrootcert`;
  let text: string;
  try {
    text = Deno.readTextFileSync(file);
  } catch (error) {
    throw new Failure("usage", `${what}: cannot read its file: ${systemReason(error)}`);
  }
  if (text.includes("-----BEGIN CERTIFICATE-----")) return text;
  throw new Failure("usage", `${what}: no PEM certificate in its file`);
}

/**
 * A connection with TLS to the first of these hosts that can be reached, beginning with `first`.
 */
function connect(addresses: readonly Address[], caCerts: string[], first: number): Duplex {
  const opening = (async () => {
    for (let i = 0;; i++) {
      const address = addresses[(first + i) % addresses.length];
      try {
        return await secure(address, caCerts);
      } catch (error) {
        if (i + 1 < addresses.length) continue;
        if (error instanceof Failure) throw error;
        const name = addressName(address);
        const why = error instanceof Error ? error.message : String(error);
        throw Object.assign(new Error(`connect ${name}: ${why}`), { code: "CONNECTION_CLOSED" });
      }
    }
  })();
  const { host, port } = addresses[first % addresses.length];
  // The package names what it could not reach by these two.
  return Object.assign(new SocketStream(opening), { host, port });
}

/** SSLRequest, https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-SSL. */
const sslRequest = new Uint8Array([0, 0, 0, 8, 4, 210, 22, 47]);

async function secure(address: Address, caCerts: string[]): Promise<Socket> {
  const name = addressName(address);
  const tcp = await requestTls(address);
  let conn: Deno.Conn = tcp;
  try {
    const secured = await Deno.startTls(tcp, { hostname: address.host, caCerts });
    conn = secured;
    await secured.handshake();
    return { conn, explain: () => null };
  } catch (error) {
    close(conn);
    const { untrusted } = await import("../kafka/distrust.ts");
    const why = await untrusted(error, {
      name: `the database at ${name}`,
      host: address.host,
      trusted: caCerts,
      setting: "sslrootcert",
      otherName: "connect by a name in the certificate",
      noName: null,
      connect: () => requestTls(address),
    });
    throw why ?? error;
  }
}

/** A connection on which the server expects TLS now. Throws Failure (usage) if it has none. */
async function requestTls(address: Address): Promise<Deno.TcpConn> {
  const tcp = await dial(address);
  try {
    tcp.setNoDelay(true);
    tcp.setKeepAlive(true);
    await tcp.write(sslRequest);
    // One byte, and no more: what came with it would not have been encrypted.
    const answer = new Uint8Array(1);
    await tcp.read(answer);
    if (answer[0] === "S".charCodeAt(0)) return tcp;
  } catch (error) {
    close(tcp);
    throw error;
  }
  close(tcp);
  throw new Failure(
    "usage",
    `the database at ${addressName(address)} does not use TLS — check sslmode, or turn ssl on`,
  );
}

function close(conn: Deno.Conn): void {
  try {
    conn.close();
  } catch {
    // It is closed already.
  }
}
