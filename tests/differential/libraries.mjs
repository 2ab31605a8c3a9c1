// The two libraries, asked in the same way: the next `count` instants, or why not. Each is set up as
// its users would to have Chronos's meaning, where it has such a setting.
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const { Cron } = require("croner");
const { CronExpressionParser } = require("cron-parser");

function ask(next, count) {
  const times = [];
  try {
    while (times.length < count) {
      const at = next();
      if (at === null) break;
      times.push(`${at.toISOString().slice(0, 19)}Z`);
    }
  } catch (error) {
    return { times, error: String(error.message) };
  }
  return { times };
}

// "no-wildcard" is Chronos's own line between fixed times and intervals.
function croner({ expr, tz, from, count }) {
  let cron;
  try {
    cron = new Cron(expr, { timezone: tz, fixedTimeRule: "no-wildcard", paused: true });
  } catch (error) {
    return { times: [], error: String(error.message) };
  }
  let at = new Date(from);
  return ask(() => {
    const next = cron.nextRun(at);
    if (next !== null) at = next;
    return next;
  }, count);
}

function cronParser({ expr, tz, from, count }) {
  let parsed;
  try {
    parsed = CronExpressionParser.parse(expr, { currentDate: new Date(from), tz });
  } catch (error) {
    return { times: [], error: String(error.message) };
  }
  return ask(() => parsed.next().toDate(), count);
}

export const LIBRARIES = { croner, "cron-parser": cronParser };
