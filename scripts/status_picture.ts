/**
 * Takes the picture of the status page in docs/monitoring.md: `deno task picture`. The page is the
 * real one, in a real browser; its sources are made up.
 */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Loaded } from "../lib/load/database.ts";
import { HttpServer } from "../lib/load/http.ts";
import { LoadMetrics } from "../lib/load/metrics.ts";
import { LoadSite } from "../lib/load/site.ts";
import { SourceStatus } from "../lib/load/status.ts";
import { findBrowser, startBrowser } from "./servers/browser.ts";

const root = fileURLToPath(new URL("../", import.meta.url));
const path = join(root, "docs/pictures/status-page.png");
const HOUR = 3_600_000;

/** A source that has loaded for an hour, a load each 20 s. */
function madeUp(name: string, rows: number, lagAt: (part: number) => number): SourceStatus {
  const end = Date.now();
  let now = end - HOUR;
  const source = new SourceStatus(name, () => now);
  let loadNo = 4000;
  while (now < end - 25_000) {
    now += 20_000;
    const part = 1 - (end - now) / HOUR;
    const wave = 1 + 0.3 * Math.sin(loadNo * 1.7);
    const load = {
      rows: Math.round(rows * wave),
      records: Math.round(rows * wave) + 2,
      lag: Math.round(Math.max(0, lagAt(part) * wave)),
      seconds: 0.3 + rows * wave / 200_000,
      reason: "end",
      loadNo: ++loadNo,
    };
    source.loading();
    source.loaded({ ...nothing, ...load } as Loaded);
    source.waiting();
  }
  now = end;
  return source;
}

const nothing = { updated: 0, deleted: 0, filtered: 0, rejected: 0, lost: 0 };

function examples(): SourceStatus[] {
  const orders = madeUp("orders", 48_000, (part) => part < 0.55 ? 900 : 52_000 * (1 - part) ** 2);
  const items = madeUp("order_items", 121_000, (part) => 2500 + 1800 * Math.sin(part * 20));
  const crimes = madeUp("crimes", 900, () => 0);
  const clicks = madeUp("clicks", 310_000, (part) => 40_000 + 400_000 * part ** 3);
  crimes.rejected = 17;
  clicks.failed(
    'topic "clicks" partition 3 has the offsets 88120 to 91400, but source "clicks" stands at 87311; ' +
      "Records were deleted before they were loaded. (SQLSTATE 22000) — kafka.seek moves the " +
      "source past the deleted records, which are lost",
  );
  return [orders, items, crimes, clicks];
}

if (import.meta.main) {
  const browserPath = findBrowser();
  if (browserPath === null) {
    console.error("cannot take the picture: no browser — Debian: apt-get install chromium");
    Deno.exit(1);
  }
  const sources = examples();
  const site = new LoadSite(new LoadMetrics(5000), sources, { token: null, localOnly: true });
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const server = new HttpServer(listener, site.answer);
  const browser = await startBrowser(browserPath);
  try {
    const page = await browser.newPage({
      viewport: { width: 1060, height: 720 },
      colorScheme: "light",
    });
    await page.goto(`http://127.0.0.1:${(listener.addr as Deno.NetAddr).port}/`);
    await page.screenshot({ path });
  } finally {
    await browser.close();
    await server.close();
  }
  console.log(`${path}  ${(Deno.statSync(path).size / 1000).toFixed(0)} KB`);
}
