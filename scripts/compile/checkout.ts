/**
 * A copy of this checkout as somebody has it who cloned it: where the commands of the documents are
 * run as they are printed. It holds what is changed and not committed yet, too.
 */
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { finish } from "./process.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const deadlineMs = 60_000;

export interface Checkout extends AsyncDisposable {
  folder: string;
}

/** Copies the checkout into a new folder, without the files that git ignores. Needs git. */
export async function copyCheckout(): Promise<Checkout> {
  const folder = await Deno.makeTempDir({ prefix: "gpdb-kafka-checkout-" });
  const remove = () => Deno.remove(folder, { recursive: true });
  try {
    // Its programs are run as another user, too.
    await Deno.chmod(folder, 0o755);
    await git(["clone", "--quiet", "--no-checkout", root, folder]);
    await git(["-C", folder, "reset", "--quiet"]);
    for (const path of await filesOfCheckout()) {
      await Deno.mkdir(dirname(join(folder, path)), { recursive: true });
      await Deno.copyFile(join(root, path), join(folder, path));
    }
  } catch (error) {
    await remove();
    throw error;
  }
  return { folder, [Symbol.asyncDispose]: remove };
}

/** The files that git keeps or would keep, by their paths from the checkout's folder. */
async function filesOfCheckout(): Promise<string[]> {
  const listed = await git([
    ...["-C", root, "ls-files", "-z", "--deduplicate"],
    ...["--cached", "--others", "--exclude-standard"],
  ]);
  const paths = listed.split("\0").filter((path) => path !== "");
  const there = await Promise.all(
    paths.map((path) => Deno.lstat(join(root, path)).then(({ isFile }) => isFile, () => false)),
  );
  return paths.filter((_, index) => there[index]);
}

async function git(args: string[]): Promise<string> {
  return (await finish(["git", ...args], { what: `git ${args[0]}`, deadlineMs })).stdout;
}
