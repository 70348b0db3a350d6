"""Reads when somebody wants to be reminded, by their own clock. Keeping and saying it: `front.py`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}

LATER = re.compile(r"in (?P<many>\d{1,4}) ?(?P<unit>[mhdw])\w*", re.IGNORECASE)

CLOCK = re.compile(
    rf"(?:(?P<every>every) (?P<which>day|weekday|{'|'.join(DAYS)})|(?P<day>today|tomorrow|{'|'.join(DAYS)}|\d{{4}}-\d\d-\d\d))?"
    r" ?(?:at )?(?P<hour>\d{1,2}):(?P<minute>\d\d)",
    re.IGNORECASE,
)

HOW = "say when: `in 10 minutes`, `18:30`, `tomorrow at 9:00`, `friday at 18:00`, `2026-12-24 18:00`, `every weekday at 9:30`"


@dataclass(frozen=True, slots=True)
class When:
    """A moment in UTC; `every` is "", or which days it comes again at the same time of the zone's clock."""

    at: datetime
    every: str = ""


def split(text: str) -> tuple[str, str]:
    """What to remind of and when, "" where nothing at the end is a time."""
    for start in (found.start() for found in re.finditer(r"(?<=\s)\S|^\S", text)):
        if LATER.fullmatch(text[start:].strip()) or CLOCK.fullmatch(text[start:].strip()):
            return text[:start].strip(), text[start:].strip()
    return text.strip(), ""


def read(text: str, now: datetime, zone: ZoneInfo) -> When:
    """Raises ValueError, whose text says what may be written, for what is no time or has passed."""
    if later := LATER.fullmatch(text.strip()):
        return When(now + timedelta(**{UNITS[later["unit"].lower()]: int(later["many"])}))
    clock = CLOCK.fullmatch(text.strip())
    if clock is None or int(clock["hour"]) > 23 or int(clock["minute"]) > 59:
        raise ValueError(HOW)
    moment, here = time(int(clock["hour"]), int(clock["minute"])), now.astimezone(zone)
    every, day = (clock["which"] or "").lower(), (clock["day"] or "").lower()
    if every:
        return When(after(every, moment, now, zone), every)
    wanted = _day(day, here.date())
    at = _at(wanted, moment, zone)
    if at <= now and day in ("", *DAYS):
        at = _at(wanted + timedelta(days=7 if day else 1), moment, zone)
    if at <= now:
        raise ValueError("that has passed already")
    return When(at)


def after(every: str, moment: time, now: datetime, zone: ZoneInfo) -> datetime:
    """The next of these days on which the zone's clock shows this, in UTC."""
    days = (now.astimezone(zone).date() + timedelta(days=more) for more in range(9))
    return next(at for day in days if _falls(every, day) and (at := _at(day, moment, zone)) > now)


def _falls(every: str, day: date) -> bool:
    return every == "day" or (day.weekday() < 5 if every == "weekday" else DAYS[day.weekday()] == every)


def _day(word: str, today: date) -> date:
    if word in DAYS:
        return today + timedelta(days=(DAYS.index(word) - today.weekday()) % 7)
    if word in ("", "today", "tomorrow"):
        return today + timedelta(days=word == "tomorrow")
    try:
        return date.fromisoformat(word)
    except ValueError:
        raise ValueError(HOW) from None


def _at(day: date, moment: time, zone: ZoneInfo) -> datetime:
    """A time that the clock leaves out, when it is put forward, comes as much later; of one that it shows twice the first counts."""
    return datetime.combine(day, moment, zone).astimezone(UTC)
