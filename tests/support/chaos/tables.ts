import assert from "node:assert/strict";

/** Compares tables of one row a line; says in few words what differs. */
export function sameTable(actual: string, expected: string, what: string): void {
  if (actual === expected) return;
  const [has, wants] = [actual, expected].map((table) => table.split("\n"));
  const without = (some: string[], others: string[]) => {
    const known = new Set(others);
    const left = some.filter((row) => !known.has(row));
    return `${left.length} (${left.slice(0, 5).join("; ")})`;
  };
  assert.fail(
    `${what}: ${has.length} rows, not ${wants.length}; too many are ${without(has, wants)}, ` +
      `missing are ${without(wants, has)}`,
  );
}
