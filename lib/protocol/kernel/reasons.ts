/**
 * Why a record can't be a row, by its number in the kernel (unfit.as.ts): 1 to 4 of any field, 5 to
 * 19 of JSON and of frames, 20 to 39 of Avro and typed fields, 40 to 59 of Protobuf, 60 on of rows. Each goes on from
 * the name of what it is about: "the value is not UTF-8".
 */
export const unfitReasons: Readonly<Record<number, string>> = {
  1: "holds a NUL byte",
  2: "is not UTF-8",
  3: "holds a line that is just \\., which would end the data",
  4: "is outside the years 1 to 9999",
  5: "has no Confluent frame",
  6: "is shorter than its Confluent frame",
  7: "is not valid JSON: it ends too early",
  8: "is not valid JSON: something comes after its end",
  9: "is not valid JSON: a value is expected",
  10: "is not valid JSON: a name in quotes is expected",
  11: "is not valid JSON: a colon is expected",
  12: "is not valid JSON: a comma or a closing bracket is expected",
  13: "is not valid JSON: a string holds a control character",
  14: "is not valid JSON: an escape is wrong",
  15: "holds \\u0000, which no text can hold",
  16: "holds one half of a surrogate pair, which no text can hold",
  17: "is not valid JSON: a number is wrong",
  18: "is nested more than 65,536 levels deep",
  60: "is empty: Greenplum would miss its columns",
  61: "holds an empty row",
  62: "holds a newline outside quotes",
  63: "holds a carriage return outside quotes",
  64: "has a quote that is not closed",
};
