/** A compiled consumer, copied to where nothing else is, as on a segment host. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { type Broker, startBroker } from "../../scripts/servers/broker.ts";
import { programs } from "../../scripts/compile/programs.ts";
import { binaries, consumerPath } from "../support/binaries.ts";
import { text } from "../support/cli.ts";
import { createTopic, produce, uniqueName } from "../support/kafka.ts";

const ignore = !binaries;
const MOST_BYTES = 100e6;

Deno.test({ name: "binary: each is one file of at most 100 MB", ignore }, async () => {
  for (const { name } of programs) {
    const { size } = await Deno.stat(`${binaries}/${name}`);
    console.log(`${name}: ${(size / 1e6).toFixed(1)} MB`);
    assert.ok(size <= MOST_BYTES, `${name}: ${size} bytes`);
  }
});

Deno.test({
  name: "binary: the archive and the programs have the sums of SHA256SUMS",
  ignore,
  async fn() {
    const folder = join(binaries!, "..");
    const { code, stdout, stderr } = await new Deno.Command("sha256sum", {
      args: ["--check", "SHA256SUMS"],
      cwd: folder,
    }).output();
    assert.equal(code, 0, text(stderr));
    const checked = text(stdout).trimEnd().split("\n");
    assert.equal(checked.length, programs.length + 1, text(stdout));
    assert.match(text(stdout), /^gpdb-kafka-\S+\.tar\.gz: OK$/m);
  },
});

/** Another user, who owns nothing. */
const nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];

/** Everything is mounted read-only for the one process that then is started. */
const readOnly = `
set -e
while read -r _ path _; do
  case $path in /proc*|/sys*|/dev*) ;; *) mount -o remount,bind,ro "$path" ;; esac
done </proc/self/mounts
cd "$PWD"
if touch x 2>/dev/null; then echo "it can be written all the same" >&2; exit 1; fi
exec "$@"
`;

/** Ways to start a command in a folder that holds the consumer alone. */
const ways = {
  "with no environment": ["env", "-i"],
  "as another user": [...nobody, "env", "-i"],
  "on a file system that can't be written": [
    ...["unshare", "--mount", "sh", "-c", readOnly, "sh"],
    ...[...nobody, "env", "-i"],
  ],
};

Deno.test(
  { name: "binary: it loads from an empty folder, without other files", ignore },
  async (t) => {
    await using broker = await startBroker();
    const topic = await filledTopic(broker);
    const folder = await Deno.makeTempDir();
    try {
      await Deno.chmod(folder, 0o755);
      await Deno.copyFile(consumerPath, join(folder, "kafka_consumer"));
      const args = ["./kafka_consumer", "-b", broker.bootstrap, "-t", topic, "--commit", "no"];
      for (const [name, [command, ...rest]] of Object.entries(ways)) {
        const why = await cannotStart(folder, [command, ...rest]);
        if (why) console.log(`left out: ${name}: ${why}`);
        await t.step({
          name,
          ignore: why !== undefined,
          fn: async () => {
            const { code, stdout, stderr } = await new Deno.Command(command, {
              args: [...rest, ...args],
              cwd: folder,
            }).output();
            assert.deepEqual([code, text(stderr)], [0, ""]);
            const rows = text(stdout).trimEnd().split("\n").sort();
            assert.deepEqual(rows, Array.from({ length: 8 }, (_, partition) => `${partition},x`));
          },
        });
      }
      assert.deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name), ["kafka_consumer"]);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
);

/** Why a way can't be gone here: in a sandbox, or as an ordinary user, some can't. */
async function cannotStart(cwd: string, [command, ...args]: string[]): Promise<string | undefined> {
  try {
    const options = { args: [...args, "true"], cwd };
    const { success, stderr } = await new Deno.Command(command, options).output();
    return success ? undefined : text(stderr).trim().split("\n").at(-1) || "it fails";
  } catch (error) {
    return (error as Error).message;
  }
}

Deno.test({ name: "binary: 100 at the same time all succeed", ignore }, async () => {
  await using broker = await startBroker();
  const topic = await filledTopic(broker);
  const started = performance.now();
  const runs = await Promise.all(Array.from({ length: 100 }, async (_, index) => {
    const slot = `${index % 8}/8`;
    const args = ["-b", broker.bootstrap, "-t", topic, "--commit", "no", "--slot", slot];
    const { code, stdout, stderr } = await new Deno.Command(consumerPath, { args }).output();
    return { code, rows: text(stdout), said: text(stderr) };
  }));
  console.log(`100 at once: ${((performance.now() - started) / 1000).toFixed(1)} s`);
  runs.forEach((run, index) => {
    assert.deepEqual(run, { code: 0, rows: `${index % 8},x\n`, said: "" });
  });
});

/** A topic with one row in each of 8 partitions. */
async function filledTopic(broker: Broker): Promise<string> {
  const topic = uniqueName("binary");
  await createTopic(broker, topic, { partitions: 8 });
  for (let partition = 0; partition < 8; partition++) {
    await produce(broker, topic, [{ value: `${partition},x` }], partition);
  }
  return topic;
}
