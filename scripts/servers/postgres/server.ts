import { join } from "node:path";
import { Failure } from "../../../lib/failure.ts";
import type { Binaries } from "./binaries.ts";
import type { ServerUser } from "./machine.ts";

const INITDB_DEADLINE = 60_000;
const START_DEADLINE = 30_000;
/** Fast shutdown waits for no client; only a program that it reads from can hold it up. */
const STOP_DEADLINE = 5_000;

/** For tests and demos: what is lost with the machine is lost, and nothing is slower for it. */
const QUICK_SETTINGS = {
  fsync: "off",
  full_page_writes: "off",
  synchronous_commit: "off",
  datestyle: "ISO, MDY",
};

/**
 * Ends the server when this process ends, however it does: its standard input is a pipe from us,
 * which the system closes then. It also takes the server's folder away with it, unless the server is
 * to be started again.
 */
const SUPERVISOR = `
folder=$1; shift
exec 3<&0
"$@" </dev/null >>"$folder/log" 2>&1 3<&- &
server=$!
{ read -r line <&3; kill -INT "$server"; } 2>/dev/null &
watch=$!
wait "$server"; status=$?
kill "$watch" 2>/dev/null
if [ "$status" = 0 ] && [ ! -e "$folder/kept" ]; then cd /; rm -rf "$folder"; fi
exit "$status"
`;

/** A running server of our own. */
export interface Server {
  /** Its folder: `data`, `home` and `log`. Removed when it stops. */
  folder: string;
  port: number;
  /** The superuser's, who is called `postgres`. */
  password: string;
  /** Ends the server as a crash does, and starts it again on its port, with what it had committed. */
  crash(): Promise<void>;
  /** Ends every session, stops the server, and removes its folder. */
  stop(): Promise<void>;
}

/**
 * Makes a new database cluster in a temporary folder and starts a server for it, on 127.0.0.1 only.
 *
 * A superuser of the database can run any program as the server's user, so even on the loopback
 * address the server asks for a password, a new one each time: other users of the machine have no
 * business there.
 *
 * Every cluster is made by initdb (0.5 s). Copying one made before takes half of that: not enough
 * to be worth the upkeep.
 *
 * @throws {Failure} `broker` when it does not come up; the message names the log, which is kept.
 */
export async function startServer(
  { bin }: Binaries,
  user: ServerUser | undefined,
  settings: Record<string, string>,
): Promise<Server> {
  // TMPDIR may be closed to the server's user; a socket's path must be short, too.
  const folder = await Deno.makeTempDir({
    dir: user ? "/tmp" : undefined,
    prefix: "gpdb-kafka-postgres-",
  });
  try {
    for (const name of ["", "home"]) {
      await Deno.mkdir(join(folder, name), { recursive: true });
      if (user) await Deno.chown(join(folder, name), user.uid, user.gid);
    }
    const password = crypto.randomUUID();
    await initialise(bin, user, folder, password);
    for (let attempt = 1;; attempt++) {
      const server = await launch(bin, user, folder, settings);
      if (server) return { ...server, password };
      if (attempt === 3) throw new Error("every port it tried was taken in the meantime");
    }
  } catch (error) {
    const log = await keepLog(folder);
    await removeFolder(folder);
    const cause = error instanceof Error ? error.message : String(error);
    throw new Failure("broker", `Cannot start PostgreSQL: ${cause}${log}`, { cause: error });
  }
}

async function initialise(
  bin: string,
  user: ServerUser | undefined,
  folder: string,
  password: string,
): Promise<void> {
  const passwordFile = join(folder, "password");
  await Deno.writeTextFile(passwordFile, password + "\n", { mode: 0o600 });
  if (user) await Deno.chown(passwordFile, user.uid, user.gid);
  const options = ["--username=postgres", "--auth=scram-sha-256", `--pwfile=${passwordFile}`];
  const { success, stdout, stderr } = await new Deno.Command(join(bin, "initdb"), {
    args: ["-D", join(folder, "data"), ...options, "--no-locale", "--encoding=UTF8", "--no-sync"],
    ...processOptions(user, folder),
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    signal: AbortSignal.timeout(INITDB_DEADLINE),
  }).output();
  await Deno.remove(passwordFile);
  if (!success) {
    const decoder = new TextDecoder();
    await Deno.writeTextFile(join(folder, "log"), decoder.decode(stdout) + decoder.decode(stderr));
    throw new Error("initdb failed");
  }
}

