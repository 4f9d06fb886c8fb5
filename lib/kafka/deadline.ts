import { Failure } from "../failure.ts";

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
