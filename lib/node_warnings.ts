/**
 * Import this before a package that uses node:crypto. Deno 2.4.2 warns on stderr of a constructor
 * that its own createHmac calls, unless the caller is in a node_modules folder, which a bundle is
 * not; nobody who reads that could do anything about it.
 */
import process from "node:process";

(process as { noDeprecation?: boolean }).noDeprecation = true;
