/**
 * Copies a program to a list of hosts with scp: `deno task deploy`. On each it is verified before it
 * takes the place of the old one, which is kept.
 */
import { basename, resolve } from "node:path";
import { parseArgs } from "node:util";
import { Failure } from "../lib/failure.ts";
import { sha256 } from "./compile/files.ts";
import { finish } from "./compile/process.ts";
import { freshPath, installScript, type Place, rollbackScript } from "./deploy/remote.ts";

const usage = `deno task deploy [--host H1,H2,… | --hosts FILE] [--user NAME] [--to FOLDER]
                 [--rollback | --print] [FILE]

  FILE          the program to copy (dist/linux-x86_64/kafka_consumer)
  --host, --hosts   where to: names, or a file with a name a line, as gpssh takes it
  --user        who to log in as there (ssh's choice)
  --to          the folder there (that user's home)
  --rollback    put the program that the last copy replaced back into its place
  --print       do nothing: print the lines that do it with Greenplum's own tools

ssh must log in without a password. The replaced program is kept as NAME.previous.`;

interface Options {
  file: string;
  hosts: string[];
  user: string | undefined;
  place: Place;
  action: "install" | "rollback" | "print";
}

/** Hosts at a time: all send the same 90 MB through this machine's network. */
const AT_ONCE = 8;

/** A host that does not answer must fail, and one that asks for a password too. */
const sshOptions = ["-o", "BatchMode=yes", "-o", "ConnectTimeout=10"];
const deadlineMs = 10 * 60_000;

async function readOptions(args: string[]): Promise<Options | undefined> {
  const { values, positionals } = parse(args);
  if (values.help) return undefined;
  if (positionals.length > 1) throw new Failure("usage", `One file at a time: ${positionals}`);
  const [file = "dist/linux-x86_64/kafka_consumer"] = positionals;
  if (values.rollback && values.print) {
    throw new Failure("usage", "--rollback and --print exclude each other");
  }
  const hosts = [
    ...(values.host ?? "").split(","),
    ...(values.hosts === undefined ? [] : (await readText(values.hosts)).split("\n")),
  ].map((line) => line.replace(/#.*/, "").trim()).filter((line) => line !== "");
  const wrong = hosts.find((host) => !/^[\w.:[\]@][\w.:[\]@-]*$/.test(host));
  if (wrong !== undefined) throw new Failure("usage", `"${wrong}" cannot be the name of a host`);
  if (hosts.length === 0 && !values.print) {
    throw new Failure("usage", "No hosts: use --host H1,H2 or --hosts FILE");
  }
  return {
    file,
    hosts: [...new Set(hosts)],
    user: values.user,
    place: { folder: values.to ?? "", name: basename(file) },
    action: values.rollback ? "rollback" : values.print ? "print" : "install",
  };
}

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        host: { type: "string" },
        hosts: { type: "string" },
        user: { type: "string" },
        to: { type: "string" },
        rollback: { type: "boolean", default: false },
        print: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    });
  } catch (error) {
    throw new Failure("usage", `${(error as Error).message.split("\n")[0]}; see --help`);
  }
}

async function readText(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    throw new Failure("usage", `--hosts: cannot read "${path}": ${(error as Error).message}`);
  }
}

/** Greenplum's own tools, for sites that use nothing else; what they do not do, a second line does. */
function lines({ file, user, place: { folder, name } }: Options, sum: string): string {
  const to = `=:${folder || `/home/${user ?? "gpadmin"}`}`;
  return [
    `gpssh -f hosts 'cd ${to.slice(2)} && ln -f ${name} ${name}.previous'   # not the first time`,
    `gpscp -f hosts ${file} ${to}/${name}.new    # Greenplum 6`,
    `gpsync -f hosts ${file} ${to}/${name}.new   # Greenplum 7`,
    `gpssh -f hosts 'cd ${to.slice(2)} && echo "${sum}  ${name}.new" | sha256sum -c && ` +
    `chmod 755 ${name}.new && mv -f ${name}.new ${name}'`,
  ].join("\n");
}

/** Copies the program to one host and returns what that host says of it. */
async function install(host: string, { file, place }: Options, sum: string): Promise<string> {
  // With a slash in front, a colon in the file's name is no host's.
  const [from, to] = [resolve(file), `${host}:${freshPath(place)}`];
  await finish(["scp", "-q", ...sshOptions, from, to], { what: "scp", deadlineMs, why: lastLine });
  return await remote(host, installScript(place, sum));
}

async function remote(host: string, script: string): Promise<string> {
  const { stdout } = await finish(["ssh", ...sshOptions, host, script], {
    what: "ssh",
    deadlineMs,
    why: lastLine,
  });
  return stdout.trim();
}

/** Before it stand a host's greetings. */
function lastLine(stderr: string): string | undefined {
  return stderr.trim().split("\n").at(-1);
}

/** Does something on every host, some at once, and says how it went. Returns how many failed. */
async function onAll(hosts: string[], act: (host: string) => Promise<string>): Promise<number> {
  let failed = 0;
  const waiting = [...hosts];
  const worker = async () => {
    for (let host = waiting.shift(); host !== undefined; host = waiting.shift()) {
      try {
        console.log(`${host}: ${await act(host)}`);
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        failed++;
        console.error(`${host}: failed: ${error.message}`);
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return failed;
}

async function deploy(options: Options): Promise<number> {
  const { file, place, action, user } = options;
  const hosts = options.hosts.map((host) => user === undefined ? host : `${user}@${host}`);
  if (action === "rollback") {
    return await onAll(hosts, (host) => remote(host, rollbackScript(place)));
  }
  const sum = await sha256(file).catch((error) => {
    throw new Failure(
      "usage",
      `Cannot read "${file}": ${error.message}; deno task compile makes it`,
    );
  });
  if (action === "print") {
    console.log(lines(options, sum));
    return 0;
  }
  const failed = await onAll(hosts, (host) => install(host, options, sum));
  if (failed > 0) console.error(`${failed} of ${hosts.length} hosts failed and keep what they had`);
  return failed;
}

if (import.meta.main) {
  try {
    const options = await readOptions(Deno.args);
    if (options === undefined) console.log(usage);
    else if (await deploy(options) > 0) Deno.exitCode = 1;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    console.error(error.message);
    Deno.exitCode = 1;
  }
}
