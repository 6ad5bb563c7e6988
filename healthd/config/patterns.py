"""Patterns of unit names, and which units the configuration permits to be acted on.

`*` is any run of characters, `?` any one, `[a-z]` and `[!a-z]` one out of a set; a backslash is itself, because unit
names hold them. A pattern that names no unit type ("nginx", "getty@*") fits units of every type.

A pattern is turned into a regular expression that Python and JavaScript read alike: the polkit rule (`config/rule.py`)
carries the very expressions that the daemon decides with, so that the two cannot differ.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from healthd.model import HoldReason

if TYPE_CHECKING:
    from collections.abc import Iterable

    from healthd.config.settings import Settings

UNIT_TYPES: Final = (
    "service",
    "socket",
    "target",
    "device",
    "mount",
    "automount",
    "swap",
    "timer",
    "path",
    "slice",
    "scope",
)
UNIT_NAME_MAX: Final = 255
_LETTERS: Final = r"A-Za-z0-9:_.\\\-"
UNIT_NAME: Final = rf"[{_LETTERS}]+(?:@[{_LETTERS}@]+)?\.(?:{'|'.join(UNIT_TYPES)})"
_UNIT_NAME: Final = re.compile(UNIT_NAME)
_LITERAL: Final = re.compile(rf"[{_LETTERS}@]")
_STARS_MAX: Final = 32  # each is a group, and Python knows 99 of them

_POWER: Final = (
    "poweroff",
    "reboot",
    "halt",
    "kexec",
    "exit",
    "soft-reboot",
    "shutdown",
    "umount",
    "final",
    "ctrl-alt-del",
    "sleep",
    "suspend",
    "hibernate",
    "hybrid-sleep",
    "suspend-then-hibernate",
)

PROTECTED: Final = (
    "dbus*",
    "polkit",
    "polkit-*",
    "systemd-*",
    "rescue",
    "emergency",
    "debug-shell",
    "initrd-*",
    "getty@*",
    "serial-getty@*",
    "user@*",
    "user-runtime-dir@*",
    "apt-daily*",
    "unattended-upgrades",
    "healthd*",
    # `start` of one of these takes the host down. They are in reach only where `allow` reaches beyond services.
    *(f"{name}.target" for name in _POWER),
)
"""The list that always holds; `"!name"` in [auto_healing] protect takes one entry out of it."""

_EXCEPTIONS: Final = {"systemd-*": ("systemd-networkd", "systemd-resolved", "systemd-timesyncd")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry of the list of protected units: what fits `pattern` and none of `exceptions` is not to be touched."""

    pattern: str
    exceptions: tuple[str, ...] = ()


def is_unit_name(name: str) -> bool:
    """Whether systemd takes this for the name of a unit. A template ("getty@.service") is none that can run."""
    return len(name) <= UNIT_NAME_MAX and _UNIT_NAME.fullmatch(name) is not None


def translate(pattern: str) -> str:
    """The regular expression, unanchored, of a pattern. `ValueError` says in words why the pattern is none."""
    if not pattern:
        raise ValueError("it is empty")
    if len(pattern) > UNIT_NAME_MAX:
        raise ValueError(f"it is longer than {UNIT_NAME_MAX} characters")
    first, *others = _segments(pattern)
    if not others:
        return first + _any_type(pattern)
    *middle, last = others
    # Each middle part is taken where it first fits and never again elsewhere (a look-ahead is not re-entered), which is
    # always right for such patterns and keeps a pattern of many stars from taking exponential time.
    steps = [f"(?=(.*?{part}))\\{number}" for number, part in enumerate(filter(None, middle), 1)]
    if len(steps) > _STARS_MAX:
        raise ValueError(f"it has more than {_STARS_MAX} '*'")
    return f"{first}{''.join(steps)}.*{last}{_any_type(pattern)}"


def _any_type(pattern: str) -> str:
    ending = pattern.rpartition(".")[2] if "." in pattern else ""
    named = ending in UNIT_TYPES or any(sign in ending for sign in "*?[")
    return "" if named or pattern.endswith("*") else r"(?:\.[a-z]+)?"


def _segments(pattern: str) -> list[str]:
    """The expressions of what stands between the stars."""
    segments = [""]
    at = 0
    while at < len(pattern):
        letter = pattern[at]
        if letter == "[":
            end = pattern.find("]", at + 2)
            if end < 0:
                raise ValueError("its '[' is not closed")
            segments[-1] += _set(pattern[at + 1 : end])
            at = end
        elif letter == "*":
            segments.append("")
        elif letter == "?":
            segments[-1] += "."
        else:
            segments[-1] += _literal(letter)
        at += 1
    return segments


def _literal(letter: str) -> str:
    if not _LITERAL.fullmatch(letter):
        shown = letter if letter.isprintable() else f"\\u{ord(letter):04x}"
        raise ValueError(f"no unit name has a {shown!r} in it")
    return "\\" + letter if letter in ".\\" else letter


def _set(body: str) -> str:
    negated = body[0] in "!^"
    body = body[1:] if negated else body
    parts: list[str] = []
    at = 0
    while at < len(body):
        first, last = body[at], body[at]
        if body[at + 1 : at + 2] == "-" and at + 2 < len(body):
            last = body[at + 2]
            at += 2
        if first > last:
            raise ValueError(f"its range {first}-{last} runs backwards")
        parts.append(_member(first) if first == last else f"{_member(first)}-{_member(last)}")
        at += 1
    if not parts:
        raise ValueError("its [] is empty")
    return f"[{'^' if negated else ''}{''.join(parts)}]"


def _member(letter: str) -> str:
    return "\\-" if letter == "-" else _literal(letter)


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(translate(pattern))


def matches(patterns: Iterable[str], name: str) -> bool:
    """Whether any of the patterns fits the whole name. `ValueError` for what is no pattern."""
    return any(_compiled(pattern).fullmatch(name) for pattern in patterns)


@lru_cache(maxsize=8)
def protection(protect: tuple[str, ...]) -> tuple[Entry, ...]:
    """The list that is in force under this `[auto_healing] protect`."""
    out = {entry[1:] for entry in protect if entry.startswith("!")}
    built_in = (Entry(pattern=name, exceptions=_EXCEPTIONS.get(name, ())) for name in PROTECTED if name not in out)
    added = (Entry(pattern=name) for name in protect if not name.startswith("!") and name not in out)
    return (*built_in, *added)


def protected(protect: tuple[str, ...], unit: str) -> bool:
    """Whether the unit is on the list."""
    return any(matches((entry.pattern,), unit) and not matches(entry.exceptions, unit) for entry in protection(protect))


def permitted(settings: Settings, unit: str) -> HoldReason | None:
    """What forbids healthd to start, restart, reload or reset this unit: PROTECTED, NOT_ALLOWED or nothing (None)."""
    if not is_unit_name(unit):
        return HoldReason.NOT_ALLOWED
    if protected(settings.auto_healing.protect, unit):
        return HoldReason.PROTECTED
    return None if matches(settings.auto_healing.allow, unit) else HoldReason.NOT_ALLOWED


def repair_units(settings: Settings) -> tuple[str, ...]:
    """The operator's own oneshot units that `run_unit:` actions name, in name order. They may be started, no more."""
    named = {action for unit in settings.services.unit.values() for action in unit.actions if ":" in action}
    return tuple(sorted(action.partition(":")[2] for action in named))
