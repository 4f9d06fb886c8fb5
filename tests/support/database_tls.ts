import assert from "node:assert/strict";
import type { Postgres } from "../../scripts/servers/postgres.ts";

/** Has a server that was started here speak TLS. */
export async function useTls(pg: Postgres, cert: string, key: string): Promise<void> {
  const { uid, gid } = await Deno.stat(pg.dataDir!);
  for (const [name, text] of [["server.crt", cert], ["server.key", key]]) {
    const path = `${pg.dataDir}/${name}`;
    await Deno.writeTextFile(path, text);
    await Deno.chmod(path, 0o600);
    await Deno.chown(path, uid, gid);
  }
  await pg.sql`ALTER SYSTEM SET ssl = on`;
  await pg.sql`SELECT pg_reload_conf()`;
  const deadline = performance.now() + 5000;
  while ((await pg.sql`SHOW ssl`)[0].ssl !== "on") {
    assert.ok(performance.now() < deadline, "the server does not take the certificate");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
