import tls from "node:tls";
import { trustNothingElse } from "./runtime_authorities.ts";

/**
 * Where hosts keep the authorities they trust, all of them in one file: Debian and Alpine; Fedora
 * and RHEL, now and before; SUSE; macOS.
 */
const bundles = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/ca-bundle.pem",
  "/etc/ssl/cert.pem",
];

let host: string[] | null = null;

/**
 * The authorities that a TLS connection trusts, as PEM: those `given`, or without any those of the
 * host: of the file that SSL_CERT_FILE names, else of its bundle, else the runtime's own.
 * Everything that opens a TLS connection, of any kind, asks here: the runtime would add its own to
 * those it gets.
 */
export function trusted(given: readonly string[] = []): string[] {
  trustNothingElse();
  return given.length > 0 ? [...given] : host ??= hostAuthorities();
}

/**
 * Gives the host's authorities to connections that name none, as packages open them. Without any
 * the runtime (Deno 2.9) ends even a connection that is not to be checked. Deno 2.4 cannot.
 */
export function trustHostByDefault(): void {
  const { setDefaultCACertificates } = tls as { setDefaultCACertificates?(pem: string[]): void };
  setDefaultCACertificates?.(trusted());
}

function hostAuthorities(): string[] {
  const named = Deno.env.get("SSL_CERT_FILE");
  for (const path of named ? [named] : bundles) {
    try {
      const text = Deno.readTextFileSync(path);
      if (text.includes("-----BEGIN CERTIFICATE-----")) return [text];
    } catch {
      // The next one.
    }
  }
  return [...tls.rootCertificates];
}
