import assert from "node:assert/strict";
import { startBroker } from "../../scripts/servers/broker.ts";
import { freePorts } from "../../scripts/servers/broker/ports.ts";
import { findBrowser, startBrowser } from "../../scripts/servers/browser.ts";
import { start } from "../support/cli.ts";
import { createTopic, produce, uniqueName } from "../support/kafka.ts";
import { addSource, installKafka, ownServer, startDatabase } from "../support/load.ts";

const TOKEN = "a-token-that-nobody-guesses";
const evil = `<img src=x onerror=alert(1)>&"'`;

const path = findBrowser();

Deno.test({
  name: path === null
    ? "status page: skipped, no browser is installed (Debian: apt-get install chromium)"
    : "status page: a browser shows sources, loads and errors, and what is new without a reload",
  ignore: path === null || !ownServer,
  async fn() {
    await using broker = await startBroker();
    await using pg = await startDatabase();
    await installKafka(pg);
    const topics: Record<string, string> = {};
    for (const [name, table] of [["orders", "orders"], [evil, "odd"]]) {
      topics[name] = uniqueName(table);
      await createTopic(broker, topics[name]);
      await pg.sql.unsafe(`CREATE TABLE ${table} (id int)`);
      await addSource(pg, broker, { name, topic: topics[name], table });
    }
    await produce(broker, topics.orders, [{ value: "1" }, { value: "2" }]);
    await produce(broker, topics[evil], [{ value: `<script>alert(1)</script>` }]);

    const folder = await Deno.makeTempDir();
    await Deno.writeTextFile(`${folder}/token`, `${TOKEN}\n`);
    const [port] = freePorts(1);
    const address = `127.0.0.1:${port}`;
    const child = start("main", [
      ...["load", "--all", "--dsn", pg.dsn, "--every", "200ms", "-q"],
      ...["--listen", address, "--listen-token-file", `${folder}/token`],
    ]);
    child.stdin.close();
    const output = Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
    ]);
    const browser = await startBrowser(path!);
    try {
      for (const deadline = Date.now() + 60_000;;) {
        const answer = await fetch(`http://${address}/`).then((answer) => answer, () => null);
        await answer?.body?.cancel();
        if (answer?.status === 401) break;
        assert.ok(Date.now() < deadline, "nothing listens");
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      const context = await browser.newContext({
        httpCredentials: { username: "me", password: TOKEN },
        colorScheme: "light",
      });
      const page = await context.newPage();
      const complaints: string[] = [];
      const requests: string[] = [];
      page.on("console", (message) => complaints.push(message.text()));
      page.on("pageerror", (error) => complaints.push(String(error)));
      page.on("dialog", (dialog) => {
        complaints.push(`dialog: ${dialog.message()}`);
        dialog.dismiss().catch(() => {});
      });
      page.on("request", (request) => requests.push(request.url()));
      await page.goto(`http://${address}/`);

      const row = page.locator("tbody tr", { hasText: "orders" }).first();
      await row.getByText("2", { exact: true }).first().waitFor();
      await page.getByText("1 of 2 sources failing").waitFor();
      const error = page.locator("li.bad");
      await error.getByText(`<script>alert(1)</script>`).waitFor();
      assert.match((await error.textContent())!, /<img src=x onerror=alert\(1\)>&"': /);
      assert.equal(await page.title(), "1 failing · gpdb-kafka load");
      assert.equal(await page.locator("img").count(), 0);

      // What is new comes by itself; the page is the same one.
      await page.evaluate("globalThis.mark = 1");
      await produce(broker, topics.orders, [{ value: "3" }, { value: "4" }, { value: "5" }]);
      await row.getByText("5", { exact: true }).first().waitFor({ timeout: 20_000 });
      await row.locator("svg polyline").waitFor({ state: "attached" });
      assert.equal(await page.evaluate("globalThis.mark"), 1);

      const ground = () => page.evaluate("getComputedStyle(document.body).backgroundColor");
      const light = await ground();
      await page.emulateMedia({ colorScheme: "dark" });
      assert.notEqual(await ground(), light);
      assert.ok(requests.every((url) => url === `http://${address}/`), requests.join());
      assert.deepEqual(complaints, []);
      assert.ok(!(await page.content()).includes(TOKEN));

      child.kill("SIGTERM");
      await page.locator("#stale").waitFor({ timeout: 20_000 });
    } finally {
      await browser.close();
      await Deno.remove(folder, { recursive: true });
    }
    assert.equal((await child.status).code, 143);
    assert.deepEqual(await output, ["", ""]);
  },
});
