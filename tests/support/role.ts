import postgres from "postgres";
import { quoteIdent } from "../../lib/greenplum/quote.ts";
import { uniqueName } from "./kafka.ts";

/** A role that may log in, and a session of it in one database. */
export interface Role extends AsyncDisposable {
  name: string;
  /** Its name as SQL writes it. */
  quoted: string;
  dsn: string;
  sql: postgres.Sql;
}

/**
 * Makes a role with a name of its own: roles belong to the whole server, which may have others'.
 * At the end it is dropped, with all it has in that database.
 */
export async function startRole(
  { sql, dsn }: { sql: postgres.Sql; dsn: string },
  name: string,
): Promise<Role> {
  const own = uniqueName(name);
  const quoted = quoteIdent(own);
  // Not its name: what is a secret is taken out of all that is said.
  const password = crypto.randomUUID();
  await sql.unsafe(`CREATE ROLE ${quoted} LOGIN PASSWORD '${password}'`);
  const url = new URL(dsn);
  [url.username, url.password] = [own, password];
  const session = postgres(url.href, { max: 1, onnotice: () => {} });
  return {
    name: own,
    quoted,
    dsn: url.href,
    sql: session,
    async [Symbol.asyncDispose]() {
      await session.end({ timeout: 1 });
      await sql.unsafe(`DROP OWNED BY ${quoted}`);
      await sql.unsafe(`DROP ROLE ${quoted}`);
    },
  };
}
