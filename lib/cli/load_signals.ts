import type { Loads } from "../load/loads.ts";

/** How long running loads may take to end by themselves after a SIGTERM, milliseconds. */
const GRACE = 3000;
/** How long the database may take to cancel them; then its answer is not waited for. */
const PATIENCE = 1000;

/** What SIGINT and SIGTERM do to loads. */
export interface LoadSignals {
  /** The first that came. */
  received: "SIGINT" | "SIGTERM" | null;
  /** Aborted by the first. */
  readonly stopping: AbortSignal;
  /** Resolves when loads that were cancelled have not ended in time. */
  readonly abandoned: Promise<void>;
  /** From now on these are the loads. */
  attach(loads: Loads, say: (text: string) => void): void;
  remove(): void;
}

/**
 * The first SIGINT lets the running loads end, the second cancels them; SIGTERM gives them 3 s. A
 * load that was cancelled has a second to end: within 5 s after a SIGTERM the process is gone.
 */
export function onLoadSignals(): LoadSignals {
  const stopping = new AbortController();
  const abandoned = Promise.withResolvers<void>();
  const timers: ReturnType<typeof setTimeout>[] = [];
  let loads: Loads | null = null;
  let say: (text: string) => void = () => {};
  const signals: LoadSignals = {
    received: null,
    stopping: stopping.signal,
    abandoned: abandoned.promise,
    attach(added, tell) {
      [loads, say] = [added, tell];
      if (stopping.signal.aborted) loads.stop();
    },
    remove() {
      for (const timer of timers) clearTimeout(timer);
      Deno.removeSignalListener("SIGINT", onInt);
      Deno.removeSignalListener("SIGTERM", onTerm);
    },
  };
  const receive = (signal: "SIGINT" | "SIGTERM") => {
    signals.received ??= signal;
    stopping.abort();
    loads?.stop();
  };
  const cancel = () => {
    loads?.cancel();
    timers.push(setTimeout(abandoned.resolve, PATIENCE));
  };
  const onInt = () => {
    const first = signals.received === null;
    if (first && loads?.loading) say("stopping after this load; press Ctrl-C again to cancel it");
    receive("SIGINT");
    if (!first) cancel();
  };
  let isTerminated = false;
  const onTerm = () => {
    receive("SIGTERM");
    if (!isTerminated) timers.push(setTimeout(cancel, GRACE));
    isTerminated = true;
  };
  Deno.addSignalListener("SIGINT", onInt);
  Deno.addSignalListener("SIGTERM", onTerm);
  return signals;
}
