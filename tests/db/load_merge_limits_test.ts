/** What merges refuse, need and leave behind: tables, locks, rights, the catalog. */
import assert from "node:assert/strict";
import { schemaSql } from "../../lib/greenplum/schema_files.ts";
import { runScript } from "../support/load.ts";
import { startScripted } from "../support/load_scripted.ts";
import { addShaped, loadCounts, shapeOf } from "../support/load_shaped.ts";

Deno.test("merge: what cannot be merged into is refused by name", async () => {
  await using world = await startScripted();
  const { sql } = world;
  const merge = shapeOf("id integer, name text", { merge: ["id"] });
  await sql.unsafe(`
    CREATE VIEW seen AS SELECT * FROM things;
    CREATE TABLE parent (id int PRIMARY KEY, name text);
    CREATE TABLE child (parent int CONSTRAINT to_parent REFERENCES parent ON DELETE CASCADE)`);
  await assert.rejects(
    addShaped(world, { table: "seen", shape: merge }),
    /cannot load into (public.)?seen: it is a view/,
  );
  await assert.rejects(
    addShaped(world, { table: "parent", shape: merge }),
    /cannot merge into (public.)?parent: foreign key to_parent of (public.)?child refers to it/,
  );
  await sql.unsafe(`
    ALTER TABLE child DROP CONSTRAINT to_parent;
    ALTER TABLE child ADD CONSTRAINT to_parent FOREIGN KEY (parent) REFERENCES parent
      DEFERRABLE INITIALLY DEFERRED;
    INSERT INTO parent VALUES (1, 'a');
    INSERT INTO child VALUES (1)`);
  await addShaped(world, { table: "parent", shape: merge });
  await world.plan([{ end: 1 }], ["0,0,1,b"]);
  assert.equal((await loadCounts(world)).updated, 1);
  // Made after the source was.
  await sql`CREATE TABLE other (parent int REFERENCES parent)`;
  await world.plan([{ end: 2 }], ["0,1,1,c"]);
  await assert.rejects(loadCounts(world), /cannot merge into .*parent: foreign key/);
});

Deno.test("merge: other writers wait, readers do not, and two sources of one table do not deadlock", async () => {
  await using world = await startScripted();
  const { sql } = world;
  const shape = shapeOf("id integer, name text", { merge: ["id"] });
  await addShaped(world, { shape });
  await addShaped(world, { name: "more", shape });
  await world.plan([{ end: 1 }], ["0,0,1,a"]);
  await world.plan([{ end: 1 }], ["0,0,1,b"], "more");
  const other = world.session({ lock_timeout: "300ms" });
  await sql.begin(async (sql) => {
    await sql`SELECT * FROM kafka.load('things')`;
    assert.equal((await other.sql`SELECT 1 FROM things`).length, 0);
    await assert.rejects(async () => await other.sql`INSERT INTO things VALUES (1, 'x')`, {
      code: "55P03",
    });
  });
  for (let end = 2; end < 12; end++) {
    await world.plan([{ end }], [`0,${end - 1},1,a${end}`]);
    await world.plan([{ end }], [`0,${end - 1},1,b${end}`], "more");
    await Promise.all([
      loadCounts(world.session()),
      loadCounts(world.session(), "more"),
    ]);
    assert.equal((await sql`SELECT 1 FROM things WHERE name LIKE ${`_${end}`}`).length, 1);
  }
  assert.equal((await sql`SELECT 1 FROM things`).length, 1);
});

Deno.test("merge: it takes the right to delete, of the schema's owner and of the role that loads", async () => {
  await using world = await startScripted();
  const { sql } = world;
  await addShaped(world, { shape: shapeOf("id integer, name text", { merge: ["id"] }) });
  await world.plan([{ end: 1 }], ["0,0,1,a"]);
  const etl = await world.role("merge_etl");
  await sql`SELECT kafka.allow('merge_etl')`;
  await sql`GRANT INSERT ON things TO merge_etl`;
  await assert.rejects(
    loadCounts(etl),
    /permission denied for source "things": INSERT and DELETE on public.things is required/,
  );
  await sql`GRANT DELETE ON things TO merge_etl`;
  assert.equal((await loadCounts(etl)).rows, 1);
});

