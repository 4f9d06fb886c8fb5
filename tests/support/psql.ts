/** Stands in for psql where there is none: `psql [-d NAME] [-c SQL | -f FILE]`, else SQL on stdin. */
import { parseArgs } from "node:util";
import postgres from "postgres";

const { values: { d, c, f } } = parseArgs({
  options: {
    d: { type: "string", short: "d" },
    c: { type: "string", short: "c" },
    f: { type: "string", short: "f" },
  },
});
const env = (name: string) => Deno.env.get(name);
const sql = postgres({
  host: env("PGHOST"),
  port: Number(env("PGPORT")),
  user: env("PGUSER"),
  password: env("PGPASSWORD"),
  database: d ?? env("PGUSER"),
  max: 1,
  onnotice: () => {},
});
try {
  const statements = c ??
    (f ? await Deno.readTextFile(f) : await new Response(Deno.stdin.readable).text());
  console.log(await sql.unsafe(statements));
} catch (error) {
  console.error(`ERROR:  ${(error as Error).message}`);
  Deno.exitCode = 1;
} finally {
  await sql.end();
}
