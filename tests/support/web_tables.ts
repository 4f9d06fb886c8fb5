/**
 * Greenplum's SQL that documents show: found in their texts, checked by what Greenplum is strict
 * about and PostgreSQL is not, and translated for a PostgreSQL that stands in for it.
 */
import assert from "node:assert/strict";
import { quoteLiteral } from "../../lib/greenplum/quote.ts";

/** The ```sql blocks of a Markdown text. */
export function sqlBlocks(markdown: string): string[] {
  const blocks = markdown.matchAll(/^( *)```sql\n([\s\S]*?)^\1```$/gm);
  return [...blocks].map(([, indent, text]) => text.replaceAll(`\n${indent}`, "\n"));
}

/** Reserved in Greenplum 6, and not in PostgreSQL: as names they need quotes. */
const reserved =
  /\b(decode(?!\()|distributed(?! (by|randomly|replicated)\b)|exclude|following|log(?! errors\b)|partition|preceding|scatter|unbounded)\b/i;

interface WebTable {
  statement: string;
  kind: "readable" | "writable";
  name: string;
  columns: string;
  command: string;
}

const webTable =
  /CREATE\s+(?:(READABLE|WRITABLE)\s+)?EXTERNAL\s+WEB\s+TABLE\s+([\w.]+)\s+\(((?:[^()']|\([^()]*\))*)\)\s*EXECUTE\s+'((?:[^']|'')*)'\s*(?:ON\s+(\w+)\s+)?FORMAT\s+'CSV'\s+\(DELIMITER ',' NULL ''( NEWLINE 'LF')?\)\s+ENCODING\s+'UTF8'(?:\s+LOG\s+ERRORS\s+SEGMENT\s+REJECT\s+LIMIT\s+\d+(?:\s+PERCENT)?)?(\s+DISTRIBUTED\s+BY\s+\(\w+\))?\s*;/g;

/** The statements that make web tables. Fails on one of a form that is not known here. */
export function webTables(sql: string): WebTable[] {
  const found = [...sql.matchAll(webTable)].map((match): WebTable => {
    const [statement, kind = "READABLE", name, columns, command, on, newline, distributed] = match;
    // Readers run on each segment, and cut rows at LF alone; writers need a distribution.
    if (kind === "READABLE") assert.deepEqual([on, newline], ["ALL", " NEWLINE 'LF'"], statement);
    else assert.ok(distributed && !on, statement);
    return {
      statement,
      kind: kind === "READABLE" ? "readable" : "writable",
      name,
      columns,
      command: command.replaceAll("''", "'"),
    };
  });
  const bare = sql.replaceAll(commentOrQuoted, "''");
  const all = bare.match(/CREATE\s+(?:\w+\s+)?EXTERNAL\b/gi) ?? [];
  assert.equal(found.length, all.length, `a web table of an unknown form in\n${sql}`);
  return found;
}

/** A comment, or else what a comment can't begin in. */
const commentOrQuoted = /--.*|\$(\w*)\$[\s\S]*?\$\1\$|'(?:[^']|'')*'|"[^"]*"/g;

function withoutComments(sql: string): string {
  return sql.replaceAll(commentOrQuoted, (found) => found.startsWith("--") ? "" : found);
}

/** What Greenplum's shell or its parser would stumble over; empty: nothing. */
export function greenplumProblems(sql: string): string[] {
  const bare = sql.replaceAll(commentOrQuoted, "''");
  const word = reserved.exec(bare)?.[1];
  return [
    ...(word ? [`"${word}" is reserved in Greenplum: a name needs quotes`] : []),
    ...webTables(sql).filter(({ command }) => /[\r\n]/.test(command)).map(({ name }) =>
      `the command of ${name} has more than one line: the shell runs each by itself`
    ),
  ];
}

/** What drops a web table, where it is one. */
export function dropWebTable(name: string, isGreenplum: boolean): string {
  return isGreenplum
    ? `DROP EXTERNAL TABLE IF EXISTS ${name};`
    : `DROP VIEW IF EXISTS ${name}; DROP FOREIGN TABLE IF EXISTS ${name}_0, ${name}_1;`;
}

/**
 * The same for a PostgreSQL with the server `stand_in` of file_fdw: a readable web table is a view
 * of one foreign table for each of two segments, a writable one a table whose rows go to the
 * command. The command reaches /bin/sh as from Greenplum: after its variables, as it is.
 */
export function forPostgres(sql: string): string {
  let text = withoutComments(sql)
    .replaceAll(/DROP\s+EXTERNAL\s+TABLE\s+IF\s+EXISTS\s+([\w.]+);/g, "");
  for (const table of webTables(text)) {
    text = text.replace(
      table.statement,
      () => table.kind === "readable" ? readable(table) : writable(table),
    );
  }
  return text.replaceAll(/\s+DISTRIBUTED BY \(\w+\)/g, "");
}

function onSegment(segment: number, command: string): string {
  const variables = { GP_SEGMENT_ID: segment, GP_SEGMENT_COUNT: 2 };
  const exports = Object.entries(variables).map(([name, value]) =>
    `${name}='${value}' && export ${name} && `
  );
  return quoteLiteral(exports.join("") + command);
}

function readable({ name, columns, command }: WebTable): string {
  const segments = [0, 1].map((segment) =>
    `CREATE FOREIGN TABLE ${name}_${segment} (${columns}) SERVER stand_in OPTIONS ` +
    `(program ${onSegment(segment, command)}, format 'csv', delimiter ',', null '', ` +
    "encoding 'UTF8');"
  );
  return `${segments.join("\n")}
    CREATE VIEW ${name} AS SELECT * FROM ${name}_0 UNION ALL SELECT * FROM ${name}_1;`;
}

function writable({ name, columns, command }: WebTable): string {
  return `CREATE TABLE ${name} (${columns});
    CREATE FUNCTION ${name}_out() RETURNS trigger LANGUAGE plpgsql AS $out$
      BEGIN
        COPY ${name} TO PROGRAM ${onSegment(0, command)}
          (FORMAT csv, DELIMITER ',', NULL '', ENCODING 'UTF8');
        DELETE FROM ${name};
        RETURN NULL;
      END $out$;
    CREATE TRIGGER ${name}_out AFTER INSERT ON ${name} EXECUTE FUNCTION ${name}_out();`;
}
