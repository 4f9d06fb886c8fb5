import assert from "node:assert/strict";
import { blocks, documents, withTables } from "../../../scripts/readme.ts";

const root = new URL("../../../", import.meta.url);

Deno.test("the documents' tables are those that the programs parse; else: deno task readme", async () => {
  const found: string[] = [];
  for (const path of await documents()) {
    const text = await Deno.readTextFile(path);
    const { text: wanted, names } = withTables(text);
    assert.equal(text, wanted, path.pathname);
    found.push(...names);
  }
  assert.deepEqual(
    found.toSorted(),
    Object.keys(blocks).toSorted(),
    "each table is somewhere, once",
  );
});

Deno.test("a document with a table that no program has is an error", () => {
  const text = "<!-- begin: no such table -->\n\n<!-- end -->\n";
  assert.throws(() => withTables(text), /Cannot write the table "no such table": unknown/);
});

Deno.test("every link of the documents leads somewhere", async () => {
  const wrong: string[] = [];
  let seen = 0;
  for (const path of await documents()) {
    const text = (await Deno.readTextFile(path)).replaceAll(/```[^]*?```/g, "");
    for (const [, target] of text.matchAll(/(?:\]\(|src=")([^)\s"]+)[)"]/g)) {
      if (/^https?:/.test(target)) continue;
      seen++;
      const [file, anchor] = target.split("#");
      const url = file === "" ? path : new URL(file, path);
      const found = await Deno.readTextFile(url).catch(() => null);
      if (found === null || (anchor && !anchors(found).has(anchor))) {
        wrong.push(`${path.pathname}: ${target}`);
      }
    }
  }
  assert.deepEqual(wrong, []);
  assert.ok(seen > 20, `${seen} links`);
});

/** What the headings of a Markdown text are reached by, as GitHub makes it. */
function anchors(text: string): Set<string> {
  const headings = text.replaceAll(/```[^]*?```/g, "").matchAll(/^#+ (.+)$/gm);
  return new Set(
    [...headings].map(([, title]) =>
      title.toLowerCase().replaceAll(/[^\p{L}\p{N} _-]/gu, "").replaceAll(" ", "-")
    ),
  );
}

Deno.test("the picture has each of its colours for a light and for a dark page", async () => {
  const picture = new URL("../../../docs/pictures/data-flow.svg", import.meta.url);
  const [light, dark] = (await Deno.readTextFile(picture)).split("prefers-color-scheme: dark");
  const coloured = (text: string) =>
    [...text.matchAll(/^ +(\S+) \{([^}]*#[^}]*)\}$/gm)].map(([, name, rules]) => {
      const properties = [...rules.matchAll(/(\S+): #[0-9a-f]{6}/g)].map(([, property]) =>
        property
      );
      return `${name}: ${properties.join(", ")}`;
    });
  assert.deepEqual(coloured(dark), coloured(light));
  assert.ok(coloured(light).length > 8);
});

Deno.test("each promise names a test that is there", async () => {
  const text = await Deno.readTextFile(new URL("../../../docs/promises.md", import.meta.url));
  const rows = [...text.matchAll(/^\| .+ \| \[[^\]]+\]\(([^)]+)\) +\| (.+?) +\|$/gm)];
  for (const [, path, name] of rows) {
    await checkTest(new URL(path, new URL("docs/", root)), name);
  }
  assert.ok(rows.length > 60, `${rows.length} promises`);
});

Deno.test("each test that a document names is there", async () => {
  let seen = 0;
  for (const path of await documents()) {
    const text = (await Deno.readTextFile(path)).replaceAll(/\n +/g, " ");
    for (const [, file, name] of text.matchAll(/\]\(([^)]+_test\.ts)\) › (.+?)(?:;| \||\.?\n)/g)) {
      seen++;
      await checkTest(new URL(file, path), name.trim());
    }
  }
  assert.ok(seen > 50, `${seen} tests`);
});

/** That a file has a test with these words in its name, or a step of one. */
async function checkTest(file: URL, words: string): Promise<void> {
  const source = await Deno.readTextFile(file);
  // A name may be a joined string, or a template.
  const joined = source.replaceAll(/" \+\n *"/g, "");
  assert.ok(joined.includes(words.replaceAll("\\|", "|")), `${file.pathname}: no test "${words}"`);
}
