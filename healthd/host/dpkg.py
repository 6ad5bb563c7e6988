"""What dpkg wrote down: what it did lately, which package a file is of, and what else that package has."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from healthd.evidence import Change, ChangeKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_TAIL: Final = 1024 * 1024  # of a log: what an upgrade of thousands of packages writes
_MOST_FOUND: Final = 500
_MOST_LISTED: Final = 20_000  # files of one package that are looked through
_DONE: Final = {
    "install": "was installed ({new})",
    "upgrade": "was upgraded from {old} to {new}",
    "remove": "was removed ({old})",
    "purge": "was purged ({old})",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """A package by its name without an architecture. `files` are all of its paths, `conffiles` its configuration."""

    name: str
    files: tuple[str, ...]
    conffiles: tuple[str, ...]


class Dpkg:
    """Reads below `root`. Everything blocks, and raises `OSError` where what is there cannot be read."""

    def __init__(self, root: Path = Path("/")) -> None:
        self._log, self._info = root / "var/log/dpkg.log", root / "var/lib/dpkg/info"
        self._found: dict[str, Path | None] = {}  # the list that a path stands in
        self._found_at = 0

    @property
    def there(self) -> bool:
        """Whether this host has packages of dpkg."""
        return self._info.is_dir()

    def done(self, since: float, until: float) -> tuple[Change, ...]:
        """What was done to packages in this time, oldest first. A day's log may have been put aside meanwhile."""
        lines: list[str] = []
        for log in (self._log.with_name("dpkg.log.1"), self._log):
            try:
                found = log.stat()
            except FileNotFoundError:
                continue
            if found.st_mtime >= since:
                lines += _tail(log)
        return tuple(change for change in _parsed(lines) if since <= change.at <= until)

    def owner(self, path: str, hints: Iterable[str]) -> Package | None:
        """The package that a file is of. Those whose names begin as a hint are looked at first: there are thousands.

        What was found is remembered until dpkg does something.
        """
        changed_at = self._info.stat().st_mtime_ns
        if changed_at != self._found_at or len(self._found) > _MOST_FOUND:
            self._found, self._found_at = {}, changed_at
        if path not in self._found:
            self._found[path] = self._search(path, hints)
        file = self._found[path]
        return None if file is None else self._package(file, file.read_bytes())

    def _search(self, path: str, hints: Iterable[str]) -> Path | None:
        wanted = [f"{name}\n".encode() for name in aliases(path)]
        lists = sorted(self._info.glob("*.list"))
        beginnings = tuple(hint for hint in hints if hint)
        lists.sort(key=lambda file: not file.name.startswith(beginnings))
        for file in lists:
            data = file.read_bytes()
            if any(line in data and (b"\n" + line) in (b"\n" + data) for line in wanted):
                return file
        return None

    def _package(self, file: Path, data: bytes) -> Package:
        try:
            conffiles = _paths(file.with_suffix(".conffiles").read_bytes())
        except FileNotFoundError:
            conffiles = ()
        return Package(name=file.stem.partition(":")[0], files=_paths(data), conffiles=conffiles)


def _paths(data: bytes) -> tuple[str, ...]:
    """One path a line; dpkg marks obsolete ones with a word before them."""
    lines = data.splitlines()[:_MOST_LISTED]
    return tuple(os.fsdecode(line[line.find(b"/") :]) for line in lines if b"/" in line)


def aliases(path: str) -> tuple[str, ...]:
    """The names that one file may have in a package: /lib is /usr/lib, and either may stand in a list."""
    other = path.removeprefix("/usr") if path.startswith("/usr/lib/") else f"/usr{path}"
    return (path, other) if path.startswith(("/lib/", "/usr/lib/")) else (path,)


def _tail(log: Path) -> list[str]:
    with log.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - _TAIL))
        lines = file.read().decode(errors="replace").splitlines()
    return lines[1:] if size > _TAIL else lines


def _parsed(lines: Iterable[str]) -> Iterator[Change]:
    """`2025-11-24 08:30:00 upgrade nginx:amd64 1.22.1-9 1.22.1-10`, in local time."""
    for line in lines:
        words = line.split()
        if len(words) != 6 or words[2] not in _DONE:
            continue
        day, clock, verb, package, old, new = words
        try:
            at = _instant(day, clock)
        except (ValueError, OverflowError):
            continue
        text = _DONE[verb].format(old=old, new=new)
        yield Change(at=at, kind=ChangeKind.PACKAGE, what=package.partition(":")[0], text=text)


def _instant(day: str, clock: str) -> float:
    """`time.strptime` would do as well, and bring the calendar along."""
    year, month, date = map(int, day.split("-"))
    hour, minute, second = map(int, clock.split(":"))
    return time.mktime((year, month, date, hour, minute, second, 0, 0, -1))
