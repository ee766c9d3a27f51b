"""Dates and times as chat programs write them before a message, in the forms of several countries.

Which of the first two numbers of a date is the day is decided by the whole file: a number over 12 is one. Where none
is, a date with points, or without AM and PM, has the day first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

MILLISECONDS = 1e11  # a larger number of seconds would lie in the year 5138
TIME_FORMATS = ("%Y/%m/%d %H:%M", "%Y/%m/%d %H:%M:%S", "%d/%m/%Y %H:%M", "%d.%m.%Y %H:%M")
DATE = r"(?P<date>\d{1,4}[./-]\d{1,2}[./-]\d{1,4}|\d{4}[年년]\s?\d{1,2}[月월]\s?\d{1,2}[日일])"
CLOCK = r"(?P<before>上午|下午|오전|오후)?\s?(?P<time>\d{1,2}[:.]\d{2}(?:[:.]\d{2})?)(?P<after>\s?[ap]\.?\s?m\b\.?)?"
AFTERNOON = re.compile(r"下午|오후|p", re.IGNORECASE)
NO_DATE = datetime(2000, 1, 1)  # what a log's days are counted from where it gives none: only pauses matter


@dataclass(frozen=True, slots=True)
class Stamp:
    """The numbers of a date, if there is one, and of a time as they stand."""

    date: tuple[int, int, int] | None
    year_first: bool
    time: tuple[int, int]
    afternoon: bool | None  # None where the clock has 24 hours


def stamp_of(found: re.Match[str]) -> Stamp:
    """The stamp in a match of a pattern with `DATE`, which may be missing or not take part, and `CLOCK`."""
    groups = found.groupdict()
    hour, minute, *_ = map(int, re.split(r"[:.]", groups["time"]))
    half = groups["before"] or groups["after"]
    afternoon = None if half is None else AFTERNOON.search(half) is not None
    stamp = Stamp(None, False, (hour, minute), afternoon)
    return on_day(stamp, found) if groups.get("date") else stamp


def on_day(stamp: Stamp, found: re.Match[str]) -> Stamp:
    """The stamp with the date in a match of a pattern with `DATE`, unless it has its own."""
    if stamp.date is not None:
        return stamp
    first, second, third = map(int, re.findall(r"\d+", found["date"]))
    return replace(stamp, date=(first, second, third), year_first=first > 31)


def times_of(stamps: Iterable[Stamp]) -> Iterator[datetime | None]:
    """When each message was sent; None where its numbers are no date.

    Without dates, a clock that goes back has passed midnight.
    """
    stamps = list(stamps)
    day_first = _is_day_first(stamps)
    last = NO_DATE
    for stamp in stamps:
        at = _time(stamp, last, day_first=day_first)
        if stamp.date is None and at and at < last:
            at += timedelta(days=1)
        last = at or last
        yield at


def parse_time(text: str) -> datetime | None:
    """When a message was sent, in UTC without its mark: of ISO 8601, a Unix time, or the usual forms of exports.

    None of anything else.
    """
    if text.replace(".", "", 1).isdecimal() and len(text) > len("20230613"):
        seconds = float(text)
        try:
            at = datetime.fromtimestamp(seconds / 1000 if seconds > MILLISECONDS else seconds, UTC)
        except (ValueError, OverflowError, OSError):
            return None
        return at.replace(tzinfo=None)
    for form in (None, *TIME_FORMATS):
        try:
            at = datetime.fromisoformat(text.replace("/", "-")) if form is None else datetime.strptime(text, form)
        except ValueError:
            continue
        return at.astimezone(UTC).replace(tzinfo=None) if at.tzinfo else at
    return None


def _is_day_first(stamps: Iterable[Stamp]) -> bool:
    dates = [(*one.date[:2], one) for one in stamps if one.date and not one.year_first]
    if any(first > 12 for first, _, _ in dates):
        return True
    if any(second > 12 for _, second, _ in dates):
        return False
    return not any(one.afternoon is not None for _, _, one in dates)


def _time(stamp: Stamp, last: datetime, *, day_first: bool) -> datetime | None:
    hour, minute = stamp.time
    if stamp.afternoon is not None:
        hour = hour % 12 + 12 * stamp.afternoon
    try:
        if stamp.date is None:
            return last.replace(hour=hour, minute=minute, second=0, microsecond=0)
        first, second, third = stamp.date
        if stamp.year_first:
            year, month, day = first, second, third
        else:
            year, month, day = (third, second, first) if day_first else (third, first, second)
        return datetime(year + 2000 * (year < 100), month, day, hour, minute)
    except ValueError:
        return None
