import { type LogChange, UNCHANGED } from "../kafka/log_changes.ts";
import { NO_LEADER, type PartitionLog } from "../kafka/logs.ts";

/** How far a stored offset is behind the end of its log. */
export interface Behind {
  /** Offsets that the next run reads; if nothing is stored, or it is not of this log: all there are. */
  lag: number;
  /** Offsets that were deleted before they were read. */
  lost: number;
  /** What should be known of it, in words; else empty. */
  note: string;
}

/** `stored` null: nothing is. `change` is of the log, since then. */
export function behind(
  stored: number | null,
  log: PartitionLog,
  { other, shared }: LogChange = UNCHANGED,
): Behind {
  if (log === NO_LEADER) return { lag: 0, lost: 0, note: "no leader: its log cannot be read" };
  const { start, stable, high } = log;
  if (stored === null) return { lag: stable - start, lost: 0, note: "nothing stored" };
  if (other !== null) return { lag: stable - start, lost: 0, note: other };
  if (stored < start) {
    const lost = start - stored;
    return { lag: stable - start, lost, note: `${lost} deleted unread` };
  }
  if (stored > high) {
    return {
      lag: stable - start,
      lost: 0,
      note: "past the end of the log: was the topic recreated?",
    };
  }
  if (shared < stored) {
    const lag = Math.max(0, stable - Math.max(start, shared));
    return { lag, lost: 0, note: `the log was truncated at offset ${shared}` };
  }
  return { lag: Math.max(0, stable - stored), lost: 0, note: "" };
}
