/**
 * The lines of a property file, by the rules of java.util.Properties.load
 * (https://docs.oracle.com/en/java/javase/17/docs/api/java.base/java/util/Properties.html).
 */

/** A property as a file has it. */
export interface Entry {
  key: string;
  value: string;
  /** The file's line that it begins in, from 1 on. */
  line: number;
  /** Whether `=` or `:` is after the key, and not blanks alone. */
  separated: boolean;
  /** The value as it is written: its escapes are not replaced, its lines are joined. */
  written: string;
}

/** A line that cannot be read. The message names what is wrong, and holds nothing of the line. */
export class LineError extends Error {
  override readonly name = "LineError";
  readonly line: number;

  constructor(line: number, message: string) {
    super(message);
    this.line = line;
  }
}

/** Throws LineError. */
export function readEntries(text: string): Entry[] {
  return logicalLines(text).map(({ text, line }) => {
    const { keyEnd, valueStart, separated } = split(text);
    const written = text.slice(valueStart);
    return {
      key: unescaped(text.slice(0, keyEnd), line),
      value: unescaped(written, line),
      line,
      separated,
      written,
    };
  });
}

interface LogicalLine {
  text: string;
  line: number;
}

/**
 * Lines without comments and empty ones; a line that ends in a backslash goes on in the next one.
 */
function logicalLines(text: string): LogicalLine[] {
  const lines: LogicalLine[] = [];
  let open: LogicalLine | null = null;
  // A line end is the end of a line, not the beginning of an empty one.
  const naturalLines = text.replace(/(\r\n|\r|\n)$/, "").split(/\r\n|\r|\n/);
  for (const [i, whole] of naturalLines.entries()) {
    const natural: string = whole.replace(/^[ \t\f]+/, "");
    // After a backslash and nothing else the line is still to begin.
    if (open === null || open.text === "") {
      open = null;
      if (natural === "" || /^[#!]/.test(natural)) continue;
      open = { text: "", line: i + 1 };
    }
    const [backslashes] = /\\*$/.exec(natural)!;
    const goesOn = backslashes.length % 2 === 1;
    open.text += goesOn ? natural.slice(0, -1) : natural;
    if (goesOn) continue;
    lines.push(open);
    open = null;
  }
  // A backslash alone, as the last line: whether Java sees a line depends on the line end.
  if (open !== null && open.text !== "") lines.push(open);
  return lines;
}

/** The key ends at the first `=`, `:` or blank that has no backslash before it. */
function split(text: string): { keyEnd: number; valueStart: number; separated: boolean } {
  const [{ length: keyEnd }] = /^(?:\\[^]|[^\\=: \t\f])*/.exec(text)!;
  const [blanks, separator] = /^[ \t\f]*([=:]?)[ \t\f]*/.exec(text.slice(keyEnd))!;
  return { keyEnd, valueStart: keyEnd + blanks.length, separated: separator !== "" };
}

const special: Record<string, string> = { n: "\n", r: "\r", t: "\t", f: "\f" };

function unescaped(text: string, line: number): string {
  return text.replaceAll(/\\(u[0-9a-fA-F]{4}|[^])/g, (_, escaped: string) => {
    if (escaped.length > 1) return String.fromCharCode(parseInt(escaped.slice(1), 16));
    if (escaped !== "u") return special[escaped] ?? escaped;
    throw new LineError(
      line,
      "\\u without four hexadecimal digits after it — write \\\\ for a backslash",
    );
  });
}
