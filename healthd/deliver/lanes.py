"""The addresses of a receiver, each with its own pauses; and what is left of a letter that is on its way to them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from healthd.deliver.pauses import SHORT_SECONDS, WISH_SECONDS, pause
from healthd.letters import Why

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from healthd.errors import DeliveryError
    from healthd.letters import Letter


@dataclass(slots=True, kw_only=True)
class Lane:
    """An address that takes letters or does not, whatever others do. A receiver of one address has one, of no mark.

    `mark` names it in files, `label` to people; neither gives a secret away. `stand` changes with all that leads there.
    `failures` is how often in a row it took nothing; it is not tried before `not_before`, and asked for peace until
    `asked_for` (boot seconds). `busy`: a letter is on its way.
    """

    mark: str = ""
    address: str = ""
    label: str = ""
    stand: str = ""
    failures: int = 0
    not_before: float = 0.0
    asked_for: float = 0.0
    busy: bool = False

    def now_at(self, other: Lane) -> None:
        """It is as this one says. Where it is another place, what was said at the old one holds no longer."""
        if self.stand != other.stand:
            self.failures, self.not_before, self.asked_for = 0, 0.0, 0.0
        self.address, self.label, self.stand = other.address, other.label, other.stand

    def hurry(self, now: float) -> None:
        """A letter has come: it does not wait as long as older ones do."""
        self.not_before = min(self.not_before, max(self.asked_for, now + SHORT_SECONDS))

    def took(self) -> None:
        """It is well."""
        self.failures, self.not_before = 0, 0.0

    def failed(self, error: DeliveryError, now: float, youngest: float, chance: float) -> float:
        """Have it wait, for so many seconds as are returned; `youngest` is the age of the newest letter for it."""
        self.failures += 1
        wait = pause(self.failures, youngest, chance, error.wait)
        self.not_before = now + wait
        self.asked_for = now + min(error.wait or 0.0, WISH_SECONDS)
        return wait


@dataclass(slots=True, kw_only=True)
class Task:
    """A letter on its way: to the lanes of these marks it must still get, which failed so often.

    `taken` is how many have it, and `lost` what those say that never will.
    """

    name: str
    letter: Letter
    left: dict[str, int] = field(default_factory=dict)
    taken: int = 0
    lost: list[str] = field(default_factory=list)

    def turn(self, mark: str) -> tuple[bool, int, float]:
        """Orders letters for a lane: one that only tries the way waits for nothing."""
        return self.letter.why is not Why.TEST, self.left[mark], self.letter.at


def mark_of(address: str) -> str:
    """Names an address, which may be a secret, in files that outlive the process."""
    return hashlib.sha256(address.encode()).hexdigest()[:12]


def first_for(tasks: Iterable[Task], mark: str) -> Task | None:
    """What this lane gets next. Letters of one alert keep their order; of others the one that failed least often."""
    firsts: dict[str, Task] = {}
    for task in tasks:
        if mark not in task.left:
            continue
        known = firsts.get(task.letter.key)
        if known is None or task.letter.number < known.letter.number:
            firsts[task.letter.key] = task
    return min(firsts.values(), key=lambda task: task.turn(mark), default=None)


def together(due: Mapping[str, Task]) -> tuple[Task, list[str]] | None:
    """Of the letters that lanes get next the first one, and all lanes for which it is that."""
    if not due:
        return None
    first = min(due, key=lambda mark: due[mark].turn(mark))
    return due[first], [mark for mark, task in due.items() if task is due[first]]


def said(errors: Mapping[str, DeliveryError], word: Callable[[str, DeliveryError], str]) -> dict[str, list[str]]:
    """The marks by what `word` makes of their errors: what is the same for all is said once."""
    found: dict[str, list[str]] = {}
    for mark, error in errors.items():
        found.setdefault(word(mark, error), []).append(mark)
    return found
