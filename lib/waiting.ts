import { Failure } from "./failure.ts";

/**
 * Waits for what has no deadline of its own, for `timeout` milliseconds: then throws Failure
 * (broker) saying what failed, and leaves the work to itself.
 */
export async function within<T>(timeout: number, failed: string, work: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    late.reject(new Failure("broker", `${failed}: no answer within ${timeout / 1000} s`));
  }, timeout);
  work.catch(() => {}); // what it throws after the deadline is of no interest
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** Waits for the work, however it ends, but not longer than `milliseconds`. */
export async function atMost(
  milliseconds: number,
  work: Promise<unknown> | undefined,
): Promise<void> {
  const late = Promise.withResolvers<void>();
  const timer = setTimeout(late.resolve, milliseconds);
  await Promise.race([work?.catch(() => {}), late.promise]);
  clearTimeout(timer);
}

/**
 * What the work comes to; undefined if the signal was aborted and the work was not done `grace`
 * milliseconds later. The work itself continues then, and its result is ignored.
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
    // Not Promise.race: each call on a long-lived promise would leak memory there.
    else signal.addEventListener("abort", aborted, { once: true });
    work.then(resolve, reject).finally(() => {
      clearTimeout(timer);
      signal.removeEventListener("abort", aborted);
    });
  });
}

/** Waits this long, or until the signal is aborted. */
export async function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = milliseconds === Infinity ? undefined : setTimeout(resolve, milliseconds);
  await (signal ? unlessAborted(promise, signal) : promise);
  clearTimeout(timer);
}
