import config from "../../deno.json" with { type: "json" };

/** The project's version, from deno.json. */
export const version: string = config.version;
