/**
 * What the work comes to; undefined if the signal was aborted and the work was not done `grace`
 * milliseconds later. The work itself goes on then, and what becomes of it is nobody's business.
 */
export function unlessAborted<T>(
  work: Promise<T>,
  signal: AbortSignal,
  grace = 0,
): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const aborted = () => {
      if (grace === 0) resolve(undefined);
      else timer = setTimeout(() => resolve(undefined), grace);
    };
    if (signal.aborted) aborted();
    // Not Promise.race: each one on a promise that lives long would leave something behind there.
    else signal.addEventListener("abort", aborted, { once: true });
    work.then(resolve, reject).finally(() => {
      clearTimeout(timer);
      signal.removeEventListener("abort", aborted);
    });
  });
}

/** Waits so long; returns at once where the signal is aborted. */
export async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = milliseconds === Infinity ? undefined : setTimeout(resolve, milliseconds);
  await unlessAborted(promise, signal);
  clearTimeout(timer);
}
