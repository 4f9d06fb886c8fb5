import { Failure } from "../failure.ts";

const UNITS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Reads `250ms`, `5s`, `10m`, `1h` as milliseconds. Throws Failure (usage) naming the flag. */
export function parseDuration(flag: string, text: string): number {
  const match = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h)$/.exec(text);
  const duration = match ? Number(match[1]) * UNITS[match[2]] : NaN;
  if (!(duration >= 1 && duration <= 0x7fffffff)) {
    throw new Failure("usage", `${flag}: "${text}" is not a duration such as 250ms, 5s or 10m`);
  }
  return duration;
}

/** Reads a whole number from `least` up. Throws Failure (usage) naming the flag. */
export function parseCount(flag: string, text: string, least: number): number {
  const count = /^\d{1,15}$/.test(text) ? Number(text) : NaN;
  if (!(count >= least)) {
    throw new Failure("usage", `${flag}: "${text}" is not a whole number from ${least} up`);
  }
  return count;
}

/** Reads ISO 8601 or epoch milliseconds as epoch milliseconds. Throws Failure (usage). */
export function parseTime(flag: string, text: string): number {
  const time = /^\d{1,15}$/.test(text) ? Number(text) : isoTime(text);
  if (Number.isNaN(time)) {
    throw new Failure(
      "usage",
      `${flag}: "${text}" is not a time such as 2026-01-31T12:00:00Z or epoch milliseconds`,
    );
  }
  return time;
}

/** Without a zone it is local time, a date alone is midnight UTC, as ECMAScript reads them. */
function isoTime(text: string): number {
  return /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})?)?$/.test(text)
    ? Date.parse(text)
    : NaN;
}

/** A topic's name, as Kafka allows it. Throws Failure (usage) naming the flag. */
export function checkTopic(flag: string, topic: string | undefined): string {
  if (topic === undefined) throw new Failure("usage", `no topic: use ${flag} NAME`);
  if (!/^[a-zA-Z0-9._-]{1,249}$/.test(topic)) {
    throw new Failure("usage", `${flag}: "${topic}" cannot be the name of a topic`);
  }
  return topic;
}

/** Reads `A,B` as names of topics, each once. Throws Failure (usage) naming the flag. */
export function topicList(flag: string, text: string): string[] {
  return [...new Set(text.split(",").map((name) => checkTopic(flag, name.trim())))];
}

/** Reads `HOST:PORT`, where a server listens. Throws Failure (usage) naming the flag. */
export function parseAddressFlag(flag: string, text: string): { hostname: string; port: number } {
  const match = /^(?:\[([0-9a-fA-F:]+)\]|([^\s:]+)):(\d{1,5})$/.exec(text);
  if (!match || Number(match[3]) > 65535) {
    throw new Failure("usage", `${flag}: "${text}" is not HOST:PORT`);
  }
  return { hostname: match[1] ?? match[2], port: Number(match[3]) };
}
