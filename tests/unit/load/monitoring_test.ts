import assert from "node:assert/strict";
import { parse } from "yaml";
import { parseFlags } from "../../../lib/cli/flags.ts";
import { loadFlags, loadOptions } from "../../../lib/cli/flags/load.ts";
import { LoadMetrics } from "../../../lib/load/metrics.ts";
import { isInstalled } from "../../support/installed.ts";

const read = (path: string) => Deno.readTextFile(new URL(`../../../docs/${path}`, import.meta.url));

/** The names that Prometheus reads, each with its type. */
async function served(): Promise<Map<string, string>> {
  const metrics = new LoadMetrics(0);
  metrics.of("crimes");
  const text = await (await metrics.metrics()).text();
  return new Map([...text.matchAll(/^# TYPE (\w+) (\w+)/gm)].map(([, name, type]) => [name, type]));
}

/** Names of our metrics in expressions, as they are served. */
function named(expressions: readonly string[]): Set<string> {
  const names = expressions.flatMap((text) => text.match(/\bgpdb_kafka_\w+/g) ?? []);
  return new Set(names.map((name) => name.replace(/_seconds_(bucket|sum|count)$/, "_seconds")));
}

Deno.test("monitoring: every metric that an alert names is served; each alert says what to do", async () => {
  const known = await served();
  const { groups } = parse(await read("monitoring/alerts.yml"));
  const rules = groups.flatMap(({ rules }: { rules: Record<string, unknown>[] }) => rules);
  assert.ok(rules.length >= 6);
  for (const { alert, expr, labels, annotations } of rules) {
    for (const name of named([expr])) assert.ok(known.has(name), `${alert}: ${name}`);
    assert.match(alert, /^GpdbKafka[A-Z]\w+$/);
    assert.match(labels.severity, /^(critical|warning)$/);
    assert.ok(annotations.summary && annotations.description.length > 40, alert);
    // A counter only grows: its value alone says nothing.
    for (const name of named([expr])) {
      if (known.get(name) !== "counter" || alert === "GpdbKafkaLoadFails") continue;
      assert.match(expr, new RegExp(`(rate|increase)\\(${name}`), alert);
    }
  }
  const critical = rules.map(({ alert }: { alert: string }) => alert);
  const document = await read("monitoring.md");
  for (const alert of critical) assert.ok(document.includes(`\`${alert}\``), alert);
});

Deno.test("monitoring: the dashboard shows every metric, and no other", async () => {
  const { panels, templating } = JSON.parse(await read("monitoring/grafana.json"));
  const expressions = panels.flatMap(({ targets }: { targets: { expr: string }[] }) =>
    targets.map(({ expr }) => expr)
  );
  assert.deepEqual([...named(expressions)].sort(), [...(await served()).keys()].sort());
  for (const expr of expressions) {
    assert.match(expr, /\{source=~"\$source"\}/);
    assert.equal(expr.match(/\(/g)?.length, expr.match(/\)/g)?.length, expr);
  }
  const cells = new Set<string>();
  for (const { id, gridPos: { x, y, w, h } } of panels) {
    assert.ok(x >= 0 && x + w <= 24);
    for (let i = x; i < x + w; i++) for (let j = y; j < y + h; j++) cells.add(`${i},${j}`);
    assert.equal(panels.filter((other: { id: number }) => other.id === id).length, 1);
  }
  const area = panels.reduce(
    (sum: number, { gridPos: { w, h } }: { gridPos: { w: number; h: number } }) => sum + w * h,
    0,
  );
  assert.equal(cells.size, area); // no panel covers another
  assert.deepEqual(templating.list.map(({ name }: { name: string }) => name), [
    "datasource",
    "source",
  ]);
});

Deno.test("monitoring: the systemd unit starts a command that exists, and stops it in time", async () => {
  const unit = await read("monitoring/gpdb-kafka-load.service");
  const [, command] = /^ExecStart=\S+\/gpdb-kafka load (.+)$/m.exec(unit)!;
  const given = parseFlags(loadFlags, command.split(" "));
  const env = (name: string) => name === "DATABASE_URL" ? "postgres://h/d" : undefined;
  const options = loadOptions(given, env);
  assert.deepEqual([options.sources, options.every, options.listen?.isLoopback], [
    null,
    5000,
    true,
  ]);
  assert.match(unit, /^SuccessExitStatus=143$/m);
  assert.ok(Number(/^TimeoutStopSec=(\d+)$/m.exec(unit)![1]) > 5);
});

const promtool = await isInstalled("promtool", ["--version"]);

Deno.test({
  name: promtool
    ? "monitoring: alerts are raised by what they are for, and by nothing else"
    : "monitoring: alerts are not tried, promtool is not installed (Debian: apt-get install prometheus)",
  ignore: !promtool,
  async fn() {
    const path = new URL("alerts_promtool.yml", import.meta.url).pathname;
    const run = await new Deno.Command("promtool", { args: ["test", "rules", path] }).output();
    assert.ok(
      run.success,
      new TextDecoder().decode(run.stdout) + new TextDecoder().decode(run.stderr),
    );
  },
});
