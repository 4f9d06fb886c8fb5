import { Failure } from "../../failure.ts";
import { isLoopback, readToken } from "../../load/access.ts";
import type { Dsn } from "../../load/dsn.ts";
import { type Secret, shown } from "../../secret.ts";
import type { Flag, Given } from "../flags.ts";
import { parseAddressFlag, parseCount, parseDuration } from "../values.ts";
import { neededDsn } from "./dsn.ts";
import { logFlags } from "./log.ts";

/** Of several sources, how many load at the same time if `--jobs` is not given. */
const JOBS = 4;

export const loadFlags: readonly Flag[] = [
  { name: "dsn", value: "URL", help: "the database (else env DATABASE_URL)" },
  { name: "all", help: "load every source that this role may load" },
  {
    name: "jobs",
    value: "N",
    help: "N connections load at the same time: one for each source, the rest for its partitions " +
      `(1; of several sources ${JOBS})`,
  },
  { name: "once", help: "load until there is nothing new, then exit (the default)" },
  { name: "every", value: "DUR", help: "keep running, and look for new records this often" },
  {
    name: "max-records",
    short: "c",
    value: "N",
    help: "at most N records of each partition in one transaction (the source's max_records)",
  },
  {
    name: "listen",
    value: "HOST:PORT",
    help: "serve a status page (/), /metrics (Prometheus) and /healthz at this address",
  },
  {
    name: "listen-token-file",
    value: "FILE",
    help: "the token that clients of the page and of /metrics must send",
  },
  {
    name: "timeout",
    value: "DUR",
    help: "with --once: how long to retry after a failure that may pass (30s)",
  },
  ...logFlags,
];

/** How many loads run at the same time. */
export interface Jobs {
  /** Sources. */
  atOnce: number;
  /** Connections beyond one for each of them. */
  left: number;
}

/** Where `--listen` serves, and to whom. */
export interface Listen {
  hostname: string;
  port: number;
  token: Secret | null;
  isLoopback: boolean;
}

export interface LoadOptions {
  /** The names given; null: all. */
  sources: readonly string[] | null;
  dsn: Dsn;
  jobs(sources: number): Jobs;
  every: number | null;
  patience: number;
  maxRecords: number | null;
  listen: Listen | null;
}

/** What to do, from flags and environment. Throws Failure (usage). */
export function loadOptions(given: Given, env: (name: string) => string | undefined): LoadOptions {
  const { files } = given;
  const all = given.has("all");
  if (!all && (files.length === 0 || files.includes(""))) {
    throw new Failure("usage", "no source: use gpdb-kafka load SOURCE, or --all");
  }
  if (all && files.length > 0) {
    throw new Failure("usage", `--all: "${shown(files[0])}" is one of them — leave it out`);
  }
  const twice = files.find((name, i) => files.indexOf(name) !== i);
  if (twice !== undefined) throw new Failure("usage", `source "${shown(twice)}" is given twice`);
  given.excludes("every", ["once", "timeout"]);
  return {
    sources: all ? null : files,
    dsn: neededDsn(given, env),
    jobs: jobsOf(given.has("jobs") ? parseCount("--jobs", given.get("jobs")!, 1) : null),
    every: given.has("every") ? parseDuration("--every", given.get("every")!) : null,
    patience: parseDuration("--timeout", given.get("timeout") ?? "30s"),
    maxRecords: given.has("max-records")
      ? parseCount("--max-records", given.get("max-records")!, 1)
      : null,
    listen: parseListen(given),
  };
}

function jobsOf(given: number | null) {
  return (sources: number): Jobs => {
    const atOnce = Math.min(given ?? JOBS, sources);
    return { atOnce, left: (given ?? atOnce) - atOnce };
  };
}

function parseListen(given: Given): Listen | null {
  const file = given.get("listen-token-file");
  if (!given.has("listen")) {
    if (file !== undefined) throw new Failure("usage", "--listen-token-file: use --listen too");
    return null;
  }
  const address = parseAddressFlag("--listen", given.get("listen")!);
  const token = file === undefined ? null : readToken(file);
  return { ...address, token, isLoopback: isLoopback(address.hostname) };
}
