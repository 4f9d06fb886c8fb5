import { Failure } from "../failure.ts";
import { addressName, parseAddress } from "./config.ts";

export const protocols = ["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] as const;

/**
 * Reads `host:port,…`, each with its protocol before it if one likes, as librdkafka and Redpanda
 * have it: `SASL_SSL://host:port`. That must be the value of security.protocol, `protocol`; null:
 * it is not compared. Returns the addresses, `host:port` each. Throws Failure (usage) naming the
 * list, `name`, and the number of the broker; not with its text, for in a variable it may be a URL
 * with a login.
 */
export function parseBrokers(text: string, name: string, protocol: string | null): string[] {
  const parts = text.split(",").map((part) => part.trim()).filter((part) => part !== "");
  if (parts.length === 0) throw new Failure("usage", `${name} names no broker`);
  return parts.map((part, i) => {
    const failed = (why: string) => new Failure("usage", `${name}: broker ${i + 1} ${why}`);
    const [, prefix, rest] = /^(?:([A-Za-z_]+):\/\/)?(.*)$/s.exec(part)!;
    const own = prefix?.toUpperCase();
    if (own !== undefined && !protocols.some((known) => known === own)) {
      throw failed(`is not HOST:PORT, nor that after ${protocols.join("://, ")}://`);
    }
    const address = parseAddress(rest);
    if (address === null) {
      throw failed(
        isBareIpv6(rest) ? "is an IPv6 address — write [ADDRESS]:PORT" : "is not HOST:PORT",
      );
    }
    if (own !== undefined && protocol !== null) checkProtocol(own, protocol.toUpperCase(), failed);
    return prefix === undefined ? rest : addressName(address);
  });
}

function checkProtocol(own: string, protocol: string, failed: (why: string) => Failure): void {
  if (own === (protocol || "PLAINTEXT")) return;
  // What is not one of them is rejected by its own name.
  if (protocol !== "" && !protocols.some((known) => known === protocol)) return;
  const found = protocol === "" ? "is not set" : `is ${protocol}`;
  throw failed(`begins with ${own}://, but security.protocol ${found} — set it to ${own}`);
}

/** Whether it is an address without the brackets that separate it from a port. */
function isBareIpv6(text: string): boolean {
  return /^[0-9a-fA-F:.]*:[0-9a-fA-F:.]*:[0-9a-fA-F:.]*(%[\w.-]+)?$/.test(text) &&
    URL.canParse(`http://[${text.replace(/%.*/, "")}]`);
}
