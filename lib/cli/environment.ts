/** A variable of the environment. One that is set and empty is one that is not set. */
export function env(name: string): string | undefined {
  return Deno.env.get(name) || undefined;
}
