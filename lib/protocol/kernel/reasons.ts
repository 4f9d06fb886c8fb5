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
  20: "ends inside its Avro value",
  21: "has bytes after its Avro value",
  22: "has a number of more bits than its Avro type",
  23: "has a length that is negative or reaches past its end",
  24: "has a branch that the Avro union does not have",
  25: "has a symbol that the Avro enum does not have",
  26: "has a boolean that is not 0 or 1",
  27: "is nested more than 1,000 deep",
  28: "has an array or map whose block is not as long as it says",
  29: "has an array of more than 1,000,000 items without bytes",
  30: "has a time that is not within one day",
  31: "has a duration beyond an interval of PostgreSQL",
  32: "has a decimal beyond a numeric of PostgreSQL",
  40: "is not valid Protobuf: it ends within a field, or a length reaches past the end",
  41: "is not valid Protobuf: a number has more than 10 bytes",
  42: "is not valid Protobuf: a field's tag does not exist",
  43: "is not valid Protobuf: a group ends that did not begin",
  44: "has messages nested more than 100 deep",
  45: "holds a Timestamp outside the years 1 to 9999",
  46: "holds a Duration of more than 10,000 years, or one of mixed signs",
  47: "has messages in parts that are more than 64 KiB together",
};
