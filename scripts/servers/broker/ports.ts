/**
 * Below the range from which systems take ports for outgoing connections (32768 and up on Linux,
 * 49152 on others): a killed node must find its port free again, and there any client's
 * connection could sit on it.
 */
const lowest = 15_000;
const highest = 32_000;

/** Finds ports on which nothing listens on 127.0.0.1, the preferred ones first. */
export function freePorts(count: number, preferred: number[] = []): number[] {
  const found = new Set<number>(preferred.filter(isFree).slice(0, count));
  for (let tries = 0; found.size < count && tries < 10_000; tries++) {
    const port = lowest + Math.floor(Math.random() * (highest - lowest));
    if (isFree(port)) found.add(port);
  }
  return [...found];
}

function isFree(port: number): boolean {
  try {
    Deno.listen({ hostname: "127.0.0.1", port }).close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) return false;
    throw error;
  }
}
