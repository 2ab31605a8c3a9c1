// Seeded questions in the part of the language that Chronos, croner and cron-parser all claim to
// read in the same way: expression, zone, and from when to ask.

// mulberry32: small, seeded, good enough to pick test cases.
export function random(seed) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const between = (low, high) => low + Math.floor(next() * (high - low + 1));
  return { between, chance: (percent) => next() * 100 < percent, pick: (list) => list[between(0, list.length - 1)] };
}

// Zones with every kind of clock change: gaps of 30 and 60 minutes, at midnight, at 23:00 and at 01:00
// UTC, a lost day, the southern hemisphere, and none at all.
export const ZONES = [
  "UTC", "America/New_York", "America/Los_Angeles", "America/St_Johns", "America/Havana", "America/Sao_Paulo",
  "America/Santiago", "America/Nuuk", "America/Caracas", "Europe/London", "Europe/Berlin", "Europe/Dublin",
  "Africa/Cairo", "Africa/Casablanca", "Asia/Tehran", "Asia/Kabul", "Asia/Kolkata", "Asia/Kathmandu",
  "Asia/Beirut", "Asia/Gaza", "Asia/Tokyo", "Australia/Lord_Howe", "Australia/Sydney", "Pacific/Apia",
  "Pacific/Chatham", "Pacific/Auckland",
];

// Years whose clock changes every tz database of the last years tells alike.
export const FIRST_YEAR = 2001;
export const LAST_YEAR = 2021;

const MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const WEEKDAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

function item(rng, low, high, names) {
  const spell = (value) => (names && rng.chance(40) ? names[value - low] : String(value));
  let first = rng.between(low, high);
  let second = rng.between(low, high);
  if (first > second) [first, second] = [second, first];
  const width = high - low;
  switch (rng.between(0, 5)) {
    case 0:
      return `*/${rng.between(1, Math.max(1, Math.floor(width / 2)))}`;
    case 1:
      return first === second ? spell(first) : `${spell(first)}-${spell(second)}`;
    case 2: {
      const step = rng.between(1, Math.max(1, second - first));
      return first === second ? spell(first) : `${spell(first)}-${spell(second)}/${step}`;
    }
    default:
      return spell(first);
  }
}

function field(rng, low, high, openPercent, names) {
  if (rng.chance(openPercent)) return "*";
  const items = [item(rng, low, high, names)];
  while (items.length < 4 && rng.chance(12)) items.push(item(rng, low, high, names));
  return items.join(",");
}

function dayOfMonth(rng) {
  if (rng.chance(55)) return "*";
  if (rng.chance(12)) return "L";
  return field(rng, 1, 31, 0);
}

function dayOfWeek(rng) {
  if (rng.chance(60)) return "*";
  if (rng.chance(10)) return `${rng.pick(WEEKDAYS)}#${rng.between(1, 5)}`;
  if (rng.chance(8)) return `${rng.between(0, 6)}L`;
  return field(rng, 0, 6, 0, WEEKDAYS);
}

// Five or six fields, as people write them: most often at the night hours at which clocks change.
function expression(rng) {
  const seconds = rng.chance(15) ? `${field(rng, 0, 59, 10)} ` : "";
  const minutes = rng.chance(50) ? String(rng.between(0, 3) * 15) : field(rng, 0, 59, 10);
  const hours = rng.chance(50) ? String((22 + rng.between(0, 6)) % 24) : field(rng, 0, 23, 25);
  return `${seconds}${minutes} ${hours} ${dayOfMonth(rng)} ${field(rng, 1, 12, 75, MONTHS)} ${dayOfWeek(rng)}`;
}

const offsetFormats = new Map();

// Minutes east of UTC, from what Node itself knows.
export function offsetAt(zone, millis) {
  if (!offsetFormats.has(zone)) {
    offsetFormats.set(zone, new Intl.DateTimeFormat("en-US", {
      timeZone: zone, hourCycle: "h23", year: "numeric", month: "numeric", day: "numeric",
      hour: "numeric", minute: "numeric", second: "numeric",
    }));
  }
  const parts = {};
  for (const { type, value } of offsetFormats.get(zone).formatToParts(millis)) parts[type] = Number(value);
  const wall = Date.UTC(parts.year, parts.month - 1, parts.day, parts.hour, parts.minute, parts.second);
  return Math.round((wall - Math.floor(millis / 1000) * 1000) / 60000);
}

const MINUTE = 60_000;
const DAY = 86_400_000;

// The instants of [begin, end) at which the zone's offset changes, to the minute.
export function changesWithin(zone, begin, end) {
  const changes = [];
  for (let at = begin; at < end; at += DAY / 2) {
    let low = at;
    let high = Math.min(at + DAY / 2, end);
    if (offsetAt(zone, low) === offsetAt(zone, high)) continue;
    while (high - low > MINUTE) {
      const middle = low + Math.floor((high - low) / (2 * MINUTE)) * MINUTE;
      if (offsetAt(zone, middle) === offsetAt(zone, low)) low = middle;
      else high = middle;
    }
    changes.push(high);
  }
  return changes;
}

const changesOfYear = new Map();

function yearChanges(zone, year) {
  const key = `${zone} ${year}`;
  if (!changesOfYear.has(key)) {
    changesOfYear.set(key, changesWithin(zone, Date.UTC(year, 0, 1), Date.UTC(year + 1, 0, 1)));
  }
  return changesOfYear.get(key);
}

export function questions(seed, count) {
  const rng = random(seed);
  const made = [];
  while (made.length < count) {
    const tz = rng.pick(ZONES);
    const year = rng.between(FIRST_YEAR, LAST_YEAR);
    const changes = yearChanges(tz, year);
    // Half of them shortly before a clock change.
    const from = changes.length > 0 && rng.chance(50)
      ? rng.pick(changes) - rng.between(1, 30 * 60) * MINUTE
      : Date.UTC(year, rng.between(0, 11), rng.between(1, 28), rng.between(0, 23), rng.between(0, 59));
    made.push({ expr: expression(rng), tz, from: new Date(from).toISOString(), count: 4 });
  }
  return made;
}
