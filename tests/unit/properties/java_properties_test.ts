import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { fileURLToPath } from "node:url";
import { parseJaas } from "../../../lib/properties/jaas.ts";
import { LineError, readEntries } from "../../../lib/properties/property_file.ts";
import { isInstalled } from "../../support/installed.ts";
import { Random } from "../../support/random.ts";

/** Java's own class is what says how a file is read. */
const ignore = !await isInstalled("java", ["-version"]);

const name = (what: string) => `properties: ${what}${ignore ? " (skipped: java is missing)" : ""}`;

async function java(requests: string[]): Promise<string[]> {
  const source = fileURLToPath(new URL("../../support/JavaProperties.java", import.meta.url));
  const child = new Deno.Command("java", {
    args: ["-Xmx128m", source],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const [{ success, stdout }] = await Promise.all([
    child.output(),
    new Blob([requests.map((line) => line + "\n").join("")]).stream().pipeTo(child.stdin),
  ]);
  assert.ok(success);
  const lines = new TextDecoder().decode(stdout).split("\n").slice(0, -1);
  assert.equal(lines.length, requests.length);
  return lines;
}

const base64 = (text: string, encoding: "utf8" | "latin1") =>
  Buffer.from(text, encoding).toString("base64");
const encode = (text: string) => Buffer.from(text, "utf16le").swap16().toString("base64");

/** As JavaProperties prints it. */
function ours(text: string): string {
  let entries;
  try {
    entries = readEntries(text);
  } catch (error) {
    assert.ok(error instanceof LineError, String(error));
    return "error";
  }
  const map = new Map(entries.map(({ key, value }) => [key, value]));
  return [...map].sort(([a], [b]) => a < b ? -1 : 1)
    .map(([key, value]) => `${encode(key)}:${encode(value)}`).join(" ");
}

/**
 * Properties without a name are not compared: Java has one for a last line `\` that ends in LF, and
 * none if it ends in CRLF.
 */
function named(answer: string): string {
  return answer.split(" ").filter((pair) => !pair.startsWith(":")).join(" ");
}

const cases = [
  "bootstrap.servers=127.0.0.1\\:9092,[\\:\\:1]\\:9093\n",
  "a=1\r\nb = 2\r\n\r\n#c\r\nd=3",
  "a: 1\nb 2\nc\t=\t3\nd\f:\f4\ne\nf=\ng:\nh = = x\ni : = x\nj = : x",
  "a=one,\\\n   two,\\\r\n\tthree\\\\\nb=4\\",
  "a=1   \nb=2\t\nc= 3 \\\n \nd=4",
  "a=\\u00fc\\u20ac\\ud83d\\ude00\nb=\\u00FC\nc=\\\\u00fc",
  'sasl.password=,=:#!; \' " \\\\ \\, \\= \\# \\; \\"\n',
  "a=\\u00f", // and no more
  "a=\\u00fg\nb=1",
  "\\u00zz=1",
  "a\\ b=1\na\\=b=2\na\\:b=3\n\\#a=4\n\\!a=5",
  "#a=1\n!b=2\n  # c\n d=4\n a\\\n#b=5\n",
  "\\\n",
  "\\\n\n",
  "\\\n#c\na=1",
  "\\\n  \\\n a=1",
  "=1\n:2\n \t",
  "a=1\na=2\na=3\n",
  "a=\\t\\n\\r\\f\\b\\a\\x\\0\\ \n",
  "a=b\\\r\rb=1",
  "a=1\n\n\n",
  "\0=\0\n\x85=\u2028\n\xa0a=\xa01",
  "",
];

const pieces = [
  ..."\\\\\\\\\\\\\n\n\n\r\f\t   ==::##!!aabbu",
  "\r\n",
  "\\\n",
  "\\\r\n",
  "\\u00fc",
  "\\u",
  "key=",
  "\nkey",
  "ü",
  "value ",
  "0",
  ",;\"'",
];

function randomText(random: Random): string {
  return Array.from({ length: random.int(0, 40) }, () => pieces[random.int(0, pieces.length - 1)])
    .join("");
}

Deno.test({
  name: name("each file has the properties that Java's own class reads"),
  ignore,
  fn: async () => {
    const random = new Random(17);
    const texts = [...cases, ...Array.from({ length: 4000 }, () => randomText(random))];
    const requests = texts.flatMap((text) => {
      const bytes = [...text].every((char) => char <= "\xff");
      return [
        `utf8 ${base64(text, "utf8")}`,
        ...(bytes ? [`bytes ${base64(text, "latin1")}`] : []),
      ];
    });
    const answers = await java(requests);
    const texted = requests.map((line) => {
      const [encoding, text] = line.split(" ");
      return Buffer.from(text, "base64").toString(encoding === "utf8" ? "utf8" : "latin1");
    });
    let errors = 0;
    for (const [i, text] of texted.entries()) {
      assert.equal(named(ours(text)), named(answers[i]), JSON.stringify(text));
      if (answers[i] === "error") errors++;
    }
    assert.ok(errors > 100 && errors < answers.length / 2, `${errors} of ${answers.length}`);
  },
});

Deno.test({
  name: name("what Java's own class writes is read as it was"),
  ignore,
  fn: async () => {
    const random = new Random(18);
    const chars = [..."abc.-_,=#;:!\\\"' \t\n\r\f\0ü€😀\x7f"];
    const text = () =>
      Array.from({ length: random.int(1, 12) }, () => chars[random.int(0, chars.length - 1)])
        .join("");
    const maps = Array.from(
      { length: 2000 },
      () => new Map(Array.from({ length: random.int(1, 4) }, () => [text(), text()])),
    );
    const files = await java(
      maps.map((map) =>
        `store ${[...map].map(([key, value]) => `${encode(key)}:${encode(value)}`).join(" ")}`
      ),
    );
    for (const [i, file] of files.entries()) {
      const entries = readEntries(Buffer.from(file, "base64").toString("latin1"));
      assert.deepEqual(new Map(entries.map(({ key, value }) => [key, value])), maps[i]);
      assert.ok(entries.every(({ separated }) => separated));
    }
  },
});

Deno.test({
  name: "properties: quoted values of a login module, as Java's tokenizer reads them",
  permissions: "none",
  fn: () => {
    const [u, p] = [`,=#;:!\\\\ \\" '`, `\\101\\7\\400\\t\\n\\r\\b\\f\\v\\a\\q`];
    const { options } = parseJaas(`a.B required u="${u}" p='${p}' w=müller-€;`);
    assert.equal(options.get("u"), `,=#;:!\\ " '`);
    assert.equal(options.get("w"), "müller-€");
    assert.equal(options.get("p"), "A\x07 0\t\n\r\b\f\v\x07q");
  },
});
