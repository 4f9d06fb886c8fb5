import assert from "node:assert/strict";
import { join } from "node:path";
import { gssapiPaths } from "../../lib/kafka/sasl/gssapi_paths.ts";
import { programs } from "../../scripts/compile/programs.ts";
import { binaries, compileForTest } from "../support/binaries.ts";
import { text } from "../support/cli.ts";

const ignore = !binaries;

Deno.test({
  name: "binary: what the consumer does not need is denied",
  ignore,
  fn: async () => {
    const folder = await Deno.makeTempDir();
    try {
      const probe = await compileForTest("probe", "tests/binary/probe.ts", folder);
      await Deno.writeTextFile(join(folder, "kept"), "");
      const log = join(folder, "log");
      const attempt = async (...flags: string[]) => {
        const args = ["--brokers", folder, ...flags];
        const { stdout, stderr } = await new Deno.Command(probe, { args }).output();
        assert.ok(stdout.length > 0, text(stderr));
        return JSON.parse(text(stdout));
      };
      const refused = {
        run: "NotCapable",
        "kerberos": "done",
        "library by name": "NotCapable",
        "library by path": "NotCapable",
        "library beside it": "NotCapable",
        "kerberos without such a login": "NotCapable",
        sys: "NotCapable",
        write: "NotCapable",
        mkdir: "NotCapable",
        remove: "NotCapable",
        temporary: "NotCapable",
        "ask again": "NotCapable",
        "code from the network": "TypeError",
        read: "done",
      };
      const again = "write its log file again";
      assert.deepEqual(await attempt(), { ...refused, [again]: "NotCapable" });
      assert.deepEqual(await attempt("--log-file", log, "-v"), {
        ...refused,
        [again]: "NotCapable",
      });
      assert.match(await Deno.readTextFile(log), /^\S+Z the log file is open\n$/);
      const names = [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
      assert.deepEqual(names, ["kept", "log", "probe"]);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

Deno.test({ name: "binary: each names its own permissions", ignore }, async (t) => {
  for (const { name } of programs) {
    await t.step(name, async () => {
      const { permissions } = await readMetadata(`${binaries}/${name}`);
      assert.equal(permissions.prompt, false);
      // allow_import is Deno's default, and without effect: see "code from the network" above.
      const allowed = Object.entries(permissions)
        .filter(([key, value]) => key.startsWith("allow_") && key !== "allow_import" && value)
        .map(([key]) => key);
      const others = ["allow_env", "allow_net", "allow_read", "allow_write"];
      assert.deepEqual(allowed.sort(), ["allow_env", "allow_ffi", ...others.slice(1)]);
      // One library, from where hosts have it: no list, or an empty one, would be any.
      assert.deepEqual(permissions.allow_ffi, gssapiPaths);
      assert.ok(gssapiPaths.length > 0 && gssapiPaths.every((path) => path.startsWith("/usr/lib")));
    });
  }
});

/** What `deno compile` writes after the runtime: a mark, the length of a JSON text, and that. */
async function readMetadata(
  path: string,
): Promise<{ permissions: Record<string, unknown>; code_cache_key: unknown }> {
  const bytes = await Deno.readFile(path);
  const mark = new TextEncoder().encode('{"argv":[');
  for (let at = bytes.indexOf(mark[0], 80_000_000); at >= 0; at = bytes.indexOf(mark[0], at + 1)) {
    if (!mark.every((byte, index) => bytes[at + index] === byte)) continue;
    const length = new DataView(bytes.buffer).getBigUint64(at - 8, true);
    return JSON.parse(text(bytes.subarray(at, at + Number(length))));
  }
  throw new Error(`no metadata in ${path}`);
}
