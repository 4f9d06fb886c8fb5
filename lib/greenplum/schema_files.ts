import type { Dialect } from "./ddl.ts";

const folder = new URL("../../sql/", import.meta.url);

/**
 * The SQL that installs schema kafka: what `psql -f sql/kafka/DIALECT.sql` runs, as one text for
 * any client. `\ir` is psql's word for reading another file.
 */
export async function schemaSql(dialect: Dialect): Promise<string> {
  return await expand(`kafka/${dialect}.sql`);
}

/** The SQL of the crimes example. */
export async function exampleSql(dialect: Dialect): Promise<string> {
  return await Deno.readTextFile(new URL(`crimes/${dialect}.sql`, folder));
}

async function expand(path: string): Promise<string> {
  const lines = (await Deno.readTextFile(new URL(path, folder))).split("\n");
  const texts = await Promise.all(lines.map(async (line) => {
    const file = /^\\ir (\S+)$/.exec(line)?.[1];
    return file === undefined ? line : (await expand(`kafka/${file}`)).trimEnd();
  }));
  return texts.join("\n");
}
