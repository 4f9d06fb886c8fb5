import { Failure, systemReason } from "../../failure.ts";
import { giveBackLibraries } from "../../libraries.ts";
import { gssapiPaths } from "./gssapi_paths.ts";

// Addresses are passed as numbers. What may ask a KDC or DNS does not block the event loop.
const at = "u64";
const blocks = { nonblocking: true } as const;
const u32 = { result: "u32" } as const;
const symbols = {
  gss_import_name: { parameters: [at, at, at, at], ...u32 },
  gss_canonicalize_name: { parameters: [at, at, at, at], ...u32, ...blocks },
  gss_display_name: { parameters: [at, at, at, at], ...u32 },
  gss_release_name: { parameters: [at, at], ...u32 },
  gss_acquire_cred_from: {
    parameters: [at, at, "u32", at, "i32", at, at, at, at],
    ...u32,
    ...blocks,
  },
  gss_inquire_cred: { parameters: [at, at, at, at, at, at], ...u32, ...blocks },
  gss_release_cred: { parameters: [at, at], ...u32 },
  gss_init_sec_context: {
    parameters: [at, at, at, at, at, "u32", "u32", at, at, at, at, at, at],
    ...u32,
    ...blocks,
  },
  gss_delete_sec_context: { parameters: [at, at, at], ...u32 },
  gss_wrap: { parameters: [at, at, "i32", "u32", at, at, at], ...u32 },
  gss_unwrap: { parameters: [at, at, at, at, at, at], ...u32 },
  gss_release_buffer: { parameters: [at, at], ...u32 },
  // Of libc, which the library needs itself.
  memcpy: { parameters: ["buffer", at, at], result: "u64" },
  gss_display_status: { parameters: [at, "u32", "i32", at, at, at], ...u32 },
} as const satisfies Deno.ForeignLibraryInterface;

export type Library = Deno.DynamicLibrary<typeof symbols>;

/** Loads the first of these files that exists. Throws Failure (usage) if none does. */
export function loadLibrary(paths = gssapiPaths): Library {
  for (const path of paths) {
    try {
      Deno.statSync(path);
    } catch {
      continue;
    }
    try {
      const library = Deno.dlopen(path, symbols);
      giveBackLibraries();
      return library;
    } catch (error) {
      throw new Failure(
        "usage",
        `cannot log in with GSSAPI: cannot load ${path}: ${dlopenReason(error)}`,
      );
    }
  }
  const install = Deno.build.os === "linux"
    ? "install the package libgssapi-krb5-2 (Debian, Ubuntu) or krb5-libs (Red Hat)"
    : "it can be used on Linux only";
  throw new Failure(
    "usage",
    `cannot log in with GSSAPI: this host lacks libgssapi_krb5.so.2 of MIT Kerberos — ${install}`,
  );
}

/** What the system says, without Deno's words, which it has twice. */
function dlopenReason(error: unknown): string {
  return systemReason(error).replace(/^(Could not open library: )+/, "");
}
