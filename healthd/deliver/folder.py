"""The folders of the delivery process: the outbox, which the daemon fills, and what became of each letter.

That a receiver has taken a letter is a file, `delivered/ID.RECEIVER`: so a process that is killed sends none again but
the one that was on its way. The daemon counts these files, and one that tries the way waits for them.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from healthd.letters import DELIVERED, OUTBOX, Letter, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KEEP_SECONDS: Final = 3600.0
"""So long it is kept that a letter was delivered, should it come once more."""

_BROKEN: Final = ".broken"


class Folder:
    """The two folders below the state directory."""

    def __init__(self, directory: Path) -> None:
        self.outbox, self._delivered = directory / OUTBOX, directory / DELIVERED
        for folder in (self.outbox, self._delivered):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def letters(self, known: frozenset[str]) -> Iterator[tuple[str, Letter | None]]:
        """The letters that are not known yet, by file name, the oldest first. None: what is there is no letter."""
        found: list[tuple[float, str, Letter | None]] = []
        for file in self.outbox.iterdir():
            name = file.name
            if name in known or name.startswith("."):
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
        for _, name, letter in sorted(found, key=lambda each: each[:2]):
            yield name, letter

    def is_delivered(self, letter: Letter, receiver: str) -> bool:
        """Whether this receiver took the letter, or will never take it."""
        return (self._delivered / f"{letter.id}.{receiver}").exists()

    def note(self, letter: Letter, receiver: str, outcome: Outcome) -> None:
        """Write down what became of a letter. One that is to be tried again has `.failed` behind its name."""
        mark = f"{letter.id}.{receiver}" if outcome.final else f"{letter.id}.{receiver}.failed"
        beside = self._delivered / f".{mark}"
        beside.write_text(json.dumps(outcome.to_plain()), encoding="utf-8")
        beside.rename(self._delivered / mark)

    def remove(self, name: str) -> None:
        """A letter that everybody has leaves the outbox."""
        (self.outbox / name).unlink(missing_ok=True)

    def put_aside(self, name: str) -> None:
        """What is no letter is kept for a person to look at, where it does not keep anybody busy."""
        try:
            (self.outbox / name).rename(self._delivered / f"{name}{_BROKEN}")
        except IsADirectoryError:
            return

    def tidy(self, wall: float) -> None:
        """Forget what was delivered long ago."""
        for file in self._delivered.iterdir():
            with suppress(OSError):
                if file.lstat().st_mtime + KEEP_SECONDS < wall:
                    file.unlink()
