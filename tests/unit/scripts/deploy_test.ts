/** scripts/deploy.ts, with stand-ins for scp and ssh whose hosts are folders of this machine. */
import assert from "node:assert/strict";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { quote } from "../../../scripts/deploy/remote.ts";
import { scp, ssh } from "../../support/hosts.ts";

const deploy = fileURLToPath(new URL("../../../scripts/deploy.ts", import.meta.url));

interface Site extends AsyncDisposable {
  folder: string;
  /** Runs scripts/deploy.ts. */
  run(...args: string[]): Promise<{ code: number; stdout: string[]; stderr: string[] }>;
  /** Makes a program that prints this version, and returns its path. */
  program(version: string): Promise<string>;
  /** The files of a host, with what they print. */
  on(host: string): Promise<Record<string, string>>;
}

async function makeSite(...hosts: string[]): Promise<Site> {
  const folder = await Deno.makeTempDir();
  const write = (name: string, text: string) =>
    Deno.writeTextFile(join(folder, name), text, { mode: 0o755 });
  await Deno.mkdir(join(folder, "bin"));
  await write("bin/scp", scp);
  await write("bin/ssh", ssh);
  for (const host of hosts) await Deno.mkdir(join(folder, host));
  const lines = (bytes: Uint8Array) =>
    new TextDecoder().decode(bytes).split("\n").filter((line) => line !== "").sort();
  return {
    folder,
    async run(...args) {
      const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
        args: ["run", "-A", "--quiet", deploy, ...args],
        env: {
          HOSTS: folder,
          PATH: `${join(folder, "bin")}${delimiter}${Deno.env.get("PATH")}`,
        },
      }).output();
      return { code, stdout: lines(stdout), stderr: lines(stderr) };
    },
    async program(version) {
      await write("kafka_consumer", `#!/bin/sh\necho kafka_consumer ${version}\n`);
      return join(folder, "kafka_consumer");
    },
    async on(host) {
      const files: Record<string, string> = {};
      for await (const { name } of Deno.readDir(join(folder, host))) {
        const path = join(folder, host, name);
        const { stdout } = await new Deno.Command(path).output();
        files[name] = new TextDecoder().decode(stdout).trim();
      }
      return files;
    },
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}

const v1 = "kafka_consumer 1";
const v2 = "kafka_consumer 2";

Deno.test("deploy: copies to every host, keeps the old program and restores it", async () => {
  await using site = await makeSite("sdw1", "sdw2");
  const hosts = ["--host", "sdw1,sdw2"];
  assert.deepEqual(await site.run(...hosts, await site.program("1")), {
    code: 0,
    stdout: [`sdw1: new ${v1}`, `sdw2: new ${v1}`],
    stderr: [],
  });
  assert.deepEqual(await site.on("sdw2"), { kafka_consumer: v1 });

  const none = await site.run(...hosts, "--rollback");
  assert.equal(none.code, 1);
  assert.match(none.stderr[0], /^sdw1: failed: ssh: .*\/kafka_consumer\.previous does not exist$/);

  await site.run(...hosts, await site.program("2"));
  const both = { kafka_consumer: v2, "kafka_consumer.previous": v1 };
  assert.deepEqual(await site.on("sdw1"), both);
  // Once more the same: the one kept is still the one before.
  const again = await site.run(...hosts, join(site.folder, "kafka_consumer"));
  assert.deepEqual(again.stdout, [`sdw1: same ${v2}`, `sdw2: same ${v2}`]);
  assert.deepEqual(await site.on("sdw1"), both);

  const back = await site.run("--host", "sdw1", "--rollback");
  assert.deepEqual(back.stdout, [`sdw1: back to ${v1}`]);
  const changed = { kafka_consumer: v1, "kafka_consumer.previous": v2 };
  assert.deepEqual([await site.on("sdw1"), await site.on("sdw2")], [changed, both]);
  await site.run("--host", "sdw1", "--rollback");
  assert.deepEqual(await site.on("sdw1"), both);
});

Deno.test("deploy: a statement that runs keeps its program", async () => {
  await using site = await makeSite("sdw1");
  await site.run("--host", "sdw1", await site.program("1"));
  const running = await Deno.open(join(site.folder, "sdw1", "kafka_consumer"));
  await site.run("--host", "sdw1", await site.program("2"));
  assert.match(await new Response(running.readable).text(), /echo kafka_consumer 1/);
});

