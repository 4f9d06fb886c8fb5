/** Where text stops to be JSON: JSON.parse() does not always say it. */

const space = /[ \t\r\n]*/y;
const token =
  /[{}[\],:]|"(?:[^"\\\p{Cc}]|[\x7f-\x9f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/uy;

type Next = "value" | "value or ]" | "key" | "key or }" | ":" | ", or end";

/** What a token leaves to come next; null if it may not stand here. `open` are the brackets around. */
function after(found: string, next: Next, open: string[]): Next | null {
  if (next === ":") return found === ":" ? "value" : null;
  const isKey = next === "key" || next === "key or }";
  if (isKey && found[0] === '"') return ":";
  if (next === ", or end" && found === ",") {
    if (open.length === 0) return null;
    return open.at(-1) === "{" ? "key" : "value";
  }
  if (found === "}" || found === "]") {
    const may = next === ", or end" || next === `${isKey ? "key" : "value"} or ${found}`;
    return may && open.pop() === (found === "}" ? "{" : "[") ? ", or end" : null;
  }
  if (next !== "value" && next !== "value or ]" || found === "," || found === ":") return null;
  if (found !== "{" && found !== "[") return ", or end";
  open.push(found);
  return found === "{" ? "key or }" : "value or ]";
}

/** The line (from 1) at which the text is not JSON, and why; null if it is. */
export function jsonFault(text: string): { line: number; reason: string } | null {
  const open: string[] = [];
  let next: Next = "value";
  for (let at = 0;;) {
    space.lastIndex = at;
    at += space.exec(text)![0].length;
    if (at === text.length && next === ", or end" && open.length === 0) return null;
    token.lastIndex = at;
    const found: string | undefined = token.exec(text)?.[0];
    const then: Next | null = found === undefined ? null : after(found, next, open);
    if (then === null) {
      const line = text.slice(0, at).split("\n").length;
      if (at === text.length) return { line, reason: "it ends too early" };
      const shown = found ?? text[at];
      return {
        line,
        reason: `${shown.length > 20 ? shown.slice(0, 20) + "…" : shown} is unexpected`,
      };
    }
    at += found!.length;
    next = then;
  }
}

/** How many brackets lie within each other at most. */
export function jsonDepth(text: string): number {
  let depth = 0, most = 0;
  for (const [found] of text.matchAll(/"(?:[^"\\]|\\.)*"|[{[]|[\]}]/gs)) {
    if (found === "{" || found === "[") most = Math.max(most, ++depth);
    else if (found[0] !== '"') depth--;
  }
  return most;
}
