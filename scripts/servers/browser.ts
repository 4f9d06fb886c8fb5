import { type Browser, chromium } from "playwright-core";

/** Names that a Chromium has; GPDB_KAFKA_TEST_CHROMIUM is the path of another one. */
const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/** The path of a browser on this machine; null if there is none (Debian: apt-get install chromium). */
export function findBrowser(): string | null {
  const given = Deno.env.get("GPDB_KAFKA_TEST_CHROMIUM");
  if (given) return given;
  const folders = (Deno.env.get("PATH") ?? "").split(":").filter((folder) => folder !== "");
  for (const path of names.flatMap((name) => folders.map((folder) => `${folder}/${name}`))) {
    try {
      if (Deno.statSync(path).isFile) return path;
    } catch {
      // It is not there.
    }
  }
  return null;
}

/** Starts it, without a window. */
export async function startBrowser(path: string): Promise<Browser> {
  // Its sandbox cannot be made by root in a container; the pages are our own.
  return await chromium.launch({ executablePath: path, args: ["--no-sandbox"] });
}
