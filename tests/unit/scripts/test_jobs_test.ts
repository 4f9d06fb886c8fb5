import assert from "node:assert/strict";
import { count, type Job, runJobs, slowest } from "../../../scripts/test_jobs.ts";

Deno.test("test jobs: the last line of deno test says how many passed and failed", () => {
  const line = (text: string, success: boolean) => count(`a ... ok (1ms)\n\n${text}\n`, success);
  assert.deepEqual(line("ok | 3 passed (4 steps) | 0 failed | 1 ignored (2s)", true), {
    ...{ passed: 3, failed: 0 },
  });
  assert.deepEqual(line("FAILED | 1 passed | 2 failed (4 steps) (1s)", false), {
    ...{ passed: 1, failed: 2 },
  });
});

Deno.test("test jobs: a process that says nothing is one test, and fails by its status", () => {
  assert.deepEqual(count("", true), { passed: 1, failed: 0 });
  assert.deepEqual(count("error: no such file", false), { passed: 0, failed: 1 });
  // It passed its tests, and then did not end well.
  assert.deepEqual(count("ok | 3 passed | 0 failed (2s)", false), { passed: 3, failed: 1 });
});

Deno.test("test jobs: all of them run, so many at once, and each has its seconds", async () => {
  const pause = (name: string): Job => ({
    name,
    args: ["eval", "await new Promise((done) => setTimeout(done, 300))"],
  });
  const jobs = [pause("a"), pause("b"), { name: "c", args: ["eval", "Deno.exit(3)"] }];
  const outcomes = await runJobs(jobs, 2);
  assert.deepEqual(
    outcomes.map(({ name, passed, failed }) => [name, passed, failed]).sort(),
    [["a", 1, 0], ["b", 1, 0], ["c", 0, 1]],
  );
  assert.ok(outcomes.every(({ name, seconds }) => name === "c" || seconds >= 0.3));
  assert.match(slowest(outcomes, 2), /^ +\d\.\d s +[ab]\n +\d\.\d s +[ab]$/);
});
