import assert from "node:assert/strict";
import { Series } from "../soak/series.ts";
import { tooMuch } from "../soak/watch.ts";
import { Random } from "../support/random.ts";

/** Memory of a process over `seconds`, a saw tooth of 10 MiB, that grows by `grows` MiB a minute. */
function course(seconds: number, grows: number, pids = 1) {
  const random = new Random(1);
  const series = new Series();
  for (let second = 0; second < seconds; second++) {
    const pid = 1 + Math.floor(second * pids / seconds);
    series.add(pid, second, 100 + second % 17 * 10 / 17 + random.next() + grows * second / 60);
  }
  return series.course(seconds / 5);
}

function faultsOf(memory: ReturnType<typeof course>): string[] {
  return tooMuch({ memory: { program: memory }, descriptors: {} });
}

Deno.test("soak: memory that grows is found, bursts and garbage collections are not growth", () => {
  assert.deepEqual(faultsOf(course(1800, 0)), []);
  assert.deepEqual(faultsOf(course(60, 0)), []);
  assert.match(
    faultsOf(course(1800, 1))[0],
    /^program: memory \(MiB\) grows by 2\d\.\d in 1439 s$/,
  );
  assert.match(faultsOf(course(60, 60))[0], /^program: memory \(MiB\) grows by/);
  assert.match(faultsOf(course(1800, 60)).at(-1)!, /^program: memory \(MiB\) is \d+$/);
});

Deno.test("soak: of a process that is replaced the longest life is judged, without its start", () => {
  assert.deepEqual(course(60, 0, 20).growth, 0, "lives of 3 s say nothing");
  const { lives, seconds } = course(1000, 0, 4);
  assert.equal(lives, 4);
  assert.equal(seconds, 49, "250 s without the first 200");
});
