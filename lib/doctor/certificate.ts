import tls from "node:tls";
import { trusted } from "../kafka/authorities.ts";
import { type ClientConfig, parseAddress } from "../kafka/config.ts";
import { inWords } from "../text.ts";
import type { Say } from "./findings.ts";

/** Sooner than this an end of validity is a warning, milliseconds. */
const SOON = 30 * 86_400_000;

/** How long a certificate is still valid, and how bad that is. `until` as OpenSSL writes a date. */
export function expiry(until: string, now: number): ["ok" | "warn" | "fail", string] {
  const end = Date.parse(until);
  if (Number.isNaN(end)) return ["ok", `is valid until ${until}`];
  const day = new Date(end).toISOString().slice(0, 10);
  if (end < now) return ["fail", `expired ${inWords(now - end)} ago, on ${day}`];
  const text = `expires in ${inWords(end - now)}, on ${day}`;
  return [end - now < SOON ? "warn" : "ok", text];
}

/** Looks at the certificate of each bootstrap address, trusted or not: only to read its dates. */
export async function checkCertificates(say: Say, config: ClientConfig): Promise<true> {
  await Promise.all([...new Set(config.brokers)].map(async (name) => {
    const authorities = trusted(config.tls?.authorities);
    const until = await certificateEnd(parseAddress(name)!, authorities, config.timeout);
    if (until === null) return;
    if (until === "") {
      const { deno } = Deno.version;
      say("ok", `the dates of ${name}'s certificate cannot be read with this build (Deno ${deno})`);
      return;
    }
    const [level, text] = expiry(until, Date.now());
    const todo = level === "ok" ? undefined : "renew it on the broker";
    say(level, `the certificate of ${name} ${text}`, todo);
  }));
  return true;
}

/**
 * When a broker's certificate ends; empty if the runtime does not report it (Deno 2.4), null if
 * there was no handshake. Nothing is sent over this connection, so it need not be trusted.
 */
function certificateEnd(
  { host, port }: { host: string; port: number },
  ca: string[],
  timeout: number,
): Promise<string | null> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => done(null), timeout);
    // Without any authority the runtime ends even such a handshake.
    const socket = tls.connect({ host, port, ca, rejectUnauthorized: false }, () => {
      try {
        done(socket.getPeerCertificate?.()?.valid_to ?? "");
      } catch {
        done("");
      }
    });
    const done = (end: string | null) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(end);
    };
    socket.on("error", () => done(null));
  });
}
