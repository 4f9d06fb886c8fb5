import config from "../../deno.json" with { type: "json" };
import { build } from "./build.ts";

/** The project's version, from deno.json; a compiled program's build, too. */
export const version: string = build === "" ? config.version : `${config.version} (${build})`;
