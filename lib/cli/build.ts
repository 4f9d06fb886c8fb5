/** Which build of a compiled program this is; `deno task compile` writes it. Empty in the sources. */
export const build: string = "";
