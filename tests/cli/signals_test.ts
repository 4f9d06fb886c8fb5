/** What a process still does when a signal ends it, and for how long. */
import assert from "node:assert/strict";

/** A program with these milliseconds of work to do at its end, which gets these signals. */
async function end(work: number, signals: number) {
  const source = `
    import { exitWhenDone, beforeExit } from "${new URL(
    "../../lib/cli/signals.ts",
    import.meta.url,
  )}";
    if (${work} > 0) beforeExit(() => new Promise((done) => setTimeout(() => {
      console.log("done");
      done();
    }, ${work})));
    const started = performance.now();
    const exit = () => {
      console.log(Math.round(performance.now() - started));
      Deno.exit(143);
    };
    for (let i = 0; i < ${signals}; i++) setTimeout(() => exitWhenDone(exit), 100 * i);
  `;
  const args = ["eval", source];
  const { stdout } = await new Deno.Command(Deno.execPath(), { args }).output();
  const said = new TextDecoder().decode(stdout).trim().split("\n");
  return { isDone: said[0] === "done", ms: Number(said.at(-1)) };
}

Deno.test("a signal's end waits for what is still to be done, up to a second; a second signal does not", async () => {
  const [nothing, slow, endless, twice] = await Promise.all([
    end(0, 1),
    end(400, 1),
    end(60_000, 1),
    end(60_000, 2),
  ]);
  assert.ok(!nothing.isDone && nothing.ms < 900, `${nothing.ms}`);
  assert.ok(slow.isDone && slow.ms >= 400, `${slow.ms}`);
  assert.ok(!endless.isDone && endless.ms >= 950 && endless.ms < 5000, `${endless.ms}`);
  assert.ok(!twice.isDone && twice.ms >= 100 && twice.ms < 950, `${twice.ms}`);
});
