import { Failure } from "../failure.ts";

/** Which of a cluster's segments runs the command. */
export interface Segment {
  id: number;
  count: number;
}

/**
 * Reads the segment from the environment that Greenplum gives a web table's command. Null outside
 * Greenplum, and on the coordinator (ON MASTER, GP_SEGMENT_ID=-1), where one process runs alone.
 * Throws Failure (usage) if the two variables are not valid.
 */
export function segmentOf(env: (name: string) => string | undefined): Segment | null {
  const id = env("GP_SEGMENT_ID");
  const count = env("GP_SEGMENT_COUNT");
  if (id === undefined && count === undefined) return null;
  if (id === "-1") return null;
  if (!isCount(id) || !isCount(count) || Number(id) >= Number(count)) {
    throw new Failure(
      "usage",
      `GP_SEGMENT_ID=${id ?? ""} and GP_SEGMENT_COUNT=${count ?? ""} do not name a segment — ` +
        "use 0 <= id < count, or --slot I/N or --assign all",
    );
  }
  return { id: Number(id), count: Number(count) };
}

function isCount(text: string | undefined): text is string {
  return text !== undefined && /^\d{1,6}$/.test(text);
}
