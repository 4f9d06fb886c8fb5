import { connectionFlags } from "./connection.ts";
import type { Flag } from "../flags.ts";

const names: readonly string[] = ["verbose", "quiet", "log-file", "help", "version"];

/** The flags of a command that talks to no broker itself. */
export const logFlags: readonly Flag[] = connectionFlags.filter(({ name }) => names.includes(name));
