/** Values that foreign libraries encoded, with what their fields are (golden/README.md). */

/** null, a text, or what is compared as JSON. */
export type GoldenField = string | null | { json: unknown };

export interface GoldenCase {
  name: string;
  schema: unknown;
  paths: (string | number)[][];
  values: { bytes: Uint8Array; fields: GoldenField[] }[];
}

/** The cases of a file in golden/, one in each line. */
export async function goldenCases(name: string): Promise<GoldenCase[]> {
  const text = await Deno.readTextFile(new URL(`golden/${name}`, import.meta.url));
  return text.trimEnd().split("\n").map((line) => {
    const { values, ...rest } = JSON.parse(line);
    return {
      ...rest,
      values: values.map(({ bytes, fields }: { bytes: string; fields: GoldenField[] }) => ({
        bytes: Uint8Array.from(bytes.match(/../g) ?? [], (digits) => parseInt(digits, 16)),
        fields,
      })),
    };
  });
}

/** The rows of CSV text as PostgreSQL reads it: a field without quotes and text is null. */
export function csvRows(text: string): (string | null)[][] {
  const rows: (string | null)[][] = [];
  let row: (string | null)[] = [];
  const field = /"((?:[^"]|"")*)"|([^",\n]*)/y;
  for (let at = 0; at < text.length; at++) {
    field.lastIndex = at;
    const [all, quoted, plain] = field.exec(text)!;
    row.push(quoted !== undefined ? quoted.replaceAll('""', '"') : plain === "" ? null : plain);
    at += all.length;
    if (text[at] === ",") continue;
    if (text[at] !== "\n") throw new Error(`not CSV at ${at}: ${text.slice(at, at + 20)}`);
    rows.push(row);
    row = [];
  }
  return rows;
}

/** A row's fields, those that are expected as JSON parsed. */
export function asExpected(row: (string | null)[], expected: GoldenField[]): GoldenField[] {
  return row.map((field, index) => {
    const like = expected[index];
    return like !== null && typeof like === "object" && field !== null
      ? { json: JSON.parse(field) }
      : field;
  });
}
