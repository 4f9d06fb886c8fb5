/**
 * Leaves the runtime without authorities of its own, so that those which a connection is given are
 * all that it trusts. The runtime reads these variables once, when the process opens its first TLS
 * connection. `deno run` does so by itself half a second after its start, to look for a new
 * version; so a program calls this first of all.
 */
export function trustNothingElse(): void {
  if (Deno.env.get("DENO_TLS_CA_STORE") !== "") Deno.env.set("DENO_TLS_CA_STORE", "");
  if (Deno.env.has("NODE_EXTRA_CA_CERTS")) Deno.env.delete("NODE_EXTRA_CA_CERTS");
}
