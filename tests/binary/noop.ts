/** What the runtime costs by itself. */
Deno.exit(0);
