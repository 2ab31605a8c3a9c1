"""When a schedule fires, worked out a second time, from docs/schedules.md and the standard library alone.

Shares nothing with src/schedule: zoneinfo instead of Abseil, Python's dates, no search but a walk over days. It knows
`*`, lists, ranges, steps, names and `L`; the rigs use no more.
"""
import bisect
import datetime
import functools
import re
import zoneinfo

UTC = datetime.timezone.utc
DAY = datetime.timedelta(days=1)
EPOCH = datetime.date(1970, 1, 1)
MONTHS = "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split()
WEEKDAYS = "SUN MON TUE WED THU FRI SAT".split()
NICKNAMES = {"@yearly": "0 0 1 1 *", "@monthly": "0 0 1 * *", "@weekly": "0 0 * * SUN", "@daily": "0 0 * * *",
             "@hourly": "0 * * * *", "@minutely": "* * * * *", "@secondly": "* * * * * *"}


def number(text, names, first):
    return first + names.index(text.upper()) if text.upper() in names else int(text)


def values(field, low, high, names=(), first=0):
    """What the items of a field name."""
    found = set()
    for item in field.split(","):
        span, _, step = item.partition("/")
        if span == "*":
            begin, end = low, high
        else:
            begin, _, end = span.partition("-")
            begin = number(begin, names, first)
            end = number(end, names, first) if end else (high if step else begin)
        if names == WEEKDAYS and end < begin:  # FRI-SUN
            end += 7
        found.update(range(begin, end + 1, int(step or 1)))
    return found


class Cron:
    def __init__(self, text):
        fields = NICKNAMES.get(text, text).split()
        seconds, minutes, hours, dates, months, weekdays = fields if len(fields) == 6 else ["0", *fields]
        self.times = [datetime.time(h, m, s) for h in sorted(values(hours, 0, 23)) for m in sorted(values(minutes, 0, 59))
                      for s in sorted(values(seconds, 0, 59))]
        self.is_interval = bool(re.search(r"[*/]", "".join((seconds if len(fields) == 6 else "", minutes, hours))))
        self.any_date, self.any_weekday = dates == "*", weekdays == "*"
        self.has_last = "L" in dates.split(",")
        self.dates = values(",".join(item for item in dates.split(",") if item != "L") or "0", 1, 31)
        self.months = values(months, 1, 12, MONTHS, 1)
        self.weekdays = {day % 7 for day in values(weekdays, 0, 7, WEEKDAYS)}

    def seconds_within(self, begin, until):
        """Of a day; the times in (begin, until]."""
        seconds = [time.hour * 3600 + time.minute * 60 + time.second for time in self.times]
        return seconds[bisect.bisect_right(seconds, begin):bisect.bisect_right(seconds, until)]

    def is_on(self, day):
        if day.month not in self.months:
            return False
        by_date = day.day in self.dates or (self.has_last and (day + DAY).day == 1)
        by_weekday = day.isoweekday() % 7 in self.weekdays
        if self.any_date or self.any_weekday:
            return (self.any_date or by_date) and (self.any_weekday or by_weekday)
        return by_date or by_weekday


@functools.lru_cache(None)
def zone_of(name):
    return zoneinfo.ZoneInfo(name)


def utc_of(reading, zone, fold):
    """In seconds since 1970."""
    return int(reading.replace(tzinfo=zone, fold=fold).timestamp())


def reading_at(seconds, zone):
    return datetime.datetime.fromtimestamp(seconds, UTC).astimezone(zone).replace(tzinfo=None, fold=0)


def end_of_gap(before, after, zone):
    """The first instant in (before, after] with the later offset."""
    offset = reading_at(before, zone) - datetime.datetime.fromtimestamp(before, UTC).replace(tzinfo=None)
    while after - before > 1:
        middle = (before + after) // 2
        there = reading_at(middle, zone) - datetime.datetime.fromtimestamp(middle, UTC).replace(tzinfo=None)
        before, after = (middle, after) if there == offset else (before, middle)
    return after


def resolve(reading, zone, is_interval, skips):
    """The instants at which a clock on the wall shows the reading, by the rules for clock changes."""
    first, second = utc_of(reading, zone, 0), utc_of(reading, zone, 1)
    if first == second:
        return [first]
    if first > second:  # in a gap: the two passes lie on its other sides
        return [] if is_interval or skips else [end_of_gap(second - 1, first, zone)]
    return [first, second] if is_interval and not skips else [first]


def steady_offset(begin, until, zone):
    """What the zone's readings are ahead of UTC in all of [begin, until], or nothing when its clocks change there."""
    offsets = {zone.utcoffset(reading_at(at, zone)) for at in range(begin, until + 3600, 3600)}
    return int(offsets.pop().total_seconds()) if len(offsets) == 1 else None


def cron_instants(text, begin, until, zone="UTC", skips=False):
    """Those in (begin, until], in seconds since 1970, sorted."""
    cron, where = Cron(text), zone_of(zone)
    day, last = reading_at(begin, where).date() - DAY, reading_at(until, where).date() + DAY
    offset = steady_offset(begin - 2 * 86400, until + 2 * 86400, where)
    found = set()
    while day <= last:
        if cron.is_on(day) and offset is None:
            for time in cron.times:
                found.update(resolve(datetime.datetime.combine(day, time), where, cron.is_interval, skips))
        elif cron.is_on(day):
            midnight = (day - EPOCH).days * 86400 - offset
            found.update(midnight + second for second in cron.seconds_within(begin - midnight, until - midnight))
        day += DAY
    return sorted(at for at in found if begin < at <= until)


def every_instants(seconds, anchor, begin, until):
    """The anchor is the first."""
    first = max(0, -(-(begin + 1 - anchor) // seconds))
    return list(range(anchor + first * seconds, until + 1, seconds))


def instants(schedule, begin, until):
    """Of a job's declaration: `cron` (one or a list) with `timezone` and `dst`, or `every` (seconds) with `start_at`."""
    if "every" in schedule:
        anchor = int(datetime.datetime.fromisoformat(schedule["start_at"].replace("Z", "+00:00")).timestamp())
        return every_instants(int(schedule["every"].rstrip("s")), anchor, begin, until)
    texts = schedule["cron"] if isinstance(schedule["cron"], list) else [schedule["cron"]]
    found = set()
    for text in texts:
        found.update(cron_instants(text, begin, until, schedule.get("timezone", "UTC"), schedule.get("dst") == "skip"))
    return sorted(found)