/** Undefined when another program has taken the port between our choice and the server's start. */
async function launch(
  bin: string,
  user: ServerUser | undefined,
  folder: string,
  settings: Record<string, string>,
  port: number = findFreePort(),
): Promise<Omit<Server, "password"> | undefined> {
  const all = {
    ...QUICK_SETTINGS,
    ...settings,
    listen_addresses: "127.0.0.1",
    port: String(port),
    unix_socket_directories: folder,
    unix_socket_permissions: "0700",
  };
  const flags = Object.entries(all).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const command = [join(bin, "postgres"), "-D", join(folder, "data"), ...flags];
  // A session of its own, so that Ctrl-C in a terminal reaches us alone and the server ends in
  // order.
  const child = new Deno.Command("setsid", {
    args: ["sh", "-c", SUPERVISOR, "sh", folder, ...command],
    ...processOptions(user, folder),
    stdin: "piped",
    stdout: "null",
    stderr: "null",
  }).spawn();

  const deadline = Date.now() + START_DEADLINE;
  while (!await isReady(folder)) {
    if (Date.now() > deadline) {
      await end(child, folder);
      throw new Error(`it was not ready within ${START_DEADLINE / 1000} s`);
    }
    if (await within(10, child.status) !== undefined) {
      await child.stdin.close().catch(() => {});
      if ((await readLog(folder)).includes("could not create any TCP/IP sockets")) return undefined;
      throw new Error("the server ended at once");
    }
  }
  let running: Pick<Server, "crash" | "stop"> | undefined;
  let stopping: Promise<void> | undefined;
  return {
    folder,
    port,
    async crash() {
      if (running) return await running.crash();
      const postmaster = await readPostmaster(folder);
      if (!postmaster) throw new Error(`no server runs in ${folder}`);
      await Deno.writeTextFile(join(folder, "kept"), "");
      Deno.kill(Number(postmaster[0]), "SIGQUIT");
      await child.status;
      await child.stdin.close().catch(() => {});
      await Deno.remove(join(folder, "kept"));
      running = await launch(bin, user, folder, settings, port);
      if (!running) throw new Error(`port ${port} was taken in the meantime`);
    },
    stop: () => stopping ??= running ? running.stop() : end(child, folder),
  };
}

/** Closes the supervisor's standard input; what does not end by that is ended by its number. */
async function end(child: Deno.ChildProcess, folder: string): Promise<void> {
  const postmaster = await readPostmaster(folder);
  await child.stdin.close().catch(() => {});
  for (const signal of ["SIGQUIT", "SIGKILL"] as const) {
    if (await within(STOP_DEADLINE, child.status) !== undefined) break;
    if (postmaster) Deno.kill(Number(postmaster[0]), signal);
  }
  await child.status;
  await removeFolder(folder);
}

/** The lines of the server's own account: its process number first, its state eighth. */
async function readPostmaster(folder: string): Promise<string[] | undefined> {
  const text = await Deno.readTextFile(join(folder, "data", "postmaster.pid")).catch(() => "");
  return text === "" ? undefined : text.split("\n");
}

async function isReady(folder: string): Promise<boolean> {
  return (await readPostmaster(folder))?.[7]?.trim() === "ready";
}

/** How its processes run: as whom, where, and with nothing of our own environment. */
function processOptions(user: ServerUser | undefined, folder: string): Deno.CommandOptions {
  const home = join(folder, "home");
  const env = { HOME: home, PATH: "/usr/local/bin:/usr/bin:/bin", LC_ALL: "C" };
  return { ...user, cwd: home, clearEnv: true, env };
}

function findFreePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

async function readLog(folder: string): Promise<string> {
  return await Deno.readTextFile(join(folder, "log")).catch(() => "");
}

/** Saves the log from the folder's removal; says where it is, and its last lines. */
async function keepLog(folder: string): Promise<string> {
  const text = await readLog(folder);
  if (text === "") return "";
  const path = await Deno.makeTempFile({ prefix: "gpdb-kafka-postgres-", suffix: ".log" });
  await Deno.writeTextFile(path, text);
  return `\n${text.trimEnd().split("\n").slice(-5).join("\n")}\nIts log: ${path}`;
}

async function removeFolder(folder: string): Promise<void> {
  await Deno.remove(folder, { recursive: true }).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
}

/** What the promise resolves to, or undefined when that takes longer. Leaves no timer. */
async function within<T>(milliseconds: number, promise: Promise<T>): Promise<T | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), milliseconds);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
