/**
 * Gives back what a compiled program may load, Kerberos' library (`scripts/compile/programs.ts`):
 * from here on it loads none. Run from the sources with all permissions it keeps them all, because
 * a Deno that lacks one must not look into /proc.
 */
export function giveBackLibraries(): void {
  if (Deno.permissions.querySync({ name: "ffi" }).state === "granted") return;
  Deno.permissions.revokeSync({ name: "ffi" });
}
