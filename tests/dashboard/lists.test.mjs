// Lists: what of them was looked at, what a row says, what can be done with it.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { begin, show } from "./browser.mjs";

const { server, page, end } = await begin();
after(end);

const HTTP = { kind: "http", url: "http://127.0.0.1:9/" };

/** As a server answers that looks at a bounded number of rows for each page: `rows` by the number of the page. */
async function longList(path, field, rows) {
  await page.route((url) => url.pathname === path, (route) => {
    const at = Number(new URL(route.request().url()).searchParams.get("cursor") ?? 0);
    return route.fulfill({ json: { [field]: rows[at] ?? [], next: at < 24 ? String(at + 1) : null } });
  });
}

test("nothing matches is only said when all was looked at", async () => {
  await server.submit({ name: "far back", cron: "0 0 1 1 *", action: HTTP });
  const { jobs } = await server.call("GET", "/api/jobs?name=far&strip=1");
  for (const [path, api, field, what] of [
    ["/jobs?q=name:far", "/api/jobs", "jobs", "No job matches"], ["/runs?q=state:lost", "/api/runs", "runs", "No run matches"],
    ["/audit?q=action:key.revoke", "/api/audit", "entries", "No change matches"], ["/calendar?view=past&q=name:far", "/api/grid", "jobs", "No job matches"],
  ]) {
    await longList(api, field, {});
    await show(page, server, path);
    await page.getByText("None found so far").waitFor();
    assert.equal(await page.getByText(what).count(), 0, path);
    await page.getByRole("button", { name: "Look further" }).click();
    await page.getByText("Page 2, 0").waitFor();
    await page.getByRole("button", { name: "Look further" }).click();
    await page.getByText(what).waitFor(); // the end of it
    await page.unrouteAll();
  }
  await longList("/api/jobs", "jobs", { 12: jobs });
  await show(page, server, "/jobs?q=name:far");
  await page.getByRole("button", { name: "Look further" }).click();
  await page.getByRole("link", { name: "far back" }).waitFor();
  await page.keyboard.press("Control+k");
  await page.getByRole("combobox", { name: "Screen or job" }).fill("far");
  await page.getByRole("option", { name: "Look further for jobs called far" }).waitFor();
  assert.equal(await page.getByText("Nothing is called so.").count(), 0);
  await page.keyboard.press("Escape");
  await page.unrouteAll();
});

test("a recurring job whose last run failed says so in its row", async () => {
  const job = await server.shell("fails at night", "exit 3", { cron: "0 0 1 1 *" });
  await server.call("POST", `/api/jobs/${job.id}/run`, {});
  await server.run(job, "failed");
  await show(page, server, "/jobs?q=name:night");
  await page.locator('tbody [data-label="Status"]', { hasText: "Scheduled" }).waitFor();
  await page.locator('tbody [data-label="Last"]').getByText("Failed").waitFor();
});

test("the menu of the only row is seen whole, and Escape goes back to its button", async () => {
  await server.call("POST", "/api/channels", { name: "ops", kind: "webhook", url: "http://127.0.0.1:9/" });
  for (const [path, label] of [["/channels", "Actions for ops"], ["/keys", /^Actions for /]]) {
    await show(page, server, path);
    const button = page.getByRole("button", { name: label });
    await button.click();
    const last = page.locator(".menu .risky");
    const seen = await last.evaluate((item) => {
      const { left, right, top, bottom } = item.getBoundingClientRect();
      return [[left + 2, bottom - 2], [right - 2, top + 2]].every(([x, y]) => document.elementFromPoint(x, y)?.closest("button") === item);
    });
    assert.ok(seen, path);
    await page.keyboard.press("Escape");
    await last.waitFor({ state: "detached" });
    assert.equal(await button.evaluate((one) => one === document.activeElement), true);
  }
});

test("states of runs are found as those of jobs are, and what a search leaves out is said", async () => {
  await show(page, server, "/runs?q=status:failed");
  await page.getByRole("link", { name: "Run of fails at night, failed" }).waitFor();
  assert.equal(await page.getByText("Not understood").count(), 0);
  await show(page, server, "/runs?q=tag:a%20tag:b");
  await page.getByText("Not understood: tag:a.").waitFor();
});
