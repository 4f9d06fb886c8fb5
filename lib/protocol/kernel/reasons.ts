/**
 * Why a record can't be a row, by its number in the kernel (unfit.as.ts): 1 to 4 of any field, 5 to
 * 19 of JSON and of frames, 20 to 39 of Avro and typed fields, 40 to 59 of Protobuf. Each goes on from
 * the name of what it is about: "the value is not UTF-8".
 */
export const unfitReasons: Readonly<Record<number, string>> = {
  1: "holds a NUL byte",
  2: "is not UTF-8",
  3: "holds a line that is just \\., which would end the data",
  4: "is outside the years 1 to 9999",
  5: "has no Confluent frame",
  6: "is shorter than its Confluent frame",
};
