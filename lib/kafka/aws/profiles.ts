/** AWS's shared files, https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html. */
import { Failure, systemReason } from "../../failure.ts";
import { shownPath } from "../../secret.ts";
import type { Env } from "../config.ts";

export type Profile = ReadonlyMap<string, string>;

/** Both files' profiles by name; the credentials' file overrides. Throws Failure (usage). */
export async function readProfiles(env: Env): Promise<ReadonlyMap<string, Profile>> {
  const home = env("HOME") ?? "";
  const inHome = (path: string) => path.replace(/^~(?=\/)/, home);
  const config = inHome(env("AWS_CONFIG_FILE") || "~/.aws/config");
  const credentials = inHome(env("AWS_SHARED_CREDENTIALS_FILE") || "~/.aws/credentials");
  const profiles = new Map<string, Map<string, string>>();
  for (const [path, ofConfig] of [[config, true], [credentials, false]] as const) {
    for (const [name, values] of parseProfiles(await read(path), ofConfig)) {
      profiles.set(name, new Map([...profiles.get(name) ?? [], ...values]));
    }
  }
  return profiles;
}

async function read(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw new Failure("usage", `cannot read ${shownPath(path)}: ${systemReason(error)}`);
  }
}

/** `ofConfig`: sections are `[default]` and `[profile NAME]`; else `[NAME]`. */
export function parseProfiles(text: string, ofConfig: boolean): Map<string, Map<string, string>> {
  const profiles = new Map<string, Map<string, string>>();
  let current: Map<string, string> | null = null;
  for (const line of text.replace(/^\ufeff/, "").split(/\r\n|\r|\n/)) {
    const [, section] = /^\[([^\]]*)\]/.exec(line) ?? [];
    if (section !== undefined) {
      const [, profile] = /^\s*profile\s+(.*?)\s*$/.exec(section) ?? [];
      const name = section.trim() === "default" ? "default" : ofConfig ? profile : section.trim();
      current = null;
      if (name === undefined) continue;
      const unquoted = name.replace(/^(["'])(.*)\1$/, "$2");
      current = profiles.get(unquoted) ?? new Map();
      profiles.set(unquoted, current);
      continue;
    }
    // A line that begins with a space belongs to the value before it, of which none is used here.
    const [, key, value] = /^([^\s#;=][^=]*?)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    if (key !== undefined) current?.set(key.toLowerCase(), value.replace(/\s+[#;].*$/, ""));
  }
  return profiles;
}
