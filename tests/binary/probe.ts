/**
 * Tries what kafka_consumer may not do, from where kafka_consumer does its work; prints as JSON how
 * each attempt ended. `--brokers` names a folder to write to, for want of a flag of its own.
 */
import { connectionFlags, readProperties } from "../../lib/cli/flags/connection.ts";
import { type Command, run } from "../../lib/cli/run.ts";
import { gssapiPaths } from "../../lib/kafka/sasl/gssapi_paths.ts";

function granted({ state }: Deno.PermissionStatus): void {
  if (state !== "granted") throw new Deno.errors.NotCapable(state);
}

const command: Command = {
  name: "probe",
  about: "tries what it may not do",
  examples: [],
  flags: connectionFlags,
  async run(given, console) {
    const folder = given.get("brokers")!;
    const attempts: Record<string, () => unknown> = {
      run: () => new Deno.Command("true").outputSync(),
      "kerberos": () => {
        for (const path of gssapiPaths) granted(Deno.permissions.querySync({ name: "ffi", path }));
      },
      "library by name": () => Deno.dlopen("libc.so.6", {}),
      "library by path": () => Deno.dlopen("/usr/lib64/libc.so.6", {}),
      "library beside it": () => Deno.dlopen(gssapiPaths[0].replace("gssapi_", ""), {}),
      "kerberos without such a login": async () => {
        await readProperties(given, () => undefined, console);
        Deno.dlopen(gssapiPaths[0], {});
      },
      sys: () => Deno.hostname(),
      write: () => Deno.writeTextFileSync(`${folder}/written`, ""),
      "write its log file again": () => Deno.writeTextFileSync(given.get("log-file")!, ""),
      mkdir: () => Deno.mkdirSync(`${folder}/made`),
      remove: () => Deno.removeSync(`${folder}/kept`),
      temporary: () => Deno.makeTempFileSync(),
      "ask again": () => {
        granted(Deno.permissions.requestSync({ name: "write" }));
      },
      "code from the network": () => import("https://deno.land/" + folder),
      read: () => Deno.readTextFileSync(`${folder}/kept`),
    };
    const ends: Record<string, string> = {};
    for (const [name, attempt] of Object.entries(attempts)) {
      try {
        await attempt();
        ends[name] = "done";
      } catch (error) {
        ends[name] = (error as Error).name;
      }
    }
    console.debug("the log file is open");
    await Deno.stdout.write(new TextEncoder().encode(JSON.stringify(ends)));
  },
};

Deno.exit(await run(command, Deno.args));
