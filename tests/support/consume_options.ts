import { MEMORY_MAX } from "../../lib/consume/memory_limits.ts";
import type { ConsumeOptions } from "../../lib/consume/options.ts";

/** Read all, decode rows, leave bad ones out: what tests of the parts start from. */
export const defaults: ConsumeOptions = {
  topics: [],
  group: "",
  start: { at: "earliest" },
  fallback: "earliest",
  onLost: "fail",
  assignment: { share: "all" },
  partitions: null,
  ranges: null,
  maxRecords: Infinity,
  commit: false,
  isolation: "read_committed",
  badRecord: "skip",
  value: "row",
  csv: null,
  fields: [],
  key: null,
  keyFields: [],
  registry: null,
  schema: null,
  columns: [],
  until: "end",
  rack: "",
  metadataMaxAge: 60_000,
  tombstones: "skip",
  checkCrcs: true,
  memoryMax: MEMORY_MAX,
};
