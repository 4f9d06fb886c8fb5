import { Failure } from "../failure.ts";
import type { GssapiConfig } from "../kafka/config.ts";
import { checkOptions, type LoginModule } from "./jaas.ts";
import type { Properties } from "./properties.ts";

/**
 * What Java's Krb5LoginModule knows and is done here: the four that say what to use, and those of
 * how Java keeps its tickets and asks for passwords, which are of no effect.
 */
const options = [
  ...["useKeyTab", "keyTab", "principal", "useTicketCache", "ticketCache", "serviceName"],
  ...["storeKey", "doNotPrompt", "renewTGT", "refreshKrb5Config", "isInitiator", "debug"],
  ...["useFirstPass", "tryFirstPass", "storePass", "clearPass"],
];

/**
 * How to log in by Kerberos: librdkafka's properties, and `login`, Java's. A keytab goes before a
 * ticket cache. Throws Failure (usage).
 */
export function kerberosConfig(properties: Properties, login: LoginModule | null): GssapiConfig {
  if (login) checkOptions(login, options);
  const option = (name: string) => login?.options.get(name) || null;
  const uses = (name: string) => option(name)?.toLowerCase() === "true";
  const keytab = properties.get("sasl.kerberos.keytab") ||
    (uses("useKeyTab") ? option("keyTab") : null);
  if (keytab === null && uses("useKeyTab")) {
    throw usage('sasl.jaas.config: useKeyTab=true requires keyTab="…"');
  }
  const cache = uses("useTicketCache") ? option("ticketCache") : null;
  return {
    mechanism: "GSSAPI",
    service: serviceName(properties.get("sasl.kerberos.service.name"), option("serviceName")),
    principal: principalName(properties.get("sasl.kerberos.principal") || option("principal")),
    keytab: keytab && fileName(keytab, "sasl.kerberos.keytab"),
    ticketCache: cache && plainText(cache, "sasl.jaas.config: ticketCache"),
  };
}

/** Java rejects two that differ, too. Without one it is librdkafka's default, and everybody's. */
function serviceName(property: string | undefined, option: string | null): string {
  if (property && option && property !== option) {
    throw usage("sasl.kerberos.service.name and serviceName of sasl.jaas.config differ");
  }
  const name = property || option || "kafka";
  if (!/^[^\s@/\\\0]+$/.test(name)) {
    throw usage("sasl.kerberos.service.name is not the first part of a principal, such as kafka");
  }
  return name;
}

function principalName(principal: string | null): string | null {
  if (principal && !/^[^\s@\0]+(?:@[^\s@\0]+)?$/.test(principal)) {
    throw usage("sasl.kerberos.principal is not NAME or NAME@REALM");
  }
  return principal || null;
}

/** A path; Kerberos has types before it, of which a keytab that can be read by others is FILE. */
function fileName(keytab: string, name: string): string {
  const path = keytab.replace(/^(?:WR)?FILE:/, "");
  if (/^[A-Z]+:/.test(path)) throw usage(`${name} can only be a file`);
  return plainText(path, name);
}

function plainText(text: string, name: string): string {
  if (/\0/.test(text)) throw usage(`${name} cannot have a NUL character`);
  return text;
}

function usage(message: string): Failure {
  return new Failure("usage", message);
}
