// kafka.load speaks to the commands of its web tables in a comment at the start of the statement
// that reads them:
//
//     /* kafka-ranges topic=crimes 0:100-250,3:0-17 */ INSERT INTO …
//     /* kafka-plan topic=crimes at=1767225600000 stand=0:100,3:0 */ SELECT …
//     /* kafka-ranges orders_eu/0:100-250,3:0-17,orders_us/0:5-9 */ INSERT INTO …
//
// Greenplum gives every command the statement's text in GP_QUERY_STRING, but only its first 1023
// bytes: so the comment comes first, and there is a whole one or none. As nothing comes before it,
// no name or string in the statement can pass for one, and the words in it can't end it.

/** The words of the comment at the start of a statement; null if it is not `name`'s. */
export function queryComment(statement: string, name: string): string[] | null {
  const match = /^\s*\/\* ([a-z-]+)((?: [a-zA-Z0-9._:,=/-]+)*) \*\//.exec(statement);
  return match?.[1] === name ? match[2].split(" ").slice(1) : null;
}

/** The value of a word `key=value`; undefined if there is none. */
export function commentValue(words: readonly string[], key: string): string | undefined {
  return words.find((word) => word.startsWith(`${key}=`))?.slice(key.length + 1);
}
