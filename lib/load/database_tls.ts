import { isIP } from "node:net";
import { Failure, systemReason } from "../failure.ts";
import { trusted } from "../kafka/authorities.ts";
import type { Dsn } from "./dsn.ts";

/** TLS as the postgres package takes it: a word, or the options of node's tls.connect. */
export type DatabaseTls =
  | false
  | "allow"
  | "prefer"
  | "require"
  | { ca: string[]; rejectUnauthorized: true; host?: string };

/**
 * How TLS is used with a database, by sslmode and sslrootcert or PGSSLMODE and PGSSLROOTCERT, as
 * libpq has them. What is checked is checked against that file alone, else against what the host
 * trusts; `verify-ca` checks the host's name too. Without sslmode there is no TLS. Throws Failure
 * (usage) where the file can't be had.
 */
export function databaseTls(
  dsn: Dsn,
  host: string | null,
  env: (name: string) => string | null,
): DatabaseTls {
  const file = dsn.sslRootCert ?? env("PGSSLROOTCERT");
  const asked = dsn.sslMode ?? env("PGSSLMODE");
  if (host?.startsWith("/")) return false; // a socket of this machine
  // Two of libpq's rules: only the strictest mode goes with `system`, and a file is there to be used.
  const mode = file === "system"
    ? "verify-full"
    : asked === "require" && file
    ? "verify-ca"
    : asked;
  switch (mode) {
    case null:
    case "disable":
      return false;
    case "allow":
    case "prefer":
    case "require":
      return mode;
    case "verify-ca":
    case "verify-full":
      break;
    default:
      throw new Failure("usage", "env PGSSLMODE is not a mode of libpq such as verify-full");
  }
  if (dsn.hosts.length > 1 && dsn.hosts.some(({ host }) => isIP(host) !== 0)) {
    throw new Failure(
      "usage",
      `${dsn.at}: sslmode=${mode} needs host names where hosts are a list`,
    );
  }
  return {
    ca: trusted(file === null || file === "system" ? [] : [readAuthorities(file, dsn)]),
    rejectUnauthorized: true,
    // The package names a host to the TLS layer by its name only; an address would not be checked.
    ...(dsn.hosts.length > 1 ? {} : { host: host ?? "localhost" }),
  };
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
  throw new Failure("usage", `${what}: its file holds no PEM certificate`);
}
