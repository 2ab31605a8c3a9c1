// THE table of known differences. Each names a library, why it differs, and how to tell: a difference
// that no rule explains fails the test.
import { changesWithin, offsetAt } from "./generate.mjs";

const DAY = 86_400_000;

const fieldsOf = (expr) => expr.split(" ");

// The same expression with every "*/1" of the day fields written out as a range, which restricts.
function withoutStepOne(expr) {
  const fields = fieldsOf(expr);
  const rewrite = (index, range) => {
    const at = fields.length + index;
    fields[at] = fields[at].split(",").map((item) => (item === "*/1" ? range : item)).join(",");
  };
  rewrite(-3, "1-31");
  rewrite(-1, "0-6");
  return fields.join(" ");
}

const millis = (times) => times.map((time) => Date.parse(time));

// The clock changes that can matter to a question and its answers.
function changesAround({ tz, from }, ours, theirs) {
  const last = Math.max(Date.parse(from) + 2 * DAY, ...millis(ours), ...millis(theirs));
  // A schedule may fire once in years: look near the instants only.
  const points = [Date.parse(from), ...millis(ours), ...millis(theirs)].filter((at) => at <= last);
  const found = new Set();
  for (const at of points) for (const change of changesWithin(tz, at - DAY, at + 2 * DAY)) found.add(change);
  return [...found];
}

function differOnlyNear(changes, ours, theirs) {
  const isFar = (at) => changes.every((change) => Math.abs(at - change) > DAY);
  const end = Math.min(Math.max(...ours, 0), Math.max(...theirs, 0));
  const far = (times) => times.filter((at) => isFar(at) && at <= end).join();
  return far(ours) === far(theirs);
}

function firstDifference(ours, theirs) {
  for (let i = 0; i < Math.max(ours.length, theirs.length); ++i) {
    if (ours[i] !== theirs[i]) return Math.min(ours[i] ?? Infinity, theirs[i] ?? Infinity);
  }
  return Infinity;
}

// Whether both agree but for the days around clock changes, the first of which is a gap or an overlap.
function isAtChange({ question, ours, theirs }, isWanted) {
  if (theirs.error) return false;
  const changes = changesAround(question, ours.next, theirs.times);
  const first = firstDifference(millis(ours.next), millis(theirs.times));
  const change = changes.find((at) => Math.abs(at - first) <= DAY);
  if (change === undefined) return false;
  const moved = offsetAt(question.tz, change) - offsetAt(question.tz, change - 60_000);
  return isWanted(moved) && differOnlyNear(changes, millis(ours.next), millis(theirs.times));
}

// `rewritten`: the difference is explained if Chronos answers the rewritten expression as they do.
export const RULES = [
  {
    name: "*/1 restricts a day field",
    libraries: ["croner", "cron-parser"],
    reason: "beside another day field we take */1 for *, as Vixie does; they take it for 1-31",
    rewritten: ({ expr }) => withoutStepOne(expr),
  },
  {
    name: "no value twice",
    libraries: ["cron-parser"],
    reason: "lists whose items overlap are legal here and in cron",
    explains: ({ theirs }) => /duplicate values found/.test(theirs.error ?? ""),
  },
  {
    name: "lost at a clock change",
    libraries: ["cron-parser"],
    reason: "it gives up in zones whose clock changes by half an hour, or is off by one",
    explains: ({ question, ours, theirs }) => {
      if (!/loop limit exceeded/.test(theirs.error ?? "")) return false;
      const told = theirs.times.length;
      const same = ours.next.slice(0, told);
      const changes = changesAround(question, same, theirs.times);
      if (!differOnlyNear(changes, millis(same), millis(theirs.times))) return false;
      const at = millis([ours.next[told] ?? question.from, theirs.times[told - 1] ?? question.from]);
      return at.some((time) => changesWithin(question.tz, time - 2 * DAY, time + 2 * DAY).length > 0);
    },
  },
  {
    name: "gaps are jumped by the hour",
    libraries: ["cron-parser"],
    reason: "a time in a gap comes at its own minute of the next hour, for intervals too; we take the end of the gap, "
      + "and nothing for intervals",
    explains: (difference) => isAtChange(difference, (moved) => moved > 0),
  },
  {
    name: "some overlaps are passed once",
    libraries: ["cron-parser"],
    reason: "an interval with a plain hour runs in one pass only, a fixed time now and then in the second; we run "
      + "intervals in both passes and fixed times in the first",
    explains: (difference) => isAtChange(difference, (moved) => moved < 0),
  },
];
