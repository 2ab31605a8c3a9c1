// The questions of bench/cron_bench.cc put to croner and cron-parser: microseconds of one next().
// CPU time, as cron_bench has it: the machine may be busy. Reads JSON lines {"name","expr","tz"}, writes {"name","croner","cron-parser"}; null where a library
// cannot read the expression. The libraries are those of tests/differential.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(new URL("../tests/differential/", import.meta.url));
const { Cron } = require("croner");
const { CronExpressionParser } = require("cron-parser");

const FROM = new Date("2026-01-01T00:00:00Z");
const MEASURED_US = 300_000;

// Each goes from one instant to the next, and from the start again when the schedule ends.
const LIBRARIES = {
  croner({ expr, tz }) {
    const cron = new Cron(expr, { timezone: tz, fixedTimeRule: "no-wildcard", paused: true });
    let at = FROM;
    return () => {
      at = cron.nextRun(at) ?? FROM;
    };
  },
  "cron-parser"({ expr, tz }) {
    const cron = CronExpressionParser.parse(expr, { currentDate: FROM, tz });
    return () => cron.next();
  },
};

function microseconds(make, question) {
  let next;
  try {
    next = make(question);
    for (let i = 0; i < 50; ++i) next();
  } catch {
    return null;
  }
  const begun = process.cpuUsage();
  let count = 0;
  let elapsed = 0;
  try {
    while (elapsed < MEASURED_US) {
      for (let i = 0; i < 10; ++i) next();
      count += 10;
      const used = process.cpuUsage(begun);
      elapsed = used.user + used.system;
    }
  } catch {
    return null;
  }
  return elapsed / count;
}

for (const line of readFileSync(0, "utf8").trimEnd().split("\n")) {
  const question = JSON.parse(line);
  const answer = { name: question.name };
  for (const [name, make] of Object.entries(LIBRARIES)) answer[name] = microseconds(make, question);
  console.log(JSON.stringify(answer));
}
