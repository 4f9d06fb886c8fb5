import type { PartitionLog } from "./logs.ts";

/** How far a stored offset is behind the log it is of. */
export interface Behind {
  /** Offsets that the next run reads; with nothing stored, or what is stored gone: all there are. */
  lag: number;
  /** Offsets that were deleted before they were read. */
  lost: number;
  /** What should be known of it, in words; else empty. */
  note: string;
}

/** `stored` null: nothing is. */
export function behind(stored: number | null, { start, end, last }: PartitionLog): Behind {
  if (stored === null) return { lag: end - start, lost: 0, note: "nothing stored" };
  if (stored < start) {
    const lost = start - stored;
    return { lag: end - start, lost, note: `${lost} deleted unread` };
  }
  if (stored > last) return { lag: end - start, lost: 0, note: "beyond the log: made anew?" };
  return { lag: Math.max(0, end - stored), lost: 0, note: "" };
}
