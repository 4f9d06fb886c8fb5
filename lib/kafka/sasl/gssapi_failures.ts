/** What the library's codes mean for a login, and what to do. */
import { Failure, systemReason } from "../../failure.ts";
import { shownPath } from "../../secret.ts";
import type { GssapiConfig } from "../config.ts";
import { ConnectionError } from "../connection_error.ts";
import { keytabPrincipals } from "./gssapi_keytab.ts";
import { GssError } from "./gssapi_library.ts";

export interface Login {
  config: GssapiConfig;
  host: string;
  /** The broker's principal as the KDC was asked for it. */
  asked: () => Promise<string>;
}

/** Kerberos' codes (its krb5_err.et) start here. */
const FIRST = -1765328384;

/** GSS_S_NO_CRED: no ticket, and none can be got. */
const NO_CREDENTIAL = 7;

const SERVICE_UNKNOWN = 7;
const TICKET_EXPIRED = 32;
const KDC_UNREACHABLE = 156;

/** Whether a ticket was there, and its time was over. */
export function isExpired(error: unknown): boolean {
  return error instanceof GssError && error.minor - FIRST === TICKET_EXPIRED;
}

/** The error to throw if a login could not start. ConnectionError: another try may help. */
export async function explain(error: GssError, login: Login): Promise<Error> {
  const { config, host } = login;
  const failed = `cannot log in to ${host} with GSSAPI`;
  const code = error.minor - FIRST;
  if (code === KDC_UNREACHABLE) {
    return new ConnectionError(
      `${failed}: no KDC can be reached — check the realm's kdc in krb5.conf (KRB5_CONFIG)`,
    );
  }
  const why = code === SERVICE_UNKNOWN
    ? await unknownService(login)
    : known(code, await named(config)) ?? await withoutTicket(error, config) ?? error.message;
  return why instanceof Failure
    ? why
    : new Failure("denied", `${failed}: ${why}`, { cause: error });
}

async function unknownService({ config, host, asked }: Login): Promise<string> {
  const principal = await asked().catch(() => `${config.service}/${host}`);
  return `the KDC does not know the broker's principal ${principal.replace(/@$/, "")} — check ` +
    "sasl.kerberos.service.name, and use the host name that the principal has in brokers and " +
    "advertised.listeners";
}

/** Kerberos takes the first principal of a keytab, if none is given. */
async function named(config: GssapiConfig): Promise<GssapiConfig> {
  if (config.principal !== null || config.keytab === null) return config;
  const file = await Deno.readFile(config.keytab).catch(() => new Uint8Array());
  return { ...config, principal: keytabPrincipals(file)?.[0] ?? null };
}

function known(code: number, { principal, keytab }: GssapiConfig): string | undefined {
  const who = principal === null ? "the principal" : `principal "${principal}"`;
  const renew = keytab === null
    ? "run kinit again, or set sasl.kerberos.keytab and sasl.kerberos.principal"
    : "export the keytab again";
  const clocks = "the clocks of this host and of the KDC differ by too much — synchronize them";
  const meanings: Record<number, string> = {
    1: `${who} has expired in the KDC`,
    6: `the KDC does not know ${who} — check sasl.kerberos.principal and its realm`,
    14: "the KDC supports no encryption type of this login — check the keytab's types (klist -ke)",
    18: `${who} is locked or has expired in the KDC`,
    23: `the password of ${who} has expired — ${renew}`,
    24: `the keys of ${who} are others by now — ${renew}`,
    31: `the keys of ${who} are others by now — ${renew}`,
    [TICKET_EXPIRED]: `the ticket has expired — ${renew}`,
    37: clocks,
    148: clocks,
    154: "krb5.conf names no KDC of the realm — check it, and KRB5_CONFIG",
    220: "krb5.conf names no KDC of the realm — check it, and KRB5_CONFIG",
    224: "krb5.conf has no default_realm — set it, or give the principal with its realm",
  };
  return meanings[code];
}

/** Why there is no ticket: of a keytab the library says the same whatever is wrong with it. */
async function withoutTicket(
  { major, message }: GssError,
  { principal, keytab, ticketCache }: GssapiConfig,
): Promise<string | Failure | null> {
  if (major >>> 16 !== NO_CREDENTIAL) return null;
  const of = principal === null ? "" : ` of principal "${principal}"`;
  if (keytab === null) {
    const cache = ticketCache === null ? "the ticket cache" : "that ticket cache";
    return `${cache} has no valid ticket${of} (${message}) — run kinit, name the cache by ` +
      "KRB5CCNAME, or set sasl.kerberos.keytab and sasl.kerberos.principal";
  }
  const name = `sasl.kerberos.keytab: ${shownPath(keytab)}`;
  let principals: string[] | null;
  try {
    principals = keytabPrincipals(await Deno.readFile(keytab));
  } catch (error) {
    const cannot = `sasl.kerberos.keytab: cannot read ${shownPath(keytab)}`;
    return new Failure("usage", `${cannot}: ${systemReason(error)}`);
  }
  if (principals === null) return new Failure("usage", `${name} is not a keytab`);
  const has = principals.length === 0 ? "none" : principals.slice(0, 5).join(", ");
  const found = principals.some((entry) =>
    entry === principal || entry.replace(/@[^@]*$/, "") === principal
  );
  if (found || principal === null) return `the keytab is of no use: ${message}`;
  return `${name} has no keys${of}; it has those of ${has.replaceAll(/\p{Cc}/gu, "?")}`;
}
