import assert from "node:assert/strict";
import { progressText } from "../../../lib/cli/progress.ts";

Deno.test({
  name: "progress: rows and speed; percent and time left if the input's size is known",
  permissions: "none",
  fn() {
    const progress = { read: 1_500_000, delivered: 1_200_000, bytes: 298_500_000 };
    const rows = "1,200,000 rows delivered of 1,500,000 read  149.3 MB/s";
    assert.equal(progressText(progress, 2000, null), rows);
    assert.equal(progressText(progress, 2000, 400_000_000), `${rows}  75%  1 s left`);
    assert.equal(progressText(progress, 2000, 1000), `${rows}  100%  0 s left`);
    const none = { read: 0, delivered: 0, bytes: 0 };
    assert.equal(progressText(none, 0, 100), "0 rows delivered of 0 read  0.0 MB/s  0%");
  },
});
