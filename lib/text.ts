/** ` — did you mean "name"?` if one of the names is near enough; else `otherwise`. */
export function suggestion(typed: string, names: readonly string[], otherwise: string): string {
  const name = nearest(typed, names);
  return name === null ? otherwise : ` — did you mean "${name}"?`;
}

/** The name nearest to what was typed, if it is near enough to be meant; else null. */
export function nearest(typed: string, names: readonly string[]): string | null {
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

/**
 * The names that look like one, the nearest first: with other case or separators, a part of it, or
 * with a few other letters.
 */
export function similar(name: string, names: readonly string[]): string[] {
  const letters = (text: string) => text.toLowerCase().replaceAll(/[-._]/g, "");
  const wanted = letters(name);
  return names.filter((other) => {
    const one = letters(other);
    const [short, long] = one.length < wanted.length ? [one, wanted] : [wanted, one];
    return 2 * short.length >= long.length && long.includes(short) ||
      editDistance(one, wanted) <= Math.max(1, wanted.length >> 2);
  }).sort((a, b) => editDistance(letters(a), wanted) - editDistance(letters(b), wanted));
}

/** How many letters are added, left out or changed, or swapped with the one beside them. */
export function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const changed = row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swapped = isSwap ? before[j - 2] + 1 : changed;
      next.push(Math.min(changed, swapped, row[j] + 1, next[j - 1] + 1));
    }
    [before, row] = [row, next];
  }
  return row[b.length];
}

/** Text of others, such as a client's id, for a terminal: no escape sequences, one line. */
export function plain(text: string): string {
  return [...text].map((c) => c < " " || (c >= "\x7f" && c <= "\x9f") ? " " : c).join("");
}

/** Units of time in seconds, with their names in a sentence and in a table. */
const units = [
  { long: "days", short: "d", seconds: 86_400 },
  { long: "h", short: "h", seconds: 3600 },
  { long: "min", short: "m", seconds: 60 },
  { long: "s", short: "s", seconds: 1 },
];

/** A time span in its largest unit: `6.5 days`. */
export function inWords(milliseconds: number): string {
  const unit = units.find(({ seconds }) => Math.abs(milliseconds) >= 1000 * seconds);
  const { long, size } = unit
    ? { long: unit.long, size: 1000 * unit.seconds }
    : { long: "ms", size: 1 };
  return `${Math.round(10 * milliseconds / size) / 10} ${long}`;
}

/** `45s`, `12m 30s`, `3h 5m`, `4d 2h`: two units at most, rounded up to a second. */
export function inShort(seconds: number): string {
  const whole = Math.ceil(seconds);
  const first = units.findIndex((unit) => whole >= unit.seconds);
  if (first === -1) return "0s";
  const [large, small] = [units[first], units[first + 1]];
  const rest = small ? Math.floor((whole % large.seconds) / small.seconds) : 0;
  return `${Math.floor(whole / large.seconds)}${large.short}` +
    (rest > 0 ? ` ${rest}${small.short}` : "");
}
