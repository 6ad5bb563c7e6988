"""Calendar expressions mean to healthd what they mean to systemd: compared with systemd-analyze, also for random ones.

Left out is where systemd 252 is at odds with its manual: lists of days from the end of the month, of which it allows
fewer with each entry, ranges of a single value, and expressions at which it ends with "Infinite loop in calendar
calculation" when the clocks change. Both times of an hour that the clocks show twice are another such case.
"""

from __future__ import annotations

import os
import random
import re
import subprocess
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pytest

from healthd.formats.calendar import parse
from healthd.formats.occurrence import next_after

if TYPE_CHECKING:
    from collections.abc import Iterator

COUNT: Final = 4
ELAPSES: Final = re.compile(
    r"(?:\(in UTC\)|Next elapse|Iter\. #\d+): \w+ (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)(?:\.\d+)? UTC"
)
ZONES: Final = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe")
BEGIN: Final = 1_774_700_000  # 28 March 2026: on the next day the clocks of Berlin skip an hour

MANUAL: Final = """
Sat,Thu,Mon..Wed,Sat..Sun | Mon,Sun 12-*-* 2,1:23 | Wed *-1 | Wed..Wed,Wed *-1 | Wed, 17:48
Wed..Sat,Tue 12-10-15 1:2:3 | *-*-7 0:0:0 | 10-15 | monday *-12-* 17:00 | Mon,Fri *-*-3,1,2 *:30:45
12,14,13,12:20,10,30 | 12..14:10,20,30 | mon,fri *-1/2-1,3 *:30:45 | 03-05 08:05:40 | 08:05:40 | 05:40
Sat,Sun 12-05 08:05:40 | Sat,Sun 08:05:40 | 2003-03-05 05:40 | 05:40:23.4200004/3.1700005 | 2003-02..04-05
2003-03-05 05:40 UTC | 2003-03-05 | 03-05 | hourly | daily | daily UTC | monthly | weekly
weekly Pacific/Auckland | yearly | annually | *:2/3 | *-*~1 | *-02~3 | *-05~7/1 | Mon *-05~07/1 | *-*~1..3
*-*-* 02:30 | *-*-* 2:0/10 | Sun *-10-25..31 2:30 | @1900000000 | 2036-02-29 | *-2-29 | 00..59/7:* | *:*:0.25
Mon..Fri,Sun 9..17/2:00/15 | 99-01-01 | 27-1-1 | *-*-31 | Fri *-*-13 | *-1,4,7,10~1 23:59:59 | quarterly
bogus | 25:00 | *-13-1 | Mon..Mon..Tue | Mon- | 12:00:60 | *-*~0 | *-*~29 | 1..2..3:00 | *-*-* | * | ** | : | 5 | 5-
""".replace("\n", " | ")


def systemd(text: str, begin: int, zone: str) -> list[float] | None:
    """What systemd makes of it: the next times to the second; None: it is no expression."""
    command = ["systemd-analyze", "calendar", f"--iterations={COUNT}", f"--base-time=@{begin}", "--", text]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, "TZ": zone, "LC_ALL": "C"}
    )
    if done.returncode:
        if "Failed to parse" not in done.stderr:
            pytest.skip(done.stderr)
        return None
    return [datetime.fromisoformat(f"{each}+00:00").timestamp() for each in ELAPSES.findall(done.stdout)]


def healthd(text: str, begin: int, zone: str) -> list[float] | None:
    """What healthd makes of it."""
    try:
        calendar = parse(text)
        place = ZoneInfo(calendar.zone or zone)
    except (ValueError, ZoneInfoNotFoundError):
        return None
    found: list[float] = []
    at: float = begin
    while len(found) < COUNT and (following := next_after(calendar, at, place)) is not None:
        at = following
        found.append(float(int(at)))
    return found


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin"])
def test_expressions_of_the_manual_mean_the_same(zone: str) -> None:
    for text in filter(None, map(str.strip, MANUAL.split(" | "))):
        assert (text, healthd(text, BEGIN, zone)) == (text, systemd(text, BEGIN, zone))


@pytest.mark.parametrize("seed", range(100))
def test_expressions_at_random_mean_the_same(seed: int) -> None:
    chance = random.Random(seed)
    for text in (expression(chance) for _ in range(3)):
        begin, zone = chance.randint(1_500_000_000, 2_000_000_000), chance.choice(ZONES)
        ours = healthd(text, begin, zone)
        if ours is None or not any(_twice(at, zone) for at in ours):
            assert (text, begin, zone, ours) == (text, begin, zone, systemd(text, begin, zone))


def _twice(at: float, zone: str) -> bool:
    """Whether the clocks show this time twice, or are about to."""
    moment = datetime.fromtimestamp(at, UTC).astimezone(ZoneInfo(zone))
    return moment.replace(fold=0).utcoffset() != moment.replace(fold=1).utcoffset()


def expression(chance: random.Random) -> str:
    """An expression that is mostly one."""
    parts = []
    if chance.random() < 0.4:
        parts.append(",".join(_weekdays(chance)))
    if chance.random() < 0.6:
        parts.append(_date(chance))
    if chance.random() < 0.7 or not parts:
        parts.append(f"{_field(chance, 0, 23)}:{_field(chance, 0, 59)}")
        if chance.random() < 0.5:
            parts[-1] += f":{_field(chance, 0, 59, fraction=True)}"
    text = " ".join(parts)
    if chance.random() < 0.1:
        text += chance.choice((" UTC", " utc", " America/New_York", " Nowhere/Land"))
    if chance.random() < 0.05:
        at = chance.randrange(len(text))
        text = text[:at] + chance.choice("-~:,/* x") + text[at + chance.randint(0, 1) :]
    return text


def _weekdays(chance: random.Random) -> Iterator[str]:
    days = ("Mon", "Tue", "wednesday", "Thu", "FRIDAY", "Sat", "Sun")
    for _ in range(chance.randint(1, 2)):
        first, last = sorted((chance.randrange(7), chance.randrange(7)))
        yield days[first] + (chance.choice(("..", "-")) + days[last] if chance.random() < 0.3 and last > first else "")


def _date(chance: random.Random) -> str:
    if chance.random() < 0.3:
        return f"*-{_field(chance, 1, 12)}~{_part(chance, 1, 28)}"
    return f"{chance.choice(('*', '*', '24', '2030', '20..40/3'))}-{_field(chance, 1, 12)}-{_field(chance, 1, 31)}"


def _field(chance: random.Random, first: int, last: int, *, fraction: bool = False) -> str:
    if chance.random() < 0.3:
        return "*"
    return ",".join(_part(chance, first, last, fraction=fraction) for _ in range(chance.choice((1, 1, 1, 2, 3))))


def _part(chance: random.Random, first: int, last: int, *, fraction: bool = False) -> str:
    start, stop = chance.randint(first, last), chance.randint(first, last + 1)
    text = f"{start:02d}" if chance.random() < 0.5 else str(start)
    if fraction and chance.random() < 0.2:
        return f"{text}.{chance.randint(0, 99)}"
    if chance.random() < 0.15 and stop != start:
        text += f"..{stop}"
    if chance.random() < 0.2:
        text += f"/{chance.randint(1, (last - first) // 2)}"
    return text
