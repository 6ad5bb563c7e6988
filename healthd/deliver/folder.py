"""The folders of the delivery process: the outbox, which the daemon fills, and what became of each letter.

That a receiver has taken a letter is a file, `delivered/ID.RECEIVER`: so a process that is killed sends none again but
the one that was on its way. The daemon counts these files, and one that tries the way waits for them.

It reads none that begins with a dot: `.ID.RECEIVER.MARK`, what became of a letter at one of several addresses while it
waits for others; `.told/KEY.RECEIVER.MARK`, that an address heard of an alert and not of its end, which is in it where
the address was not in the configuration then; `.poor.RECEIVER`, those of its peers that take none.

What a full or read-only disk does not take is owed to it: it counts as done here, and is tried again.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from healthd.letters import DELIVERED, OUTBOX, Letter, Outcome, Why

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Iterator
    from pathlib import Path

KEEP_SECONDS: Final = 3600.0
"""So long it is kept that a letter was delivered, should it come once more."""

TOLD_SECONDS: Final = 400 * 86_400.0
"""An alert of which nobody heard for so long has no end."""

OWED_SECONDS: Final = 30 * 86_400.0
"""After so long the end of an alert is no news any more."""

_BROKEN: Final = ".broken"
_TOLD: Final = ".told"
_POOR: Final = ".poor."
_NO_NEWS: Final = frozenset({Why.TEST, Why.BEAT, Why.HEALED})


class Folder:
    """The two folders below the state directory."""

    def __init__(self, directory: Path) -> None:
        self.outbox, self._delivered = directory / OUTBOX, directory / DELIVERED
        self._told = self._delivered / _TOLD
        self._heard: set[Path] = set()  # where the disk is full, it is known as long as this process lives
        for folder in (self.outbox, self._delivered, self._told):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._owed: dict[Path, tuple[Callable[[], object], int]] = {}  # by the file that it is about, with its time
        self.trouble: OSError | None = None
        """Why something is owed; None: nothing is."""
        self.outdated = False
        """Whether letters come into what is read-only here: the folders are as systemd made them for this process."""

    def catch_up(self) -> None:
        """Try again what is owed."""
        for path, (work, _) in list(self._owed.items()):
            self._do(path, work)

    def letters(self, known: frozenset[str]) -> Iterator[tuple[str, Letter | None]]:
        """The letters that are not known yet, by file name, the oldest first. None: what is there is no letter."""
        found: list[tuple[float, str, Letter | None]] = []
        for file in self.outbox.iterdir():
            name = file.name
            if name in known or name.startswith(".") or self._is_owed(file) or file.is_dir():
                continue
            letter: Letter | None = None
            try:
                letter = Letter.from_json(file.read_bytes())
            except FileNotFoundError:
                continue
            except (OSError, ValueError):
                found.append((0.0, name, None))
                continue
            found.append((letter.at, name, letter))
        read_only = self.trouble is not None and self.trouble.errno == errno.EROFS
        self.outdated |= bool(found) and read_only and any(path.parent == self.outbox for path in self._owed)
        for _, name, letter in sorted(found, key=lambda each: each[:2]):
            yield name, letter

    def is_delivered(self, letter: Letter, receiver: str) -> bool:
        """Whether this receiver took the letter, or will never take it."""
        mark = self._delivered / f"{letter.id}.{receiver}"
        return mark in self._owed or mark.exists()

    def note(self, letter: Letter, receiver: str, outcome: Outcome) -> None:
        """Write down what became of a letter. One that is to be tried again has `.failed` behind its name."""
        mark = self._delivered / (f"{letter.id}.{receiver}" if outcome.final else f"{letter.id}.{receiver}.failed")

        def write() -> None:
            beside = self._delivered / f".{mark.name}"
            beside.write_text(json.dumps(outcome.to_plain()), encoding="utf-8")
            beside.rename(mark)

        self._do(mark, write)

    def became(self, letter: Letter, receiver: str, mark: str) -> str | None:
        """What became of it at one of several addresses: "" if that has it, else why it never will. None: it waits."""
        try:
            return (self._delivered / f".{letter.id}.{receiver}.{mark}").read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            return None

    def settle(self, letter: Letter, receiver: str, mark: str, text: str, *, more: bool) -> None:
        """Write down what became of it at an address, as `became` reads it if there is `more` to come at others."""
        told = self._place(letter.key, receiver, mark)
        if letter.over:
            self._heard.discard(told)
            self._do(told, lambda: told.unlink(missing_ok=True))
        elif not text and letter.why not in _NO_NEWS:
            self._heard.add(told)
            self._do(told, lambda: told.touch(mode=0o600))
        if more:
            path = self._delivered / f".{letter.id}.{receiver}.{mark}"
            self._do(path, lambda: path.write_text(text, encoding="utf-8"))

    def is_told(self, receiver: str, mark: str, key: str) -> bool:
        """Whether this address heard of the alert, and not of its end."""
        place = self._place(key, receiver, mark)
        return place in self._heard or place.exists()

    def told(self, key: str) -> list[tuple[str, str]]:
        """The receivers, and of each the marks of the addresses, that heard of the alert and not of its end."""
        rests = (file.name.removeprefix(f"{key}.") for file in self._told.iterdir() if file.name.startswith(f"{key}."))
        found = [rest.split(".") for rest in rests]
        return [(receiver, mark) for receiver, mark in (each for each in found if len(each) == 2)]

    def owe(self, receiver: str, mark: str, letter: Letter) -> None:
        """Keep the end of an alert for an address that heard of the alert and cannot be told now."""
        place = self._place(letter.key, receiver, mark)
        if self.is_told(receiver, mark, letter.key):
            kept = replace(letter, id=f"{letter.id}-{mark or receiver}", to=receiver).to_json()
            self._do(place, lambda: place.write_bytes(kept))

    def pay(self, receiver: str, marks: Container[str]) -> None:
        """Put into the outbox what is kept for these addresses."""
        for file in self._told.iterdir():
            name, mark = file.name.rpartition(".")[::2]
            if mark not in marks or not name.endswith(f".{receiver}") or not file.stat().st_size:
                continue
            beside = self.outbox / f".owed-{file.name}"  # to systemd the two folders are two file systems
            with suppress(OSError):
                beside.write_bytes(file.read_bytes())
                beside.rename(self.outbox / f"owed-{file.name}.json")
                os.truncate(file, 0)

    def poor(self, receiver: str) -> frozenset[str]:
        """The marks of those peers of the receiver that took nothing the last time."""
        try:
            return frozenset((self._delivered / f"{_POOR}{receiver}").read_text(encoding="utf-8").split())
        except (OSError, UnicodeDecodeError):
            return frozenset()

    def note_poor(self, receiver: str, marks: Iterable[str]) -> None:
        """Write them down."""
        (self._delivered / f"{_POOR}{receiver}").write_text(" ".join(sorted(marks)), encoding="utf-8")

    def _place(self, key: str, receiver: str, mark: str) -> Path:
        return self._told / f"{key}.{receiver}.{mark}"

    def remove(self, name: str) -> None:
        """A letter that everybody has leaves the outbox."""
        path = self.outbox / name
        self._do(path, lambda: path.unlink(missing_ok=True))

    def put_aside(self, name: str) -> None:
        """What is no letter is kept for a person to look at, where it does not keep anybody busy."""
        path = self.outbox / name

        def move() -> None:  # to systemd the two folders are two file systems, between which nothing can be renamed
            shutil.copyfile(path, self._delivered / f"{name}{_BROKEN}", follow_symlinks=False)
            path.unlink()

        self._do(path, move)

    def tidy(self, wall: float) -> None:
        """Forget what was delivered long ago, but for what still waits for others."""
        waits = tuple(letter.id for _, letter in self.letters(frozenset()) if letter is not None)
        for file in self._delivered.iterdir():
            name = file.name.removeprefix(".")
            if not any(name.startswith(f"{id_}.") for id_ in waits) and not file.name.startswith(_POOR):
                _forget(file, wall - KEEP_SECONDS)
        for file in self._told.iterdir():
            with suppress(OSError):
                _forget(file, wall - (OWED_SECONDS if file.stat().st_size else TOLD_SECONDS))

    def _is_owed(self, file: Path) -> bool:
        """Whether it only lies there because it cannot be taken away. What was put in its place since then does not."""
        if file in self._owed and self._owed[file][1] != _modified(file):
            del self._owed[file]
        return file in self._owed

    def _do(self, path: Path, work: Callable[[], object]) -> None:
        try:
            work()
        except FileNotFoundError:  # somebody took it away
            self._owed.pop(path, None)
        except OSError as error:
            self._owed[path], self.trouble = (work, _modified(path)), error
        else:
            self._owed.pop(path, None)
        if not self._owed:
            self.trouble = None


def _modified(file: Path) -> int:
    try:
        return file.stat().st_mtime_ns
    except OSError:
        return 0


def _forget(file: Path, before: float) -> None:
    with suppress(OSError):
        if file.lstat().st_mtime < before:
            file.unlink()
