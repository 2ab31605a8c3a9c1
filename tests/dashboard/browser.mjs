// Debian's Chromium, driven by playwright-core, and what every test does with a page.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Chronos } from "./chronos.mjs";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";
const PATIENCE_MS = 30_000;

function installLibraries() {
  if (existsSync(`${HERE}node_modules/playwright-core`) && existsSync(`${HERE}node_modules/axe-core`)) return;
  const done = spawnSync("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], { cwd: HERE, stdio: "inherit" });
  if (done.status !== 0) throw new Error("what drives the browser could not be installed: npm ci failed");
}

export async function openBrowser() {
  installLibraries();
  const { chromium } = await import("playwright-core");
  return chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"] });
}

export const AXE_SCRIPT = `${HERE}node_modules/axe-core/axe.min.js`;

/** A page of a new context; scripts that the page must not run, and errors, are kept in `page.faults`. */
export async function openPage(browser, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 860 }, reducedMotion: "reduce", ...options });
  context.setDefaultTimeout(PATIENCE_MS);
  return pageOf(context);
}

export async function pageOf(context) {
  const page = await context.newPage();
  page.faults = [];
  page.on("pageerror", (error) => page.faults.push(`error: ${error.message}`));
  page.on("console", (message) => {
    if (/Content Security Policy|This document requires 'Trusted/i.test(message.text())) page.faults.push(`policy: ${message.text()}`);
  });
  page.on("dialog", (dialog) => {
    page.faults.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  return page;
}

export async function logIn(page, server) {
  await page.goto(`${server.url}/`);
  await page.getByLabel("API key").fill(server.key);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByRole("heading", { name: "Overview", level: 1 }).waitFor();
}

/** A server of its own and a page that is logged in to it; `end` leaves nothing of them, nor does it when it fails. */
export async function begin() {
  const browser = await openBrowser(); // when there is none, no server is started
  let server;
  const end = async () => {
    try {
      await browser.close();
    } finally {
      await server?.stop();
    }
  };
  try {
    server = await Chronos.start();
    const page = await openPage(browser);
    await logIn(page, server);
    return { server, browser, page, end };
  } catch (error) {
    await end();
    throw error;
  }
}

/** The screens of the menu, once somebody is logged in; and the one that is behind a button. */
export async function screensOf(page) {
  const menu = await page.getByRole("navigation", { name: "Screens", includeHidden: true }).locator("a").evaluateAll((links) => links.map((link) => link.getAttribute("href")));
  if (menu.length < 2) throw new Error(`the menu has only these: ${menu}`);
  return [...menu, "/jobs/new"];
}

/** Opens a screen and waits until it has read what it shows. */
export async function show(page, server, path) {
  await page.goto(server.url + path);
  await page.locator("main#main h1").first().waitFor();
  await page.locator(".loading").first().waitFor({ state: "detached" });
}
