import { createHash } from "node:crypto";

/** The longest name that PostgreSQL and Greenplum keep, bytes; they cut longer ones silently. */
export const LONGEST_NAME = 63;

/** Columns that each table has already (Greenplum 6 and PostgreSQL 11: oid too). */
const systemColumns = ["ctid", "xmin", "cmin", "xmax", "cmax", "tableoid", "oid", "gp_segment_id"];

/** The beginning of names that a load's own tables use. */
const OWN = "kafka$";

export function byteLength(text: string): number {
  return new TextEncoder().encode(text).length;
}

/** `name_suffix`, or if that is too long, its beginning and a hash of all of it. */
export function derivedName(name: string, suffix: string): string {
  const whole = `${name}_${suffix}`;
  if (byteLength(whole) <= LONGEST_NAME) return whole;
  return beginning(name, `_${hashOf(whole)}_${suffix}`);
}

/**
 * Names of columns for fields, each by the names on its way: `customer_city` of `customer.city`. A
 * name that is too long has a hash instead of its end; one that another column has, a number.
 */
export function columnNames(fields: readonly (readonly string[])[]): string[] {
  const taken = new Set<string>();
  return fields.map((steps) => {
    const wanted = columnName(steps);
    let name = wanted;
    for (let n = 2; taken.has(name); n++) {
      name = `${wanted}_${n}`;
      if (byteLength(name) > LONGEST_NAME) name = beginning(wanted, `_${n}`);
    }
    taken.add(name);
    return name;
  });
}

function columnName(steps: readonly string[]): string {
  const whole = steps.join("_") || "value";
  // A lone dot is the whole value where fields are listed.
  if (systemColumns.includes(whole) || whole === ".") return `${whole}_`;
  if (whole.startsWith(OWN)) return columnName([`_${whole}`]);
  return byteLength(whole) <= LONGEST_NAME ? whole : beginning(whole, `_${hashOf(whole)}`);
}

/** As much of a name as fits before its end. */
function beginning(name: string, end: string): string {
  let front = "";
  for (const character of name) {
    if (byteLength(front + character + end) > LONGEST_NAME) break;
    front += character;
  }
  return front + end;
}

function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 8);
}
