// Keys: what they are worth, made once, their secret shown once.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { begin, show } from "./browser.mjs";

const { server, page, end } = await begin();
after(end);

const keysCalled = async (name) => (await server.call("GET", "/api/keys")).keys.filter((key) => key.name === name);

test("a key that has expired is not called live", async () => {
  await server.call("POST", "/api/keys", { name: "brief", role: "viewer", expires_in: "1s" });
  await show(page, server, "/keys");
  await page.locator("tbody tr", { hasText: "brief" }).getByText("Expired").waitFor(); // by itself
  await page.locator("tbody tr", { hasText: "admin" }).first().getByText("Live").waitFor();
});

test("two clicks make one key, and a click beside its secret does not take it away", async () => {
  await show(page, server, "/keys");
  await page.getByRole("button", { name: "New key" }).click();
  let let_through;
  const held = new Promise((resolve) => (let_through = resolve));
  await page.route((url) => url.pathname === "/api/keys", async (route) => {
    if (route.request().method() === "POST") await held;
    await route.continue();
  });
  await page.getByLabel("Name").fill("made once");
  const button = page.getByRole("button", { name: "Make the key" });
  await button.dblclick();
  assert.equal(await button.isDisabled(), true);
  let_through();
  const secret = page.getByRole("dialog", { name: "Key made once" });
  await secret.getByText("Copy it now").waitFor();
  await page.mouse.click(5, 5);
  await page.mouse.click(5, 400);
  assert.match(await secret.getByLabel("The new key").innerText(), /^chr_key_/);
  assert.equal((await keysCalled("made once")).length, 1);
  await secret.getByRole("button", { name: "I have it" }).click();
  await secret.waitFor({ state: "detached" });
});
