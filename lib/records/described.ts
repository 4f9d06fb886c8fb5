/**
 * What schemas and samples say of values, and the columns that a table for them has: one for each
 * field, of an object one for each of its fields, down to some levels.
 */

/** What is known of a value. */
export interface Described {
  /** A column's type that all of its values fit, as PostgreSQL names it. */
  type: string;
  /** It may be null, or not there, although what it is in is there. */
  nullable: boolean;
  /** For people. */
  comment: string;
  /** Of an object: its fields. Called only if they are wanted: schemas may be large. */
  fields?: () => readonly Member[];
}

/** What a function returns, made at the first call. */
export function atFirst<T extends object>(make: () => T): () => T {
  let made: T | undefined;
  return () => made ??= make();
}

export interface Member {
  name: string;
  value: Described;
}

/** A field that becomes a column. */
export interface Leaf {
  /** The names on the way to it; none: the whole value. */
  steps: readonly string[];
  type: string;
  notNull: boolean;
  comment: string;
}

/** Names in a path at most; what lies deeper is one JSON column. */
const MOST_LEVELS = 3;
/** PostgreSQL's and Greenplum's own limit (MaxHeapAttributeNumber). */
export const MOST_COLUMNS = 1600;

/**
 * The columns for values of which these are the versions, the newest first: the fields of the newest
 * one, with types that the values of all of them fit. NOT NULL is what every version has, and calls
 * so. Null: they would be more than a table can have.
 */
export function leavesOf(versions: readonly Described[]): Leaf[] | null {
  const [newest, ...older] = versions;
  for (let levels = MOST_LEVELS; levels > 0; levels--) {
    const leaves: Leaf[] = [];
    if (!collect(newest, [], levels, !newest.nullable, leaves)) continue;
    return leaves.map((leaf) => older.reduce(joined, leaf));
  }
  return null;
}

/** False: there are too many. */
function collect(
  value: Described,
  steps: readonly string[],
  levels: number,
  notNull: boolean,
  leaves: Leaf[],
): boolean {
  const fields = steps.length < levels ? value.fields?.() ?? [] : [];
  if (fields.length === 0) {
    leaves.push({ steps, type: value.type, notNull, comment: value.comment });
    return leaves.length <= MOST_COLUMNS;
  }
  return fields.every(({ name, value }) =>
    collect(value, [...steps, name], levels, notNull && !value.nullable, leaves)
  );
}

/** The column with what an older version says of its field. */
function joined(leaf: Leaf, version: Described): Leaf {
  let value: Described | undefined = version;
  let notNull = leaf.notNull && !version.nullable;
  for (const step of leaf.steps) {
    value = value.fields?.().find(({ name }) => name === step)?.value;
    // Its values do not have the field: NULL.
    if (value === undefined) return { ...leaf, notNull: false };
    notNull &&= !value.nullable;
  }
  return { ...leaf, notNull, type: wider(leaf.type, value.type) };
}

/** From narrow to wide: a value of one fits those after it. */
const numbers = ["integer", "bigint", "numeric"];
const floats = ["real", "double precision"];

/** A type that the texts of both fit. */
function wider(one: string, other: string): string {
  if (one === other) return one;
  const isNumeric = (type: string) => type.startsWith("numeric");
  const rank = (type: string) => numbers.indexOf(isNumeric(type) ? "numeric" : type);
  if (rank(one) >= 0 && rank(other) >= 0) return numbers[Math.max(rank(one), rank(other))];
  const isNumber = (type: string) => rank(type) >= 0 || floats.includes(type);
  return isNumber(one) && isNumber(other) ? "double precision" : "text";
}
