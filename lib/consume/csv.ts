/**
 * The number of fields of a CSV row as COPY and Greenplum's web tables count them: each quote
 * turns quoting on or off wherever it stands, and a comma outside of it ends a field. A CSV
 * package would call rows broken that these take.
 */
export function countFields(row: string): number {
  let quoted = false;
  let count = 1;
  for (let at = 0; at < row.length; at++) {
    const code = row.charCodeAt(at);
    if (code === 0x22) quoted = !quoted;
    else if (code === 0x2c && !quoted) count++;
  }
  return count;
}

/** The fields of a CSV row as COPY reads them: an empty one without quotes is NULL. */
export function splitFields(row: string): (string | null)[] {
  const fields: (string | null)[] = [];
  let text = "";
  let quoted = false;
  let sawQuote = false;
  for (let at = 0; at <= row.length; at++) {
    const character = row[at];
    if (at === row.length || (character === "," && !quoted)) {
      fields.push(text === "" && !sawQuote ? null : text);
      text = "";
      sawQuote = false;
    } else if (character !== '"') text += character;
    else if (quoted && row[at + 1] === '"') {
      text += '"';
      at++;
    } else {
      quoted = !quoted;
      sawQuote = true;
    }
  }
  return fields;
}

/** Cuts rows apart at newlines outside quotes; what follows the last one is left out. */
export function splitRows(text: string): string[] {
  const rows: string[] = [];
  let quoted = false;
  let start = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x22) quoted = !quoted;
    else if (code === 0x0a && !quoted) {
      rows.push(text.slice(start, at));
      start = at + 1;
    }
  }
  return rows;
}
