/** How long a process that was told to end may take for what it has to do yet, milliseconds. */
const PATIENCE = 50;

const acts: (() => Promise<unknown>)[] = [];

/** Has this done when a signal ends the process, if it can be done in {@link PATIENCE} ms. */
export function onStop(act: () => Promise<unknown>): void {
  acts.push(act);
}

/** Calls `exit` when all that is to be done yet is done, or takes too long; at once for nothing. */
export function farewell(exit: () => void): void {
  if (acts.length === 0) return exit();
  setTimeout(exit, PATIENCE);
  Promise.allSettled(acts.map((act) => act())).then(exit);
}
