// Takes the pictures of docs/screenshots from `chronos demo`.
//
//   node screenshots.mjs FOLDER [NAME…]     without names a few that show the most
//
// A name is a screen and a look: overview-light, calendar-dark, runs-phone.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { logIn, openBrowser, openPage, show } from "./browser.mjs";
import { Chronos } from "./chronos.mjs";

const WIDE = { width: 1280, height: 800 };
const PHONE = { width: 360, height: 740 };
const LOOKS = {
  light: { viewport: WIDE, colorScheme: "light" },
  dark: { viewport: WIDE, colorScheme: "dark" },
  phone: { viewport: PHONE, colorScheme: "light", hasTouch: true, isMobile: true },
};
const A_FEW = ["overview-light", "overview-dark", "jobs-light", "grid-dark"];

const [folder, ...asked] = process.argv.slice(2);
if (!folder) throw new Error("usage: node screenshots.mjs FOLDER [NAME…]");
mkdirSync(folder, { recursive: true });

/** screen → address */
async function places(server) {
  const [failed] = (await server.call("GET", "/api/runs?state=failed&limit=1")).runs;
  const job = (await server.call("GET", "/api/jobs?status=scheduled&limit=50")).jobs.find((one) => one.cron && one.counts.succeeded > 0);
  return {
    overview: "/", jobs: "/jobs", job: `/jobs/${job.id}`, versions: `/jobs/${job.id}?tab=versions`, edit: `/jobs/${job.id}/edit`,
    runs: "/runs", run: `/runs/${failed.id}`, calendar: "/calendar", grid: "/calendar?view=past&range=7d", queues: "/queues", nodes: "/nodes",
    channels: "/channels", keys: "/keys", audit: "/audit", settings: "/settings",
  };
}

const browser = await openBrowser();
let server;
try {
  server = await Chronos.start({ demo: true });
  const addresses = await places(server);
  for (const name of asked.length > 0 ? asked : A_FEW) {
    const [screen, look] = name.split("-");
    if (!addresses[screen] || !LOOKS[look]) throw new Error(`${name}: screens are ${Object.keys(addresses).join(", ")}; looks are ${Object.keys(LOOKS).join(", ")}`);
    const page = await openPage(browser, LOOKS[look]);
    await logIn(page, server);
    await show(page, server, addresses[screen]);
    for (const chart of await page.locator(".chart").all()) await chart.locator("canvas").waitFor();
    await page.mouse.move(0, 0);
    await page.screenshot({ path: join(folder, `${name}.png`) });
    console.log(`${name}.png`);
    await page.context().close();
  }
} finally {
  await browser.close();
  await server?.stop();
}