Deno.test("deploy: a host that fails keeps what it had, and the others get theirs", async () => {
  await using site = await makeSite("sdw1");
  await site.run("--host", "sdw1", await site.program("1"));
  const { code, stdout, stderr } = await site.run("--host", "down,sdw1", await site.program("2"));
  assert.deepEqual([code, stdout], [1, [`sdw1: new ${v2}`]]);
  assert.deepEqual(stderr, [
    "1 of 2 hosts failed and keep what they had",
    "down: failed: scp: ssh: connect to host down: No route",
  ]);
});

Deno.test("deploy: a copy that differs or does not start is not put in place", async () => {
  await using site = await makeSite("sdw1");
  const kept = { kafka_consumer: v1 };
  await site.run("--host", "sdw1", await site.program("1"));

  await Deno.writeTextFile(join(site.folder, "garble"), "");
  const garbled = await site.run("--host", "sdw1", await site.program("2"));
  assert.match(garbled.stderr.join("\n"), /sdw1: failed: ssh: the copy has SHA-256 [0-9a-f]{64}$/);
  assert.deepEqual(await site.on("sdw1"), kept);
  await Deno.remove(join(site.folder, "garble"));

  await Deno.writeTextFile(await site.program("2"), "#!/bin/sh\necho no such libc >&2; exit 1\n");
  const broken = await site.run("--host", "sdw1", join(site.folder, "kafka_consumer"));
  assert.match(broken.stderr.join("\n"), /ssh: it does not start there: no such libc$/);
  assert.deepEqual(await site.on("sdw1"), kept);
});

Deno.test("deploy: hosts from a file, as a user, to a folder", async () => {
  await using site = await makeSite("gpadmin@sdw1", "gpadmin@sdw2");
  const list = join(site.folder, "list");
  await Deno.writeTextFile(list, "# segments\nsdw1\n\nsdw2  # the second\nsdw1\n");
  for (const host of ["sdw1", "sdw2"]) {
    await Deno.mkdir(join(site.folder, `gpadmin@${host}`, "it's"));
  }
  const flags = ["--hosts", list, "--user", "gpadmin", "--to", "it's"];
  const { code, stdout } = await site.run(...flags, await site.program("1"));
  assert.deepEqual([code, stdout.length], [0, 2]);
  assert.deepEqual(await site.on("gpadmin@sdw2/it's"), { kafka_consumer: v1 });
});

Deno.test("deploy: what it cannot do is reported, and --print changes nothing", async () => {
  await using site = await makeSite("sdw1");
  const program = await site.program("1");
  const cases: [string[], RegExp][] = [
    [[program], /^No hosts: use --host H1,H2 or --hosts FILE$/],
    [["--host", "-oProxyCommand=x", program], /ambiguous|cannot be the name of a host/],
    [["--host=-oProxyCommand=x", program], /"-oProxyCommand=x" cannot be the name of a host/],
    [["--hosts", "/nowhere", program], /^--hosts: cannot read "\/nowhere"/],
    [["--host", "sdw1", "/nowhere"], /^Cannot read "\/nowhere".*deno task compile makes it$/],
    [["--host", "sdw1", "--rollback", "--print"], /exclude each other/],
    [["--host", "sdw1", "a", "b"], /^One file at a time/],
    [["--nope"], /^Unknown option '--nope'/],
  ];
  await Promise.all(cases.map(async ([args, message]) => {
    const { code, stderr } = await site.run(...args);
    assert.deepEqual([code, stderr.length], [1, 1], stderr.join("\n"));
    assert.match(stderr[0], message);
  }));
  const { stdout } = await site.run("--print", program);
  assert.ok(stdout.some((line) => line.startsWith(`gpscp -f hosts ${program} =:/home/gpadmin/`)));
  assert.ok(stdout.some((line) => line.startsWith(`gpsync -f hosts ${program} =:/home/gpadmin/`)));
  assert.deepEqual(await site.on("sdw1"), {});
});

Deno.test({ name: "a word for a shell", permissions: "none" }, () => {
  assert.equal(quote("it's $HOME"), "'it'\\''s $HOME'");
});
