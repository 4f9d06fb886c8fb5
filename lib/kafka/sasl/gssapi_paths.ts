/**
 * Where the hosts have MIT Kerberos' GSSAPI. A compiled program may load these files and no other
 * library (`scripts/compile/programs.ts`), so each is a whole path: a name alone would be looked
 * for in the current folder.
 */
export const gssapiPaths: readonly string[] = [
  // Red Hat, Rocky, Alma, Oracle, SUSE
  "/usr/lib64/libgssapi_krb5.so.2",
  // Debian, Ubuntu
  "/usr/lib/x86_64-linux-gnu/libgssapi_krb5.so.2",
  "/usr/lib/aarch64-linux-gnu/libgssapi_krb5.so.2",
];
