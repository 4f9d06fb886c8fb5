import { Failure } from "../../failure.ts";
import { Dsn } from "../../load/dsn.ts";
import type { Given } from "../flags.ts";

/** The database of --dsn, else of env DATABASE_URL. Throws Failure (usage), never with its text. */
export function givenDsn(given: Given, env: (name: string) => string | undefined): Dsn | null {
  if (given.has("dsn")) return Dsn.parse("--dsn", given.get("dsn")!);
  const text = env("DATABASE_URL");
  return text ? Dsn.parse("env DATABASE_URL", text) : null;
}

/** The same; it must be given. */
export function neededDsn(given: Given, env: (name: string) => string | undefined): Dsn {
  const dsn = givenDsn(given, env);
  if (dsn !== null) return dsn;
  throw new Failure("usage", "no database: use --dsn postgres://user@host/database");
}
