/** How long a process that was to end may take at most for what it still has to do, milliseconds. */
const PATIENCE = 1000;

const acts: (() => Promise<unknown>)[] = [];
let isLeaving = false;

/** Has this done when a signal ends the process, if it can be done in {@link PATIENCE} ms. */
export function onStop(act: () => Promise<unknown>): void {
  acts.push(act);
}

/**
 * Calls `exit` when all that is still to be done is done, or takes too long; at once if there is
 * nothing to do, and at a second signal.
 */
export function farewell(exit: () => void): void {
  if (acts.length === 0 || isLeaving) return exit();
  isLeaving = true;
  setTimeout(exit, PATIENCE);
  Promise.allSettled(acts.map((act) => act())).then(exit);
}
