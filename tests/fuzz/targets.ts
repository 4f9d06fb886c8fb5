import { batches, messages } from "./messages.ts";
import { compression } from "./compression.ts";
import { keytabs } from "./keytabs.ts";
import { columnRows, guard, packing, plainRows } from "./rows.ts";
import { avro, avroSchemas, json, protobuf, protobufSchemas } from "./structured.ts";
import type { Target } from "./target.ts";
import { quoting, texts } from "./texts.ts";
import { tokens } from "./tokens.ts";

/** All that reads what comes from outside. */
export async function makeTargets(): Promise<Target[]> {
  return [
    messages,
    await batches(),
    ...await compression(),
    plainRows(),
    columnRows(),
    guard,
    json(),
    avro,
    avroSchemas,
    protobuf,
    protobufSchemas,
    packing,
    keytabs,
    ...texts,
    ...tokens,
    quoting,
  ];
}