Deno.test("merge: a thousand loads leave nothing in pg_attribute, and nothing in their tables", async () => {
  await using world = await startScripted();
  const { sql } = world;
  await sql`ALTER TABLE things ADD PRIMARY KEY (id)`;
  await addShaped(world, { shape: shapeOf("id integer, name text", { merge: ["id"] }) });
  // Offsets are made by the server, so that no load needs a change of the source.
  await sql`
    UPDATE kafka.source SET planner = 'date +t,0,0,%s%N,,,,, # --log-identity',
      reader = 'printf ''0,%s,1,a\\n0,0,2,b\\n'' $(date +%s%N) #', fallback = 'latest'`;
  await sql`SELECT * FROM kafka.load('things')`;
  const size = async () => {
    const [row] = await sql`
      SELECT (SELECT count(*) FROM pg_attribute)::int AS attributes,
        (SELECT count(*) FROM pg_class)::int AS relations,
        pg_relation_size('pg_attribute')::int AS bytes`;
    return { ...row };
  };
  await sql`VACUUM pg_attribute`;
  const before = await size();
  const session = await sql.reserve();
  for (let i = 0; i < 1000; i++) await session`SELECT rows FROM kafka.load('things')`;
  session.release();
  assert.deepEqual(await size(), before);
  const [{ loads }] = await sql`SELECT loads::int FROM kafka.status`;
  assert.ok(loads > 1000);
  const [{ bytes }] = await sql`SELECT pg_relation_size('kafka.things_stage')::int AS bytes`;
  assert.ok(bytes <= 2 * 1024 * 1024, `${bytes}`);
});

Deno.test("merge: a schema whose owner is not a superuser, whoever adds the source", async () => {
  await using world = await startScripted(false);
  const { sql } = world;
  const owner = await world.role("merge_owner");
  const [{ name }] = await sql`SELECT current_database() AS name`;
  await sql.unsafe(`
    GRANT pg_execute_server_program TO merge_owner;
    GRANT CREATE ON DATABASE "${name}" TO merge_owner;
    GRANT INSERT ON things TO merge_owner`);
  await runScript(owner, await schemaSql("postgres"));
  const shape = shapeOf("id integer, name text", { merge: ["id"], where: "name <> 'x'" });
  await assert.rejects(
    addShaped(owner, { shape }),
    (error: { message: string; hint: string }) => {
      assert.match(
        error.message,
        /role "merge_owner", which owns schema kafka, may not DELETE from public\.things and SELECT/,
      );
      assert.equal(error.hint, "GRANT SELECT, INSERT, DELETE ON public.things TO merge_owner;");
      return true;
    },
  );
  await sql`GRANT SELECT, DELETE ON things TO merge_owner`;
  const etl = await world.role("merge_loader");
  await sql`GRANT INSERT, DELETE ON things TO merge_loader`;
  await owner.sql`SELECT kafka.allow('merge_loader')`;
  let end = 0;
  for (const installer of [owner, world, owner]) {
    await addShaped(installer, { shape });
    const owners = await sql`
      SELECT DISTINCT pg_get_userbyid(relowner) AS owner FROM pg_class
      WHERE relnamespace = 'kafka'::regnamespace AND relname LIKE 'things\\_%'`;
    assert.deepEqual(owners.map(({ owner }) => owner), ["merge_owner"]);
    await world.plan([{ end: ++end }], [`0,${end - 1},${end},a`]);
    assert.equal((await loadCounts(etl)).inserted, 1);
  }
  await sql`ALTER TABLE things ENABLE ROW LEVEL SECURITY`;
  await world.plan([{ end: ++end }], [`0,${end - 1},1,b`]);
  await assert.rejects(
    loadCounts(etl),
    /cannot merge into public\.things: row security may hide rows of it from role "merge_owner"/,
  );
});
