/** ` — did you mean "name"?` if one of the names is near enough; else `otherwise`. */
export function suggestion(typed: string, names: readonly string[], otherwise: string): string {
  const name = nearest(typed, names);
  return name === null ? otherwise : ` — did you mean "${name}"?`;
}

/** The name nearest to what was typed, if it is near enough to be meant; else null. */
function nearest(typed: string, names: readonly string[]): string | null {
  const most = Math.min(3, Math.floor((typed.length + 1) / 4));
  let best: string | null = null;
  let least = most + 1;
  for (const name of names) {
    if (Math.abs(name.length - typed.length) >= least) continue;
    const distance = editDistance(typed.toLowerCase(), name.toLowerCase());
    if (distance < least) [best, least] = [name, distance];
  }
  return best;
}

/** Levenshtein's distance. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const changed = row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(changed, row[j] + 1, next[j - 1] + 1));
    }
    row = next;
  }
  return row[b.length];
}
