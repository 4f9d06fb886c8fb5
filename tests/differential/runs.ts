/** All differential runs, by name. */
import { codecs } from "../../lib/protocol/record_batch.ts";
import { avroFields } from "./avro.ts";
import { codecBatches } from "./codecs.ts";
import { dialects, fieldGuard, rowGuard, rowsGuard } from "./guard.ts";
import { jsonFields } from "./json.ts";
import { protobufFields } from "./protobuf.ts";
import type { Differential } from "./tally.ts";
import { transactions } from "./transactions.ts";

/** Each gives random inputs to the code and to a foreign program, and compares the answers. */
export const runs: Readonly<Record<string, Differential>> = {
  "COPY: --value row": rowGuard,
  "COPY: --value rows": rowsGuard,
  "COPY: --value field": fieldGuard,
  "COPY: --csv": dialects,
  ...Object.fromEntries(
    codecs.map((codec) => [`Java: ${codec}`, (size) => codecBatches(codec, size)]),
  ),
  "Java: transactions": transactions,
  "PostgreSQL's json and jsonb": jsonFields,
  "avsc": avroFields,
  "protobuf-es": protobufFields,
};
