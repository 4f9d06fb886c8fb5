import { Console } from "./console.ts";
import { exitCodes } from "./exit_codes.ts";

/** How long a process may still work after a signal, milliseconds. */
const PATIENCE = 1000;

const acts: (() => Promise<unknown>)[] = [];
let isLeaving = false;

/** Runs this before a signal ends the process, for at most {@link PATIENCE} ms. */
export function beforeExit(act: () => Promise<unknown>): void {
  acts.push(act);
}

/**
 * Calls `exit` when all that is still to be done is done, or takes too long; at once if there is
 * nothing to do, and at a second signal.
 */
export function exitWhenDone(exit: () => void): void {
  if (acts.length === 0 || isLeaving) return exit();
  isLeaving = true;
  setTimeout(exit, PATIENCE);
  Promise.allSettled(acts.map((act) => act())).then(exit);
}

/**
 * Ends the process at once on SIGINT and SIGTERM: Greenplum's query stays blocked until its
 * commands have ended. `exit` is `Deno.exit`; `report` says what was done until then.
 */
export function exitOnSignals(
  name: string,
  exit: (code: number) => never,
  report?: () => string,
): void {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, () => {
      const done = report ? `; ${report()}` : "";
      new Console().error(`${name}: stopped by ${signal} before its end${done}`);
      exitWhenDone(() => exit(exitCodes[signal].code));
    });
  }
}
